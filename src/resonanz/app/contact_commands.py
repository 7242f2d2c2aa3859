"""`resonanz contacts …`: who is written to, what they allow, and files of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID

import click

from resonanz.app.instance import ACTOR, opened

if TYPE_CHECKING:
    from resonanz.people.imports import Plan
    from resonanz.store import Database
    from resonanz.store.contacts import Contact
    from resonanz.store.imports import Import

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_purposes = click.Choice(["mailing", "opens", "clicks"])


@click.group()
def contacts() -> None:
    """Contacts: who is written to, and what they allow."""


@contacts.command("list")
@click.option("--search", default="", help="Part of an address or name.")
@click.option("--list", "list_name", help="Only who is on this list.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with every attribute; it can be imported again.")
@as_json_option
def list_contacts(search: str, list_name: str | None, limit: int | None, *, as_csv: bool, as_json: bool) -> None:
    """Print contacts, newest first; as JSON one a line."""
    from resonanz.people.exports import contacts_file
    from resonanz.people.lists import list_named

    with opened() as database:
        list_id = None
        if list_name is not None:
            with database.read() as tx:
                list_id = list_named(tx, list_name).id
        if as_csv:
            for text in contacts_file(database, search=search, list_id=list_id):
                click.echo(text, nl=False)
            return
        for one in _pages(database, search, list_id, limit):
            click.echo(json.dumps(shape(one), ensure_ascii=False) if as_json else f"{one.address}  {one.name}".rstrip())


def _pages(database: Database, search: str, list_id: UUID | None, limit: int | None) -> Iterator[Contact]:
    from resonanz.store.contacts import list_contacts

    before, left = None, limit
    while left is None or left > 0:
        wanted = 1_000 if left is None else min(left, 1_000)
        with database.read() as tx:
            rows = list_contacts(tx, limit=wanted, before=before, search=search, list_id=list_id)
        yield from rows
        if len(rows) < wanted:
            return
        before, left = rows[-1].id, None if left is None else left - len(rows)


def shape(one: Contact) -> dict[str, Any]:
    """Return a contact for `--json`, as the API shows it."""
    return {
        "id": str(one.id),
        "address": one.address,
        "name": one.name,
        "language": one.language,
        "attributes": dict(one.attributes),
        "created_at": one.created_at.isoformat(),
        "changed_at": one.changed_at.isoformat() if one.changed_at else None,
    }


@contacts.command("show")
@click.argument("address")
@as_json_option
def show_contact(address: str, *, as_json: bool) -> None:
    """Print what is known of the contact ADDRESS, what they allow, and their lists."""
    from resonanz.people import choices_in_force, reason_for
    from resonanz.people.contacts import contact_at
    from resonanz.store.lists import memberships_of

    with opened() as database, database.read() as tx:
        one = contact_at(tx, address)
        said = shape(one) | {
            "consent": choices_in_force(tx, one.id),
            "lists": [membership.list_name for membership in memberships_of(tx, one.id)],
            "suppressed": reason_for(tx, one.address),
        }
    if as_json:
        click.echo(json.dumps(said, indent=2, ensure_ascii=False))
        return
    attributes, consent = said.pop("attributes"), said.pop("consent")
    lines = said | {f"attribute {name}": value for name, value in attributes.items()}
    lines |= {f"consent to {purpose}": state or "never asked" for purpose, state in consent.items()}
    lines["lists"] = ", ".join(said["lists"])
    for name, value in lines.items():
        click.echo(f"{name:22} {'' if value is None else value}".rstrip())


@contacts.command("set")
@click.argument("address")
@click.option("--name", help="Their name; empty takes it away.")
@click.option("--language", help="A tag such as de or pt-BR.")
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="An attribute; repeat it.")
@click.option("--address", "new_address", help="Another address for this contact.")
@click.option("--list", "list_names", multiple=True, help="Put them on this list; repeat it.")
@click.option("--off-list", "off_lists", multiple=True, help="Take them off this list; repeat it.")
def set_contact(
    address: str,
    name: str | None,
    language: str | None,
    attributes: tuple[str, ...],
    new_address: str | None,
    list_names: tuple[str, ...],
    off_lists: tuple[str, ...],
) -> None:
    """Add the contact ADDRESS, or change what is known of them."""
    from resonanz import model
    from resonanz.mail.address import parse_address
    from resonanz.people.contacts import Details, add_contact, change_contact
    from resonanz.people.lists import list_named
    from resonanz.store.contacts import find_contact
    from resonanz.store.lists import add_members, remove_members

    given = dict(_pair(text, "--attribute") for text in attributes)
    details, now = Details(name, language, given), model.now()
    with opened() as database, database.write() as tx:
        known = find_contact(tx, parse_address(address).normalised)
        if known is None:
            changed = add_contact(tx, new_address or address, details, now)
        else:
            changed = change_contact(tx, known.id, details, now, address=new_address)
        for list_name in list_names:
            add_members(tx, list_named(tx, list_name).id, [changed.id], since=now, source=ACTOR)
        for list_name in off_lists:
            remove_members(tx, list_named(tx, list_name).id, [changed.id])
    click.echo(f"{'Added' if known is None else 'Changed'} {changed.address}.")


@contacts.command("consent")
@click.argument("address")
@click.option("--purpose", type=_purposes, required=True)
@click.option(
    "--state",
    type=click.Choice(["granted", "unconfirmed", "refused", "withdrawn"]),
    required=True,
    help="What they said.",
)
@click.option("--source", required=True, help="Where they said so; you may have to prove it.")
@click.option("--at", "chosen_at", type=click.DateTime(), help="When, in UTC. Default: now.")
@click.option("--text-version", default="", help="Which wording they had before them.")
def enter_consent(
    address: str, purpose: str, state: str, source: str, chosen_at: datetime | None, text_version: str
) -> None:
    """Enter what the contact ADDRESS has chosen. `contacts export` prints every choice."""
    from resonanz import model
    from resonanz.people import Choice, Purpose, enter_choice
    from resonanz.people.contacts import contact_at

    with opened() as database, database.write() as tx:
        enter_choice(
            tx,
            contact_at(tx, address).id,
            Purpose(purpose),
            Choice(state),
            now=model.now(),
            chosen_at=None if chosen_at is None else chosen_at.replace(tzinfo=UTC),
            source=source,
            text_version=text_version,
            actor=ACTOR,
        )
    click.echo(f"Recorded: {purpose} {state}.")


@contacts.command("delete")
@click.argument("address")
@click.option("--suppress", "suppressed", is_flag=True, help="Keep the address on the suppression list.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete_contact(address: str, *, suppressed: bool, yes: bool) -> None:
    """Erase the contact ADDRESS for good. Their messages stay, with a pseudonym."""
    from resonanz import model
    from resonanz.app.settings import load_settings
    from resonanz.people.contacts import contact_at
    from resonanz.sending.erasure import erase_contact
    from resonanz.sending.transports.outbox import Outbox

    outbox = Outbox(load_settings().outbox_dir)
    with opened() as database:
        with database.read() as tx:
            one = contact_at(tx, address)
        if not yes:
            click.confirm(f"Erase {one.address} and everything that names them?", abort=True)
        erased = erase_contact(
            database, one.id, outbox.forget, now=model.now(), source=ACTOR, actor=ACTOR, suppressed=suppressed
        )
    click.echo(f"Erased. {erased} messages stay without a name.")


@contacts.command("export")
@click.argument("address")
def export_contact(address: str) -> None:
    """Print everything known of the contact ADDRESS as JSON (GDPR articles 15 and 20)."""
    from resonanz import model
    from resonanz.insight.dossier import dossier
    from resonanz.people.contacts import contact_at

    with opened() as database:
        with database.read() as tx:
            one = contact_at(tx, address)
        for text in dossier(database, one.id, model.now()):
            click.echo(text, nl=False)


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@contacts.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--list", "list_names", multiple=True, help="Put everybody on this list; repeat it.")
@click.option("--map", "maps", multiple=True, metavar="COLUMN=FIELD", help="What a column is: its heading or number.")
@click.option("--encoding", default="", help="Default: told by the file.")
@click.option("--delimiter", default="", help="Default: told by the file.")
@click.option("--header/--no-header", "has_header", default=None, help="Whether the first row is a heading.")
@click.option(
    "--consent",
    "purposes",
    multiple=True,
    type=click.Choice(["mailing", "opens", "clicks"]),
    help="What they agreed to.",
)
@click.option("--consent-source", default="", help="Where they agreed; needed with --consent.")
@click.option("--consent-at", type=click.DateTime(), help="When, in UTC; needed with --consent.")
@click.option("--consent-version", default="", help="Which wording they agreed to.")
@click.option("--errors", type=click.File("w", encoding="utf-8"), help="Write the refused rows to this CSV file.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@as_json_option
def import_contacts(
    file: BinaryIO,
    list_names: tuple[str, ...],
    maps: tuple[str, ...],
    encoding: str,
    delimiter: str,
    has_header: bool | None,
    purposes: tuple[str, ...],
    consent_source: str,
    consent_at: datetime | None,
    consent_version: str,
    errors: Any,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import contacts from FILE, CSV (- for standard input). Fields: address, name, first_name, last_name, language,
    the name of an attribute, or nothing to leave a column out."""
    from resonanz import model
    from resonanz.people import Purpose, imports
    from resonanz.people.exports import refused_file
    from resonanz.people.imports import Consent, Plan
    from resonanz.people.lists import list_named
    from resonanz.store.imports import PIECE_BYTES, get_import

    now = model.now()
    consent = None
    if purposes:
        if consent_at is None:
            raise click.UsageError("--consent needs --consent-at, the moment they agreed")
        chosen = tuple(Purpose(one) for one in dict.fromkeys(purposes))
        consent = Consent(chosen, consent_source, consent_at.replace(tzinfo=UTC), consent_version)
    with opened() as database:
        with database.read() as tx:
            lists = tuple(list_named(tx, name).id for name in dict.fromkeys(list_names))
        pieces = iter(lambda: file.read(PIECE_BYTES), b"")
        one = imports.hand_in(
            database, pieces, file_name=Path(getattr(file, "name", "-")).name, account_id=None, now=now
        )
        if encoding or delimiter:
            one = imports.reread(database, one.id, encoding=encoding, delimiter=delimiter)
        plan = Plan.decode(one.plan)
        if has_header is not None:
            plan = replace(plan, form=replace(plan.form, has_header=has_header))
        plan = replace(_mapped(database, one, plan, maps), lists=lists, consent=consent)
        if dry_run:
            _say_preview(imports.preview(database, one.id, plan), as_json=as_json)
            imports.cancel(database, one.id, now)
            return
        imports.start(database, one.id, plan, now)
        while imports.take_portion(database, one.id, model.now()):
            pass
        with database.read() as tx:
            done = get_import(tx, one.id)
        assert done is not None
        if errors is not None:
            for text in refused_file(database, one.id):
                errors.write(text)
    _say_done(done, as_json=as_json)


def _mapped(database: Database, one: Import, plan: Plan, maps: tuple[str, ...]) -> Plan:
    """Follow `--map`: a column is named by its heading, or by its number from 1."""
    from resonanz.people import imports

    heading = [cell.strip().lower() for cell in imports.heading_of(database, one.id, plan)]
    columns = list(plan.columns)
    for column, field in (_pair(text, "--map") for text in maps):
        name = column.strip().lower()
        if name in heading:
            place = heading.index(name)
        elif name.isdecimal() and 1 <= int(name) <= len(columns):
            place = int(name) - 1
        else:
            raise click.UsageError(f"--map: the file has no column `{column}`")
        columns = ["" if other == field else other for other in columns]
        columns[place] = field.strip()
    return replace(plan, columns=tuple(columns))


def _say_preview(seen: Any, *, as_json: bool) -> None:
    said = {
        "columns": list(seen.plan.columns),
        "good": seen.good,
        "known": seen.known,
        "suppressed": seen.suppressed,
        "refused": seen.refused,
        "problems": dict(seen.problems),
    }
    if as_json:
        click.echo(json.dumps(said, indent=2, ensure_ascii=False))
        return
    named = seen.heading or [f"column {number}" for number in range(1, len(seen.plan.columns) + 1)]
    for column, field in zip(named, seen.plan.columns, strict=False):
        click.echo(f"{column}  →  {field or '(left out)'}")
    click.echo(
        f"{seen.good} good rows ({seen.known} known contacts, {seen.suppressed} suppressed), {seen.refused} refused"
    )
    for problem, times in seen.problems.most_common():
        click.echo(f"{times:>8}  {problem}")


def _say_done(done: Import, *, as_json: bool) -> None:
    counted = {name: getattr(done, name) for name in ("added", "updated", "unchanged", "refused", "suppressed", "kept")}
    if as_json:
        click.echo(json.dumps({"id": str(done.id), "state": done.state, **counted}, indent=2))
        return
    click.echo(
        f"{done.added} added, {done.updated} updated, {done.unchanged} unchanged, {done.refused} refused; "
        f"{done.suppressed} suppressed and {done.kept} choices against it stay as they are"
    )


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"{option} is written NAME=VALUE")
    return name.strip(), value


commands = (contacts,)
