"""Passwords of mail programs."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from fastapi import APIRouter

from resonanz import model
from resonanz.accounts import create_mail_password
from resonanz.accounts.keys import MAIL, revoke_key
from resonanz.api.access import Caller, Parts
from resonanz.api.operator_shapes import MailPasswordIn, MailPasswordOut, MailPasswordsOut, NewMailPasswordOut
from resonanz.store import accounts

router = APIRouter(tags=["Mail programs"])


@router.get("/mail-passwords", response_model=MailPasswordsOut, summary="Passwords of the account's mail programs")
def list_passwords(parts: Parts, caller: Caller) -> MailPasswordsOut:
    """Return them by name, never the passwords themselves."""
    with parts.database.read() as tx:
        found = accounts.list_api_keys(tx, caller.id, MAIL)
    return MailPasswordsOut(passwords=[MailPasswordOut.model_validate(one) for one in found])


@router.post(
    "/mail-passwords", status_code=201, response_model=NewMailPasswordOut, summary="Make a mail program's password"
)
def post_password(wanted: MailPasswordIn, parts: Parts, caller: Caller) -> NewMailPasswordOut:
    """Make a password with which one mail program hands mail in by SMTP. It opens nothing else."""
    secret, made = create_mail_password(parts.database, caller.id, wanted.name, model.now())
    return NewMailPasswordOut.model_validate({**asdict(made), "password": secret})


@router.delete("/mail-passwords/{password}", status_code=204, summary="Revoke a mail program's password")
def delete_password(password: UUID, parts: Parts, caller: Caller) -> None:
    """End it; the program that uses it is refused from now on."""
    revoke_key(parts.database, caller.id, password, MAIL, model.now())
