"""`resonanz journal …`: the hits that have not become facts, in the journals or set aside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from resonanz import model

if TYPE_CHECKING:
    from resonanz.app.settings import Settings
    from resonanz.store.aside import AsideRow

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, one hit a line.")


@click.group()
def journal() -> None:
    """The hits that have not become facts: in the journals, or set aside."""


@journal.command("dump")
@_as_json
def dump(*, as_json: bool) -> None:
    """Print every hit that is in the journals right now, oldest first within each. They hold personal data."""
    from resonanz.journal import JournalReader

    reader = JournalReader(_settings().journal_dir)
    for name in reader.journals():
        position = 0
        while entries := reader.read(name, position, 1000):
            position = entries[-1].position
            for entry in entries:
                _show(entry, {}, as_json=as_json)


@journal.command("aside")
@_as_json
def aside(*, as_json: bool) -> None:
    """Print every hit that could not be turned into a fact, and what sort of failure kept it. Personal data again."""
    from resonanz.journal import decode

    for row in _rows_aside():
        entry = model.JournalEntry(row.journal, row.position, decode(row.hit)[0])
        _show(entry, {"error": row.error, "set_aside_at": row.set_aside_at.isoformat()}, as_json=as_json)


@journal.command("retry")
def retry() -> None:
    """Try the hits that were set aside again, after an upgrade that put right what was wrong.

    Exit code 1 when some stay.
    """
    from resonanz.app.wiring import database_of, judging_of, networks_of, own_sites_of
    from resonanz.ingest import retry_aside

    settings = _settings()
    database = database_of(settings)
    try:
        judging = judging_of(settings, networks_of(settings))
        settled, stay = retry_aside(database, now=model.now, sites=own_sites_of(settings), judging=judging)
    finally:
        database.close()
    click.echo(f"{settled} settled, {stay} stay aside")
    raise SystemExit(bool(stay))


def _rows_aside() -> Iterator[AsideRow]:
    from resonanz.app.wiring import database_of
    from resonanz.store.aside import list_aside

    database = database_of(_settings())
    try:
        after = ("", 0)
        while True:
            with database.read() as tx:
                rows = list_aside(tx, after)
            if not rows:
                return
            yield from rows
            after = (rows[-1].journal, rows[-1].position)
    finally:
        database.close()


def _show(entry: model.JournalEntry, more: dict[str, str], *, as_json: bool) -> None:
    hit = entry.hit
    moment = model.from_microseconds(hit.occurred_us).isoformat()
    if not as_json:
        note = f"  {more['error']}" if more else ""
        click.echo(f"{entry.journal[:8]} {entry.position:>10}  {moment}  {hit.kind.value:12} {hit.id}{note}")
        return
    told: dict[str, Any] = {
        "journal": entry.journal,
        "position": entry.position,
        "kind": hit.kind.value,
        "occurred_at": moment,
        "id": str(hit.id),
        "anonymous": hit.anonymous,
        "link": hit.link,
        "destination": hit.destination,
        "method": hit.method,
        "address": hit.address,
        "user_agent": hit.user_agent,
        "headers": dict(hit.headers),
        "body": hit.body,
        **more,
    }
    click.echo(json.dumps(told))


def _settings() -> Settings:
    from resonanz.app.logs import configure_logs
    from resonanz.app.settings import load_settings

    settings = load_settings()
    configure_logs("journal", form=settings.log_format, level=settings.log_level)
    return settings


commands = (journal,)
