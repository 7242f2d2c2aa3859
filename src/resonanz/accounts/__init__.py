"""Who may use this instance: passwords, sessions, API keys, sign-in limits and the one-time set-up.

Functions take the database itself, not an open transaction: argon2 takes a tenth of a second on purpose, and no
transaction may be held open that long.
"""

from resonanz.accounts.instance import tracking_without_choice
from resonanz.accounts.keys import authenticate_key, authenticate_mail, create_key, create_mail_password
from resonanz.accounts.passwords import Passwords, change_password, reset_password
from resonanz.accounts.sessions import SignedIn, end_session, end_sessions, resume_session, start_session
from resonanz.accounts.setup import create_account, finish_setup, set_up_is_open, setup_link_secret
from resonanz.accounts.signin import sign_in

__all__ = [
    "Passwords",
    "SignedIn",
    "authenticate_key",
    "authenticate_mail",
    "change_password",
    "create_account",
    "create_key",
    "create_mail_password",
    "end_session",
    "end_sessions",
    "finish_setup",
    "reset_password",
    "resume_session",
    "set_up_is_open",
    "setup_link_secret",
    "sign_in",
    "start_session",
    "tracking_without_choice",
]
