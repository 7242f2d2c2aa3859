"""A program for the kill test: appends without end and prints every position only after it was acknowledged."""

import asyncio
import itertools
import sys
from pathlib import Path
from uuid import UUID

from resonanz.journal import SqliteJournal
from resonanz.model import Hit, HitKind

WAITING = 40


async def main(folder: Path, first: int) -> None:
    journal = SqliteJournal.open(folder)
    numbers = itertools.count(first)

    async def append_on_and_on() -> None:
        for number in numbers:
            kind = HitKind.CLICK if number % 3 else HitKind.OPEN
            position = await journal.append(Hit(kind, UUID(int=number), number))
            print(position, number, flush=True)

    await asyncio.gather(*(append_on_and_on() for _ in range(WAITING)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
