"""`resonanz provider …` and `resonanz strays`: whose webhooks are let in, and reports that became no fact."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TextIO
from uuid import UUID

import click

from resonanz.app.instance import ACTOR, opened, opened_instance

if TYPE_CHECKING:
    from resonanz.app.settings import Settings
    from resonanz.ingest.providers import Added

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_secret = click.option(
    "--secret-file", type=click.File(), help="File with the secret that the provider shows; `-` is standard input."
)


@click.group()
def provider() -> None:
    """Let providers report what became of each mail (docs/providers.md)."""


@provider.command("add")
@click.argument("name")
@click.option("--label", default="", help="Your own word for it.")
@_secret
@_as_json
def add(name: str, label: str, secret_file: TextIO | None, *, as_json: bool) -> None:
    """Make an address for the webhooks of NAME: ses, sendgrid, mailgun, postmark, brevo, mailjet, sparkpost, mandrill,
    resend, mailersend or postal."""
    from resonanz import model
    from resonanz.app.wiring import sealer_of
    from resonanz.ingest.providers import add_provider

    secret = secret_file.read() if secret_file is not None else ""
    with opened_instance() as (settings, database):
        sealer = sealer_of(settings)
        added = add_provider(database, sealer, name, label=label, secret=secret, actor=ACTOR, now=model.now())
    _show(settings, added, as_json=as_json)


@provider.command("secret")
@click.argument("id", type=click.UUID)
@_secret
@_as_json
def secret(id: UUID, secret_file: TextIO | None, *, as_json: bool) -> None:
    """Set a new secret; the one before is believed for another day. Without a file a password is made, where the
    provider signs nothing."""
    from resonanz import model
    from resonanz.app.wiring import sealer_of
    from resonanz.ingest.providers import set_secret

    given = secret_file.read() if secret_file is not None else ""
    with opened_instance() as (settings, database):
        added = set_secret(database, sealer_of(settings), id, secret=given, now=model.now())
    _show(settings, added, as_json=as_json)


@provider.command("list")
@_as_json
def list_providers(*, as_json: bool) -> None:
    """Print every provider with its address and what came last."""
    from resonanz.ingest.providers import address
    from resonanz.store import providers as rows

    with opened_instance() as (settings, database), database.read() as tx:
        found = rows.list_providers(tx)
    if as_json:
        told = [
            {
                "id": str(row.id),
                "provider": row.provider,
                "label": row.label,
                "address": address(settings.dashboard_url, row.id),
                "has_secret": row.secrets is not None,
                "taken": row.taken,
                "kept": row.kept,
                "last_at": row.last_at.isoformat() if row.last_at else None,
                "refusal": row.refusal,
            }
            for row in found
        ]
        click.echo(json.dumps(told, indent=2))
        return
    for row in found:
        heard = f"last heard of {row.last_at:%Y-%m-%d %H:%M} UTC" if row.last_at else "nothing heard yet"
        state = heard if row.secrets is not None else "no secret: nothing is let in"
        click.echo(f"{row.id}  {row.provider:10}  {row.label}  {state}  {row.taken} taken, {row.kept} kept")
    if not found:
        click.echo("No providers. Add one: resonanz provider add sendgrid")


@provider.command("remove")
@click.argument("id", type=click.UUID)
def remove(id: UUID) -> None:
    """Let nothing more in from a provider. What was recorded stays."""
    from resonanz.ingest.providers import remove_provider

    with opened() as database:
        remove_provider(database, id)
    click.echo(f"Nothing more is let in at {id}.")


@click.command()
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many of the newest.")
@_as_json
def strays(limit: int, *, as_json: bool) -> None:
    """Print reports that became no fact: about no mail of ours, of a kind nobody knows, or unreadable."""
    from resonanz.store.strays import count_strays, list_strays

    with opened() as database, database.read() as tx:
        counted, found = count_strays(tx), list_strays(tx, limit=limit)
    if as_json:
        told = [
            {
                "id": one.id,
                "source": one.source,
                "reason": one.reason,
                "kind": one.kind,
                "recipient": one.recipient,
                "received_at": one.received_at.isoformat(),
                "body": one.body.decode("utf-8", "replace"),
            }
            for one in found
        ]
        click.echo(json.dumps({"total": sum(counted.values()), "strays": told}, indent=2))
        return
    for (source, reason), amount in sorted(counted.items()):
        click.echo(f"{amount:6}  {source}  {reason}")
    for one in found:
        click.echo(f"{one.received_at:%Y-%m-%d %H:%M}  {one.source}  {one.reason}  {one.kind!r}  {one.recipient!r}")
    if not counted:
        click.echo("None: every report became a fact.")


def _show(settings: Settings, added: Added, *, as_json: bool) -> None:
    from resonanz.ingest.providers import PROVIDERS, address

    plain = address(settings.dashboard_url, added.row.id)
    shown = f"{plain}/{added.password}" if added.password else plain
    if as_json:
        told = {"id": str(added.row.id), "provider": added.row.provider, "address": shown}
        click.echo(json.dumps(told | {"has_secret": added.row.secrets is not None}, indent=2))
        return
    found = PROVIDERS[added.row.provider]
    click.echo(f"Let {found.title} post its events to:\n\n{shown}\n")
    if added.password:
        click.echo("The password in it is shown this once.")
    elif added.row.secrets is None:
        click.echo(f"Nothing is let in until its secret is set ({found.shown}):")
        click.echo(f"resonanz provider secret {added.row.id} --secret-file FILE")


commands = (provider, strays)
