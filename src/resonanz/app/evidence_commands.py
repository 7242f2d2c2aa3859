"""The judge's parts on the command line, over files: which program a user agent is. Needs no database and no server.

What these commands print is an interface: programs hold them against data. Fields may be added, never renamed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import click


@click.command()
@click.argument("files", nargs=-1, type=click.File("rb"), metavar="[FILE]…")
def client(files: Sequence[BinaryIO]) -> None:
    """Tell which program each user agent is: one a line in, from FILE or standard input, one line of JSON each out."""
    from resonanz.ingest.judge.clients import identify

    for line in _lines(files):
        found = identify(line.decode("utf-8", "replace")).client
        click.echo(json.dumps({"kind": found.kind, "name": found.name, "os": found.os, "device": found.device}))


def _lines(files: Sequence[BinaryIO]) -> Iterator[bytes]:
    """Yield every line of the files, or of standard input, without its end."""
    for file in files or [sys.stdin.buffer]:
        for line in file:
            yield line.rstrip(b"\r\n")


commands: tuple[click.Command, ...] = (client,)
