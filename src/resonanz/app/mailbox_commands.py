"""`resonanz mailbox …`: mailboxes at other servers that reports come back to."""

from __future__ import annotations

import json
from typing import TextIO
from uuid import UUID

import click

from resonanz.app.operator_commands import ACTOR, open_instance

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def mailbox() -> None:
    """Read reports and answers from a mailbox by IMAP or POP3 (docs/reports.md)."""


@mailbox.command("add")
@click.argument("protocol", type=click.Choice(["imap", "pop3"]))
@click.argument("host")
@click.option("--user", required=True, help="Whom to sign in as.")
@click.option("--password-file", type=click.File(), required=True, help="File with the password; `-`: standard input.")
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
    password_file: TextIO,
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

    settings, database = open_instance()
    try:
        row = add_mailbox(
            database,
            sealer_of(settings),
            protocol=protocol,
            host=host,
            username=user,
            password=password_file.read().rstrip("\r\n"),
            actor=ACTOR,
            now=model.now(),
            port=port or 0,
            security=security,
            folder=folder,
            then=then,
            move_to=move_to,
            others=others,
        )
    finally:
        database.close()
    click.echo(f"Added {row.id}. Try it: resonanz mailbox check {row.id}")


@mailbox.command("list")
@_as_json
def list_mailboxes(*, as_json: bool) -> None:
    """Print every mailbox, when it was looked at last, and what went wrong."""
    from resonanz.store import mailboxes as rows

    _, database = open_instance()
    try:
        with database.read() as tx:
            found = rows.list_mailboxes(tx)
    finally:
        database.close()
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
                "taken": row.taken,
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
def check(id: UUID) -> None:
    """Connect and sign in; nothing is read."""
    from resonanz.app.wiring import sealer_of
    from resonanz.ingest.mailboxes import check_mailbox

    settings, database = open_instance()
    try:
        count = check_mailbox(database, sealer_of(settings), settings.smtp_ca_file, id)
    finally:
        database.close()
    click.echo(f"It works: {count} mails lie there.")


@mailbox.command("remove")
@click.argument("id", type=click.UUID)
def remove(id: UUID) -> None:
    """Read a mailbox no more. What was recorded stays."""
    from resonanz.ingest.mailboxes import remove_mailbox

    _, database = open_instance()
    try:
        remove_mailbox(database, id)
    finally:
        database.close()
    click.echo(f"{id} is read no more.")


commands = (mailbox,)
