"""The command line of whoever runs an instance: blocking what should never have gone out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID

import click

if TYPE_CHECKING:
    from resonanz.app.settings import Settings
    from resonanz.store import Database

ACTOR = "command line"


def open_instance() -> tuple[Settings, Database]:
    """Read the settings, set up the logs, and open the database."""
    from resonanz.app.logs import configure_logs
    from resonanz.app.settings import load_settings
    from resonanz.app.wiring import database_of

    settings = load_settings()
    configure_logs("operator", form=settings.log_format, level=settings.log_level)
    return settings, database_of(settings)


_reason = click.option("--reason", required=True, help="Why; kept with the decision.")


@click.group()
def submission() -> None:
    """Block the links of a mail that should never have gone out."""


@submission.command()
@click.argument("submission_id", type=click.UUID)
@_reason
def block(submission_id: UUID, reason: str) -> None:
    """Let links and documents of all mails of a submission lead nowhere, and hold back what was not sent yet."""
    from resonanz import model
    from resonanz.sending.blocking import block as decide

    _, database = open_instance()
    try:
        decide(database, submission_id, reason=reason, actor=ACTOR, now=model.now())
    finally:
        database.close()
    click.echo(f"Blocked {submission_id}. Running edges know within seconds, as long as a worker runs.")


@submission.command()
@click.argument("submission_id", type=click.UUID)
@_reason
def unblock(submission_id: UUID, reason: str) -> None:
    """Let them lead to their pages again, and send what was held back."""
    from resonanz import model
    from resonanz.sending.blocking import unblock as decide

    _, database = open_instance()
    try:
        decide(database, submission_id, reason=reason, actor=ACTOR, now=model.now())
    finally:
        database.close()
    click.echo(f"Unblocked {submission_id}.")


@submission.command("blocked")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_blocked(*, as_json: bool) -> None:
    """Print which submissions are blocked, the last one first."""
    from resonanz.store import blocks

    _, database = open_instance()
    try:
        with database.read() as tx:
            found = blocks.in_force(tx)
    finally:
        database.close()
    if as_json:
        click.echo(
            json.dumps(
                [
                    {
                        "submission": str(one.submission_id),
                        "since": one.occurred_at.isoformat(),
                        "by": one.actor,
                        "reason": one.reason,
                    }
                    for one in found
                ],
                indent=2,
                ensure_ascii=False,
            )
        )
        return
    for one in found:
        click.echo(f"{one.submission_id}  {one.occurred_at:%Y-%m-%d %H:%M}  {one.actor}: {one.reason}")


commands = (submission,)
