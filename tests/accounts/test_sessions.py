"""Sessions last thirty days from their last use, and end when somebody ends them."""

from datetime import timedelta

from sqlalchemy import select

from resonanz.accounts import end_session, end_sessions, resume_session, start_session
from resonanz.accounts.sessions import LIFETIME
from resonanz.store import Database
from resonanz.store.tables import sessions
from tests.kit.accounts import NOON, cheap_passwords, make_account

CHEAP = cheap_passwords()


def test_a_session_slides(database: Database) -> None:
    """Used once in 29 days it lasts for ever; unused for 30 it is over."""
    account = make_account(database, CHEAP)
    secret = start_session(database, account.id, user_agent="", now=NOON)
    moment = NOON
    for _ in range(4):
        moment += timedelta(days=29)
        assert resume_session(database, secret, moment) is not None
    assert resume_session(database, secret, moment + LIFETIME) is None


def test_the_secret_itself_is_not_stored(sqlite_database: Database) -> None:
    """A stolen table signs nobody in."""
    account = make_account(sqlite_database, CHEAP)
    secret = start_session(sqlite_database, account.id, user_agent="", now=NOON)
    with sqlite_database.read() as tx:
        kept = tx.execute(select(sessions.c.secret_hash)).scalar_one()
    assert secret.encode() not in kept
    assert resume_session(sqlite_database, kept.hex(), NOON) is None


def test_signing_out_ends_this_session_and_everywhere_ends_all(sqlite_database: Database) -> None:
    """One browser out leaves the others in; everywhere leaves none."""
    account = make_account(sqlite_database, CHEAP)
    one, two, three = (start_session(sqlite_database, account.id, user_agent="", now=NOON) for _ in range(3))
    end_session(sqlite_database, one)
    assert [bool(resume_session(sqlite_database, secret, NOON)) for secret in (one, two, three)] == [False, True, True]
    end_sessions(sqlite_database, account.id)
    assert [bool(resume_session(sqlite_database, secret, NOON)) for secret in (one, two, three)] == [False] * 3


def test_what_is_no_secret_resumes_nothing(sqlite_database: Database) -> None:
    """Empty, endless and odd cookies are nobody's."""
    make_account(sqlite_database, CHEAP)
    for secret in ("", "x" * 100_000, "\ud800", "' OR 1=1 --", "\x00"):
        assert resume_session(sqlite_database, secret, NOON) is None
