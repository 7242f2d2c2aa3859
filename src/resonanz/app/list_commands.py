"""`resonanz lists …`, `suppression …` and `attributes …`."""

from __future__ import annotations

import json

import click

from resonanz.app.contact_commands import as_json_option
from resonanz.app.instance import ACTOR, opened


@click.group()
def lists() -> None:
    """Lists of contacts."""


@lists.command("create")
@click.argument("name")
@click.option("--description", default="", help="What it is for.")
@click.option("--marketing/--no-marketing", default=True, show_default=True, help="Whether mail to it needs consent.")
def create_list(name: str, description: str, *, marketing: bool) -> None:
    """Create the list NAME."""
    from resonanz import model
    from resonanz.people.lists import create_list as create

    with opened() as database, database.write() as tx:
        made = create(tx, name, description=description, is_marketing=marketing, now=model.now())
    click.echo(f"Created {made.name}.")


@lists.command("list")
@as_json_option
def list_lists(*, as_json: bool) -> None:
    """Print every list with the number of its members."""
    from resonanz.store.lists import list_lists as every

    with opened() as database, database.read() as tx:
        found = every(tx)
    if as_json:
        said = [
            {
                "id": str(one.id),
                "name": one.name,
                "description": one.description,
                "is_marketing": one.is_marketing,
                "members": members,
            }
            for one, members in found
        ]
        click.echo(json.dumps(said, indent=2, ensure_ascii=False))
        return
    for one, members in found:
        click.echo(f"{members:>9}  {one.name}{'' if one.is_marketing else '  (not marketing)'}")


@lists.command("show")
@click.argument("name")
@as_json_option
@click.pass_context
def show_list(ctx: click.Context, name: str, *, as_json: bool) -> None:
    """Print who is on the list NAME, newest contacts first."""
    from resonanz.app.contact_commands import list_contacts

    ctx.invoke(list_contacts, list_name=name, search="", limit=None, as_csv=False, as_json=as_json)


@lists.command("delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete_list(name: str, *, yes: bool) -> None:
    """Delete the list NAME; who is on it stays a contact."""
    from resonanz.people.lists import delete_list as delete
    from resonanz.people.lists import list_named

    with opened() as database:
        with database.read() as tx:
            one = list_named(tx, name)
        if not yes:
            click.confirm(f"Delete the list {one.name}?", abort=True)
        with database.write() as tx:
            delete(tx, one.id)
    click.echo(f"Deleted {one.name}.")


# ── Suppression ─────────────────────────────────────────────────────────────────────────────────────────────────────


@click.group()
def suppression() -> None:
    """Addresses that get no mail, and why."""


@suppression.command("list")
@click.option("--search", default="", help="Part of an address.")
@as_json_option
def list_suppressed(search: str, *, as_json: bool) -> None:
    """Print every suppressed address; as JSON one a line."""
    from resonanz.store.suppressions import list_suppressions

    with opened() as database:
        after = ""
        while True:
            with database.read() as tx:
                rows = list_suppressions(tx, limit=1_000, after=after, search=search)
            for row in rows:
                said = {
                    "address": row.address,
                    "reason": row.reason,
                    "since": row.since.isoformat(),
                    "source": row.source,
                    "note": row.note,
                }
                click.echo(
                    json.dumps(said, ensure_ascii=False)
                    if as_json
                    else f"{row.address}  {row.reason}  {row.since:%Y-%m-%d}"
                )
            if len(rows) < 1_000:
                return
            after = rows[-1].address


@suppression.command("show")
@click.argument("address")
def show_suppressed(address: str) -> None:
    """Print how ADDRESS came on the list, and off it."""
    from resonanz.mail.address import parse_address
    from resonanz.store.suppressions import changes_of, find_suppression

    normalised = parse_address(address).normalised
    with opened() as database, database.read() as tx:
        row, changes = find_suppression(tx, normalised), changes_of(tx, normalised)
    click.echo("not suppressed" if row is None else f"suppressed: {row.reason} since {row.since.isoformat()}")
    for one in changes:
        click.echo(
            f"{one.occurred_at.isoformat()}  {one.change}  {one.reason}  {one.source}  {one.actor}  {one.note}".rstrip()
        )


@suppression.command("add")
@click.argument("address")
@click.option("--note", default="", help="Why; kept with it.")
def add_suppressed(address: str, note: str) -> None:
    """Send nothing to ADDRESS any more, also not what is queued."""
    from resonanz import model
    from resonanz.mail.address import parse_address
    from resonanz.people import Reason, suppress

    normalised = parse_address(address).normalised
    with opened() as database, database.write() as tx:
        is_new = suppress(tx, normalised, Reason.MANUAL, now=model.now(), source=ACTOR, note=note, actor=ACTOR)
    click.echo(
        f"{normalised} {'gets no mail any more' if is_new else 'was suppressed already; its first reason stays'}."
    )


@suppression.command("remove")
@click.argument("address")
@click.option("--note", required=True, help="Why it may be written to again; kept in its history.")
def remove_suppressed(address: str, note: str) -> None:
    """Let ADDRESS be written to again."""
    from resonanz import model
    from resonanz.mail.address import parse_address
    from resonanz.people import restore

    normalised = parse_address(address).normalised
    with opened() as database, database.write() as tx:
        was_on = restore(tx, normalised, now=model.now(), source=ACTOR, note=note, actor=ACTOR)
    if not was_on:
        raise click.ClickException(f"{normalised} is not suppressed")
    click.echo(f"{normalised} may be written to again.")


# ── Attributes ──────────────────────────────────────────────────────────────────────────────────────────────────────


@click.group()
def attributes() -> None:
    """What is to be known of contacts, beside address, name and language."""


@attributes.command("list")
@as_json_option
def list_attributes(*, as_json: bool) -> None:
    """Print every attribute."""
    from resonanz.people.attributes import attributes_of

    with opened() as database, database.read() as tx:
        found = attributes_of(tx).values()
    if as_json:
        said = [{"name": one.name, "label": one.label, "kind": one.kind, "choices": list(one.choices)} for one in found]
        click.echo(json.dumps(said, indent=2, ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one.name:24} {one.kind:8} {one.label}{': ' if one.choices else ''}{', '.join(one.choices)}")


@attributes.command("add")
@click.argument("name")
@click.option("--kind", type=click.Choice(["text", "number", "date", "yes_no", "choice"]), default="text")
@click.option("--label", default="", help="How pages call it. Default: its name.")
@click.option("--choice", "choices", multiple=True, help="A value of a choice; repeat it.")
def add_attribute(name: str, kind: str, label: str, choices: tuple[str, ...]) -> None:
    """Define the attribute NAME, as placeholders write it."""
    from resonanz import model
    from resonanz.people.attributes import Kind, define

    with opened() as database, database.write() as tx:
        define(tx, name, label=label, kind=Kind(kind), choices=choices, now=model.now())
    click.echo(f"Defined {name}.")


@attributes.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove_attribute(name: str, *, yes: bool) -> None:
    """Remove the attribute NAME, with its value in every contact."""
    from resonanz.people.attributes import remove

    if not yes:
        click.confirm(f"Remove {name} and what contacts have there?", abort=True)
    with opened() as database, database.write() as tx:
        remove(tx, name)
    click.echo(f"Removed {name}.")


commands = (lists, suppression, attributes)
