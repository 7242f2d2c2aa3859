"""The judge on the command line: traces in, verdicts out. Needs no database and no server.

What `judge` reads and writes is an interface: programs are held against it. Fields may be added, never renamed.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from resonanz.model import InvalidInput, now

if TYPE_CHECKING:
    from resonanz.app.settings import Settings
    from resonanz.ingest.judge import Windows


@click.command()
@click.argument("trace", type=click.File("r", encoding="utf-8-sig", errors="replace"), metavar="TRACE.jsonl")
@click.option("--windows", "changed", metavar="JSON", help="Change windows: a JSON object, or the name of a file.")
@click.option("--at", "moment", type=float, help="Judge as of so many seconds after sending. Default: long after.")
def judge(trace: IO[str], changed: str | None, moment: float | None) -> None:
    """Judge the hits of a trace, one JSON object a line (- for standard input): who opened, who clicked, and why.

    Prints one line for each open, click and unsubscribe, then one for each message. Lines that cannot be read are told
    on standard error, by number; the others are judged, and the exit code is 1.
    """
    from resonanz.app.settings import load_settings
    from resonanz.ingest.judge.networks import Networks
    from resonanz.ingest.judge.trace import read_trace
    from resonanz.ingest.judge.verdict_lines import judge_trace
    from resonanz.ingest.judge.windows import microseconds

    windows = _windows(changed)
    read = read_trace(trace, Networks(load_settings().networks_dir).classify)
    for bad in read.bad:
        click.echo(f"resonanz: line {bad.number}: {bad.what}", err=True)
    for line in judge_trace(read, windows, now=None if moment is None else microseconds(moment)):
        click.echo(json.dumps(line, ensure_ascii=False))
    if read.bad:
        raise SystemExit(1)


def _windows(changed: str | None) -> Windows:
    from resonanz.ingest.judge import Windows

    if changed is None:
        return Windows()
    text = changed
    if not changed.lstrip().startswith("{"):
        try:
            text = Path(changed).read_text("utf-8")
        except OSError as error:
            raise InvalidInput(
                f"cannot be read: {error.strerror or error}", where=changed, remedy="give an object: '{\"sweep\": 20}'"
            ) from None
    try:
        values: Any = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise InvalidInput("not a JSON object", where="--windows", remedy="for example '{\"sweep\": 20}'")
    return Windows.of(values)


def _moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    """Read a day or a time; without a zone it is UTC."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("not a day or time such as 2026-03-18 or 2026-03-18T12:00") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


_since_option = click.option("--since", callback=_moment, metavar="TIME", help="Only what came in since; UTC.")
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@_since_option
@_json_option
def rejudge(since: datetime | None, *, as_json: bool) -> None:
    """Judge the past anew, by today's rules, windows and networks, as far as its evidence is kept.

    What changes is told like every correction. A second run changes nothing.
    """
    from resonanz.app.wiring import database_of, judging_of, networks_of
    from resonanz.ingest.rejudge import rejudge as judge_anew

    settings = _start("rejudge")
    database = database_of(settings)
    try:
        summary = judge_anew(database, judging_of(settings, networks_of(settings)), now(), since=since)
    finally:
        database.close()
    moved = [{"was": was, "is": became, "events": amount} for (was, became), amount in sorted(summary.moved.items())]
    if as_json:
        said = {"looked_at": summary.looked_at, "moved": moved, "reworded": summary.reworded}
        click.echo(json.dumps({**said, "forgotten": summary.forgotten}, indent=2))
        return
    click.echo(f"{summary.looked_at:>10,}  hits looked at")
    for move in moved:
        click.echo(f"{move['events']:>10,}  {move['was']} → {move['is']}")
    if not moved:
        click.echo(f"{0:>10,}  verdicts changed")
    if summary.reworded:
        click.echo(f"{summary.reworded:>10,}  got other reasons or another confidence for the same verdict")
    if summary.forgotten:
        click.echo(f"{summary.forgotten:>10,}  keep the verdict they have: who asked has been forgotten since")


@click.command()
@click.option("--past", is_flag=True, help="Try it on all hits whose evidence is kept, instead of what was counted.")
@click.option("--reset", is_flag=True, help="Begin to count anew.")
@_since_option
@_json_option
def shadow(since: datetime | None, *, past: bool, reset: bool, as_json: bool) -> None:
    """Show what networks and rules in shadow would change: counted since they are, or tried on the past.

    A network is put in shadow with `resonanz networks add … --shadow`, a rule with RESONANZ_SHADOW_RULES.
    """
    from resonanz.app.wiring import database_of, judging_of, networks_of
    from resonanz.ingest.shadow import try_shadow
    from resonanz.store.shadows import clear_shadows, list_shadows

    settings = _start("shadow")
    database = database_of(settings)
    try:
        if past:
            found = try_shadow(database, judging_of(settings, networks_of(settings)), now(), since=since)
        else:
            with database.write() as tx:
                found = Counter(list_shadows(tx))
                if reset:
                    clear_shadows(tx)
    finally:
        database.close()
    rows = [
        {"name": name, "was": was.value, "would_be": would.value, "events": amount}
        for (name, was, would), amount in sorted(found.items())
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['events']:>10,}  {row['name']}: {row['was']} → {row['would_be']}")
    if not rows:
        click.echo("Nothing in shadow would have changed anything.")


def _start(name: str) -> Settings:
    from resonanz.app.logs import configure_logs
    from resonanz.app.settings import load_settings

    settings = load_settings()
    configure_logs(name, form=settings.log_format, level=settings.log_level)
    return settings


commands = (judge, rejudge, shadow)
