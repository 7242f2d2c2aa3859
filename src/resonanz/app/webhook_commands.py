"""`resonanz webhooks …`: where programs of others are told of events, and what came of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from resonanz.app.instance import ACTOR, opened, opened_instance

if TYPE_CHECKING:
    from resonanz.store import Database
    from resonanz.store.webhook_endpoints import EndpointRow

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_types = click.option("--type", "types", multiple=True, help="A type of event; again for each. See `webhooks types`.")
_description = click.option("--description", help="Your own word for it.")
_who = click.option(
    "--who",
    multiple=True,
    type=click.Choice(["human", "indeterminate", "machine"]),
    help="By whom an event must be caused that has a verdict; again for each. Without: people only.",
)
_DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])


@click.group()
def webhooks() -> None:
    """Tell other programs of events (docs/webhooks.md)."""


@webhooks.command("types")
@_as_json
def types(*, as_json: bool) -> None:
    """Print every type of event; as JSON with the schema of each payload."""
    from resonanz.notify.webhooks.types import TYPES

    if as_json:
        told = [{"name": one.name, "text": one.text, "payload": one.schema} for one in TYPES.values()]
        click.echo(json.dumps(told, indent=2))
        return
    for one in TYPES.values():
        click.echo(f"{one.name:24}  {one.text}")


@webhooks.command("add")
@click.argument("url")
@_types
@_description
@_who
@click.option("--account", default="", help="Whose it is, by address. Default: the account that runs the instance.")
@click.option("--own-mail", is_flag=True, help="Only of mail that this account handed in.")
@_as_json
def add(
    url: str,
    types: tuple[str, ...],
    description: str | None,
    who: tuple[str, ...],
    account: str,
    *,
    own_mail: bool,
    as_json: bool,
) -> None:
    """Tell URL of what happens from now on, and print the secret that signs it: it is shown this once."""
    from resonanz import model
    from resonanz.app.wiring import sealer_of
    from resonanz.notify.webhooks.endpoints import DEFAULT_WHO, Wanted, add_endpoint
    from resonanz.notify.webhooks.reach import reach_of

    with opened_instance() as (settings, database):
        sides = frozenset(model.Who(side) for side in who) or DEFAULT_WHO
        fresh = add_endpoint(
            database,
            sealer_of(settings),
            reach_of(settings.webhook_private_hosts),
            Wanted(url, frozenset(types), description or "", sides, all_mail=not own_mail),
            account_id=_account(database, account),
            actor=ACTOR,
            now=model.now(),
        )
    _show_fresh(fresh.row, fresh.secret, as_json=as_json)


@webhooks.command("change")
@click.argument("id", type=click.UUID)
@click.option("--url", help="Where to tell it from now on.")
@_types
@_description
@_who
def change(id: UUID, url: str | None, types: tuple[str, ...], description: str | None, who: tuple[str, ...]) -> None:
    """Change what is given; it holds for what happens from now on."""
    from dataclasses import replace

    from resonanz.model import Who
    from resonanz.notify.webhooks.endpoints import Wanted, change_endpoint
    from resonanz.notify.webhooks.reach import reach_of

    with opened_instance() as (settings, database):
        row = _find(database, id)
        wanted = Wanted(row.url, row.types, row.description, row.who, row.all_mail)
        if url is not None:
            wanted = replace(wanted, url=url)
        if description is not None:
            wanted = replace(wanted, description=description)
        if types:
            wanted = replace(wanted, types=frozenset(types))
        if who:
            wanted = replace(wanted, who=frozenset(Who(side) for side in who))
        change_endpoint(database, reach_of(settings.webhook_private_hosts), id, wanted)
    click.echo(f"Changed {id}.")


@webhooks.command("list")
@_as_json
def list_webhooks(*, as_json: bool) -> None:
    """Print every webhook and how it is."""
    from resonanz.store.webhook_endpoints import list_endpoints

    with opened() as database, database.read() as tx:
        found = list_endpoints(tx)
    if as_json:
        click.echo(json.dumps([_told(row) for row in found], indent=2))
        return
    for row in found:
        click.echo(f"{row.id}  {_state(row)}  {row.url}  {', '.join(sorted(row.types))}")
    if not found:
        click.echo("No webhooks. Add one: resonanz webhooks add https://example.org/told --type message.opened")


@webhooks.command("deliveries")
@click.argument("id", type=click.UUID)
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--state", type=click.Choice(["waiting", "delivered", "failed", "withheld"]), help="Only these.")
@_as_json
def list_deliveries(id: UUID, limit: int, state: str | None, *, as_json: bool) -> None:
    """Print what a webhook was told, newest first, and what came of it."""
    from resonanz.store.webhook_deliveries import DeliveryState
    from resonanz.store.webhook_deliveries import list_deliveries as rows_of

    with opened() as database:
        _find(database, id)
        with database.read() as tx:
            found = rows_of(tx, id, limit=limit, state=DeliveryState(state) if state else None)
    if as_json:
        names = ("type", "state", "tries", "status", "response", "milliseconds", "failure")
        told = [
            {
                "id": str(row.id),
                "event": row.about,
                **{name: getattr(row, name) for name in names},
                **{name: _moment(getattr(row, name)) for name in ("created_at", "due_at", "tried_at")},
            }
            for row in found
        ]
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for row in found:
        what = f"answered {row.status} in {row.milliseconds} ms" if row.status else row.failure
        click.echo(f"{row.id}  {row.created_at:%Y-%m-%d %H:%M:%S}  {row.type:22}  {row.state:9}  {what}")


@webhooks.command("pause")
@click.argument("id", type=click.UUID)
def pause(id: UUID) -> None:
    """Tell it nothing until it is resumed; what happens meanwhile is told then."""
    from resonanz import model
    from resonanz.notify.webhooks import endpoints

    with opened() as database:
        endpoints.pause(database, id, why="paused from the command line", now=model.now())
    click.echo(f"Paused {id}.")


@webhooks.command("resume")
@click.argument("id", type=click.UUID)
@click.option("--from-now", is_flag=True, help="Give up what waits, and tell only what happens from now on.")
def resume(id: UUID, *, from_now: bool) -> None:
    """Go on where it stopped."""
    from resonanz.notify.webhooks import endpoints

    with opened() as database:
        endpoints.resume(database, id, from_now=from_now)
    click.echo(f"Resumed {id}.")


@webhooks.command("secret")
@click.argument("id", type=click.UUID)
@_as_json
def rotate(id: UUID, *, as_json: bool) -> None:
    """Make a new secret and print it, this once. The one before signs for another day, too."""
    from resonanz import model
    from resonanz.app.wiring import sealer_of
    from resonanz.notify.webhooks.endpoints import rotate_secret

    with opened_instance() as (settings, database):
        fresh = rotate_secret(database, sealer_of(settings), id, now=model.now())
    _show_fresh(fresh.row, fresh.secret, as_json=as_json)


@webhooks.command("test")
@click.argument("id", type=click.UUID)
def test(id: UUID) -> None:
    """Let a running worker post an event of type `webhook.test`."""
    from resonanz import model
    from resonanz.notify.webhooks.endpoints import send_test

    with opened() as database:
        send_test(database, id, now=model.now())
    click.echo(f"A worker posts it within seconds. Look: resonanz webhooks deliveries {id} --limit 1")


@webhooks.command("again")
@click.argument("id", type=click.UUID)
@click.option("--delivery", type=click.UUID, help="Only this one, whatever came of it.")
@click.option("--since", type=_DAY, help="All that failed and was made since then (UTC).")
def again(id: UUID, delivery: UUID | None, since: datetime | None) -> None:
    """Post once more what was given up."""
    from resonanz import model
    from resonanz.notify.webhooks.endpoints import send_again

    if (delivery is None) == (since is None):
        raise model.InvalidInput("give either a delivery or a time", where="--since", remedy="see --help")
    moment = since.replace(tzinfo=UTC) if since is not None else None
    with opened() as database:
        amount = send_again(database, id, now=model.now(), delivery=delivery, since=moment)
    click.echo(f"{amount} posted once more.")


@webhooks.command("remove")
@click.argument("id", type=click.UUID)
def remove(id: UUID) -> None:
    """Tell it nothing more, and forget what it was told."""
    from resonanz.notify.webhooks.endpoints import remove_endpoint

    with opened() as database:
        remove_endpoint(database, id)
    click.echo(f"Removed {id}.")


def _account(database: Database, address: str) -> UUID:
    from resonanz.mail.address import parse_address
    from resonanz.model import NotFound
    from resonanz.store import accounts

    with database.read() as tx:
        found = accounts.find_account(tx, parse_address(address).normalised) if address else accounts.first_account(tx)
    if found is None:
        raise NotFound("there is no such account", where="--account", remedy="open the set-up link first")
    return found.id


def _find(database: Database, id: UUID) -> EndpointRow:
    from resonanz.model import NotFound
    from resonanz.store.webhook_endpoints import get_endpoint

    with database.read() as tx:
        row = get_endpoint(tx, id)
    if row is None:
        raise NotFound("there is no such webhook", where="webhook")
    return row


def _show_fresh(row: EndpointRow, secret: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**_told(row), "secret": secret}, indent=2))
        return
    click.echo(f"{row.id} is told at {row.url}")
    click.echo(f"The secret, shown this once: {secret}")


def _state(row: EndpointRow) -> str:
    if row.paused_at is not None:
        return f"paused: {row.note}"
    return f"failing, {row.failures} tries in a row" if row.failures else "on"


def _told(row: EndpointRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "url": row.url,
        "description": row.description,
        "types": sorted(row.types),
        "who": sorted(row.who),
        "all_mail": row.all_mail,
        "paused_at": _moment(row.paused_at),
        "note": row.note,
        "failures": row.failures,
        "delivered_at": _moment(row.delivered_at),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


commands = (webhooks,)
