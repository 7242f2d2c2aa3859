"""The judge on the command line: traces in, verdicts out. Needs no database and no server.

What `judge` reads and writes is an interface: programs are held against it. Fields may be added, never renamed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from resonanz.model import InvalidInput

if TYPE_CHECKING:
    from resonanz.ingest.judge import Windows


@click.command()
@click.argument("trace", type=click.File("r", encoding="utf-8", errors="replace"), metavar="TRACE.jsonl")
@click.option("--windows", "changed", metavar="JSON", help="Change windows: a JSON object, or the name of a file.")
@click.option("--at", "moment", type=float, help="Judge as of so many seconds after sending. Default: long after.")
def judge(trace: IO[str], changed: str | None, moment: float | None) -> None:
    """Judge the hits of a trace, one JSON object a line (- for standard input): who opened, who clicked, and why.

    Prints one line for each open, click and unsubscribe, then one for each message. Lines that cannot be read are told
    on standard error, by number; the others are judged, and the exit code is 1.
    """
    from resonanz.app.settings import load_settings
    from resonanz.ingest.judge.networks import Networks
    from resonanz.ingest.judge.trace import judge_trace, read_trace
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


commands = (judge,)
