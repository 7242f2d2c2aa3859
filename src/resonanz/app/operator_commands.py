"""The command line of whoever runs an instance: blocking what should never have gone out."""

from __future__ import annotations

import json
from uuid import UUID

import click

from resonanz.app.instance import ACTOR, opened

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

    with opened() as database:
        decide(database, submission_id, reason=reason, actor=ACTOR, now=model.now())
    click.echo(f"Blocked {submission_id}. Running edges know within seconds, as long as a worker runs.")


@submission.command()
@click.argument("submission_id", type=click.UUID)
@_reason
def unblock(submission_id: UUID, reason: str) -> None:
    """Let them lead to their pages again, and send what was held back."""
    from resonanz import model
    from resonanz.sending.blocking import unblock as decide

    with opened() as database:
        decide(database, submission_id, reason=reason, actor=ACTOR, now=model.now())
    click.echo(f"Unblocked {submission_id}.")


@submission.command("blocked")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_blocked(*, as_json: bool) -> None:
    """Print which submissions are blocked, the last one first."""
    from resonanz.store import blocks

    with opened() as database, database.read() as tx:
        found = blocks.in_force(tx)
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
