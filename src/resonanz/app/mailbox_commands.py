"""`resonanz mailbox …`: mailboxes at other servers that reports come back to."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, TextIO
from uuid import UUID

import click

from resonanz.app.instance import ACTOR, opened, opened_instance

if TYPE_CHECKING:
    from resonanz.ingest.mailboxes import Checked

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def mailbox() -> None:
    """Read reports and answers from a mailbox by IMAP or POP3 (docs/reports.md)."""


@mailbox.command("add")
@click.argument("protocol", type=click.Choice(["imap", "pop3"]))
@click.argument("host")
@click.option("--user", required=True, help="Whom to sign in as.")
@click.option(
    "--password-file",
    type=click.File(),
    help="File with the password, with xoauth2 a refresh token; `-`: standard input.",
)
@click.option("--auth", "authentication", type=click.Choice(["password", "xoauth2"]), default="password")
@click.option(
    "--provider", type=click.Choice(["google", "microsoft"]), default=None, help="Whose tokens, with xoauth2."
)
@click.option("--client-id", default="", help="Id of the application that is registered with the provider.")
@click.option("--client-secret-file", type=click.File(), help="Its secret, where it has one.")
@click.option("--tenant", default="", help="Directory of a Microsoft account; default: any.")
@click.option("--port", type=click.IntRange(1, 65535), help="Default: 993 and 995, with STARTTLS 143 and 110.")
@click.option("--security", type=click.Choice(["tls", "starttls"]), default="tls", show_default=True)
@click.option("--folder", default="INBOX", show_default=True, help="Folder to read (IMAP).")
@click.option(
    "--then",
    type=click.Choice(["seen", "move", "delete"]),
    default="seen",
    show_default=True,
    help="What happens to a report that was read.",
)
@click.option("--move-to", default="", help="Folder for `--then move`.")
@click.option("--others", is_flag=True, help="Let the same happen to mail that is no report. Otherwise it stays as is.")
def add(
    protocol: str,
    host: str,
    user: str,
    password_file: TextIO | None,
    authentication: str,
    provider: str | None,
    client_id: str,
    client_secret_file: TextIO | None,
    tenant: str,
    port: int | None,
    security: str,
    folder: str,
    then: str,
    move_to: str,
    *,
    others: bool,
) -> None:
    """Read the mailbox of --user at HOST from now on, as long as a worker runs."""
    from resonanz import model
    from resonanz.app.wiring import sealer_of
    from resonanz.ingest.mailboxes import add_mailbox

    with opened_instance() as (settings, database):
        row = add_mailbox(
            database,
            sealer_of(settings),
            protocol=protocol,
            host=host,
            username=user,
            password=_read(password_file),
            authentication=authentication,
            provider=provider or "",
            client_id=client_id,
            client_secret=_read(client_secret_file),
            tenant=tenant,
            actor=ACTOR,
            now=model.now(),
            port=port or 0,
            security=security,
            folder=folder,
            then=then,
            move_to=move_to,
            others=others,
        )
    if authentication == "xoauth2" and password_file is None:
        click.echo(f"Added {row.id}. Sign in: resonanz mailbox sign-in {row.id}")
    else:
        click.echo(f"Added {row.id}. Try it: resonanz mailbox check {row.id}")


def _read(file: TextIO | None) -> str:
    return file.read().rstrip("\r\n") if file is not None else ""


@mailbox.command("list")
@_as_json
def list_mailboxes(*, as_json: bool) -> None:
    """Print every mailbox, when it was looked at last, and what went wrong."""
    from resonanz.store import mailboxes as rows

    with opened() as database, database.read() as tx:
        found = rows.list_mailboxes(tx)
    if as_json:
        told = [
            {
                "id": str(row.id),
                "protocol": row.protocol,
                "host": row.host,
                "port": row.port,
                "username": row.username,
                "folder": row.folder,
                "then": row.then,
                "authentication": row.authentication,
                "taken": row.taken,
                "taken_at": row.taken_at.isoformat() if row.taken_at else None,
                "checked_at": row.checked_at.isoformat() if row.checked_at else None,
                "failure": row.failure,
            }
            for row in found
        ]
        click.echo(json.dumps(told, indent=2))
        return
    for row in found:
        looked = f"looked at {row.checked_at:%Y-%m-%d %H:%M} UTC" if row.checked_at else "not looked at yet"
        state = f"failed: {row.failure}" if row.failure else looked
        click.echo(f"{row.id}  {row.protocol}  {row.username} at {row.host}:{row.port}  {row.taken} taken  {state}")
    if not found:
        click.echo("No mailboxes. Add one: resonanz mailbox add imap imap.example.org --user … --password-file …")


@mailbox.command("check")
@click.argument("id", type=click.UUID)
@_as_json
def check(id: UUID, *, as_json: bool) -> None:
    """Connect, sign in and count; no mail is read, nothing is marked."""
    from resonanz.app.wiring import sealer_of
    from resonanz.ingest.mailboxes import check_mailbox

    with opened_instance() as (settings, database):
        found = check_mailbox(database, sealer_of(settings), settings.smtp_ca_file, id)
    if as_json:
        told = asdict(found) | {"taken_at": found.taken_at.isoformat() if found.taken_at else None}
        click.echo(json.dumps(told, indent=2))
        return
    _tell(found)


@mailbox.command("password")
@click.argument("id", type=click.UUID)
@click.option(
    "--password-file",
    type=click.File(),
    required=True,
    help="File with the new password; `-`: standard input.",
)
def password(id: UUID, password_file: TextIO) -> None:
    """Change the password. It is kept only if the server lets us in with it; a running worker takes it up by itself."""
    from resonanz import model
    from resonanz.app.wiring import sealer_of
    from resonanz.ingest.mailboxes import change_password

    with opened_instance() as (settings, database):
        secret = _read(password_file)
        found = change_password(database, sealer_of(settings), settings.smtp_ca_file, id, secret, now=model.now())
    _tell(found)
    click.echo("The new password is kept.")


def _tell(found: Checked) -> None:
    click.echo(f"It works: {found.folder} holds {found.mails} mails.")
    if found.missing:
        click.echo(f"But there is no folder {found.missing} to move reports to: reading stops at the first one.")
    last = f"the last one {found.taken_at:%Y-%m-%d %H:%M} UTC" if found.taken_at else "none yet: do bounces come here?"
    click.echo(f"{found.taken} reports and answers were read from it, {last}")


@mailbox.command("sign-in")
@click.argument("id", type=click.UUID)
def sign_in(id: UUID) -> None:
    """Sign in with the mailbox's provider: on another device, or in a browser whose address you paste here."""
    from resonanz.app.transport_commands import sign_in_by_hand
    from resonanz.ingest.mailboxes import get_mailbox

    with opened_instance() as (settings, database):
        row = get_mailbox(database, id)
        sign_in_by_hand(settings, database, row)
    click.echo(f"Signed in: the mailbox of {row.username} is read.")


@mailbox.command("remove")
@click.argument("id", type=click.UUID)
def remove(id: UUID) -> None:
    """Read a mailbox no more. What was recorded stays."""
    from resonanz.ingest.mailboxes import remove_mailbox

    with opened() as database:
        remove_mailbox(database, id)
    click.echo(f"{id} is read no more.")


commands = (mailbox,)
