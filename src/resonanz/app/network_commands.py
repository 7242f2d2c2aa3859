"""`resonanz networks`: what is known of networks, the operators' own rows, and the published lists."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from resonanz.ingest.judge.networks import Networks, Row

# As in the catalogue, which is not loaded for `--help`; a test compares them.
KINDS = ("mail_proxy", "apple_egress", "scanner", "security", "provider", "preview", "hosting", "people")
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def networks() -> None:
    """The networks of mail proxies, security gateways and clouds that verdicts lean on."""


def _folder() -> Path:
    from resonanz.app.settings import load_settings

    return load_settings().networks_dir


@networks.command("list")
@click.option("--own", is_flag=True, help="Only the rows added here.")
@_json_option
def list_(*, own: bool, as_json: bool) -> None:
    """Show every row with its source and date, and how many ranges each list holds."""
    from resonanz.ingest.judge.networks import OWN_FILE, Networks, read_rows

    folder = _folder()
    catalogue = Networks(folder)
    added = {row.range for row in read_rows(folder / OWN_FILE)}
    shown = [row for row in catalogue.rows if row.range in added or not own]
    if as_json:
        click.echo(json.dumps([_as_json(row, catalogue, added) for row in shown], indent=2, ensure_ascii=False))
        return
    for row in shown:
        said = _as_json(row, catalogue, added)
        held = f"{said['ranges']} ranges of {said['ranges_as_of']}" if row.list else row.as_of
        marks = "".join((" (own)" if said["own"] else "", f" ({row.state})" if row.state != "on" else ""))
        click.echo(f"{row.range:24} {row.kind:12} {row.name}{marks}; {held}")


def _as_json(row: Row, catalogue: Networks, added: set[str]) -> dict[str, object]:
    from resonanz.ingest.ranges import read_ranges

    said: dict[str, object] = {**asdict(row), "own": row.range in added}
    if row.list:
        path = catalogue.table_of(row.list)
        table = read_ranges(path) if path is not None else None
        said["ranges"] = len(table) if table is not None else 0
        said["ranges_as_of"] = table.as_of if table is not None else None
    return said


@networks.command()
@_json_option
def update(*, as_json: bool) -> None:
    """Fetch the lists that companies publish. One that fails leaves its old one in force; then the exit code is 1.

    A running worker takes the new lists up by itself.
    """
    from resonanz import model
    from resonanz.ingest.judge.networks import update as update_lists
    from resonanz.outbound import fetch

    outcomes = update_lists(_folder(), fetch=fetch, today=model.now().date())
    if as_json:
        click.echo(json.dumps([asdict(outcome) for outcome in outcomes], indent=2))
    else:
        for outcome in outcomes:
            told = f"kept the old one: {outcome.failure}" if outcome.failure else f"{outcome.ranges:,} ranges"
            click.echo(f"{outcome.name:16} {told}")
    if any(outcome.failure for outcome in outcomes):
        raise SystemExit(1)


@networks.command()
@click.argument("range_", metavar="RANGE")
@click.option("--name", required=True, help="What it is called in lists and reasons.")
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    required=True,
    help="`scanner` decides by itself, `security` and `hosting` only add to other evidence; `people`: readers sit "
    "here, whatever else is known of it.",
)
@click.option("--owner", default="", help="Who runs it, in a word; default: the name.")
@click.option("--shadow", is_flag=True, help="Only show what the row would change.")
@click.option("--source", default="added by hand", show_default=True, help="Who says so.")
def add(range_: str, name: str, kind: str, owner: str, source: str, *, shadow: bool) -> None:
    """Add a row: RANGE is a block such as 192.0.2.0/24, or asn:64496. It takes the place of any row for that range."""
    from resonanz import model
    from resonanz.ingest.judge.networks import (
        OWN_FILE,
        Row,
        RowState,
        changed,
        normalised_range,
        read_rows,
        write_rows,
    )

    state = RowState.SHADOW if shadow else RowState.ON
    today = model.now().date().isoformat()
    row = Row(normalised_range(range_), owner or name, name, kind, state, source, today)
    file = _folder() / OWN_FILE
    write_rows(file, changed(read_rows(file), row))
    click.echo(f"Added {row.range}: {row.name}, {row.kind}{', in shadow' if shadow else ''}.")


@networks.command()
@click.argument("range_", metavar="RANGE")
def remove(range_: str) -> None:
    """Remove a row. One of the catalogue's own is switched off; remove it again to have it back."""
    from resonanz.ingest.judge.networks import OWN_FILE, Networks, normalised_range, read_rows, without, write_rows

    range_, file = normalised_range(range_), _folder() / OWN_FILE
    own = read_rows(file)
    kept = without(own, Networks().rows, range_)
    write_rows(file, kept)
    click.echo(f"{'Switched off' if len(kept) > len(own) else 'Removed'} {range_}.")


commands: tuple[click.Command, ...] = (networks,)
