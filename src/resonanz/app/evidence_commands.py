"""Evidence weighed on the command line, over files: which program a user agent is, how many opened a mail.

Needs no database and no server.

What these commands print is an interface: programs hold them against data. Fields may be added, never renamed.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

import click

if TYPE_CHECKING:
    from resonanz.insight.estimate import Reader
    from resonanz.insight.rates import Interval


@click.command()
@click.argument("files", nargs=-1, type=click.File("rb"), metavar="[FILE]…")
def client(files: Sequence[BinaryIO]) -> None:
    """Tell which program each user agent is: one a line in, from FILE or standard input, one line of JSON each out."""
    from resonanz.ingest.judge.clients import identify

    for line in _lines(files):
        found = identify(line.decode("utf-8", "replace")).client
        click.echo(json.dumps({"kind": found.kind, "name": found.name, "os": found.os, "device": found.device}))


@click.command()
@click.argument("file", type=click.File("rb"))
def estimate(file: BinaryIO) -> None:
    """Estimate how many opened a mail. FILE (- for standard input) has one line of JSON per recipient it reached.

    Each says `recipient`, `class` (direct, proxied, privacy or unknown), `open` (an image was fetched for a person) and
    `click` (a person followed a link). Of several lines for one recipient, what any of them saw counts.
    """
    from resonanz.insight.estimate import estimate as estimate_opens
    from resonanz.insight.estimate import tally

    found = estimate_opens(tally(_readers(file)))
    click.echo(
        json.dumps(
            {
                "delivered": found.delivered,
                "seen": found.seen,
                "possible": found.possible,
                "estimate": None if found.estimate is None else round(found.estimate),
                "interval": _whole(found.interval),
                "sensitivity": _whole(found.sensitivity),
                "indeterminate": found.indeterminate,
                "refused": None if found.refused is None else str(found.refused),
            }
        )
    )


def _readers(file: BinaryIO) -> Iterable[Reader]:
    """Read the recipients. Raises InvalidInput that names the line."""
    from resonanz.insight.estimate import Reader, ReaderClass
    from resonanz.model import InvalidInput

    readers: dict[str, Reader] = {}
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            recipient, opened, clicked = row["recipient"], row["open"], row["click"]
            reads = ReaderClass(row["class"])
            if not (isinstance(recipient, str) and isinstance(opened, bool) and isinstance(clicked, bool)):
                raise TypeError
        except (ValueError, KeyError, TypeError, RecursionError):
            raise InvalidInput(
                "not a recipient",
                where=f"line {number}",
                remedy='write {"recipient": "…", "class": "direct", "open": true, "click": false}; classes are '
                + ", ".join(ReaderClass),
            ) from None
        before = readers.get(recipient)
        if before is not None:
            reads = before.reads if reads is ReaderClass.UNKNOWN else reads
            opened, clicked = opened or before.opened, clicked or before.clicked
        readers[recipient] = Reader(reads, opened, clicked)
    return readers.values()


def _whole(interval: Interval | None) -> list[int] | None:
    """Return an interval in whole people: who is half in is in."""
    return None if interval is None else [math.floor(interval.low), math.ceil(interval.high)]


def _lines(files: Sequence[BinaryIO]) -> Iterator[bytes]:
    """Yield every line of the files, or of standard input, without its end."""
    for file in files or [sys.stdin.buffer]:
        for line in file:
            yield line.rstrip(b"\r\n")


commands: tuple[click.Command, ...] = (client, estimate)
