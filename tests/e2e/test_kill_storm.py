"""SIGKILL under load, again and again: what was answered is in the facts, once, and every total agrees with them."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from pathlib import Path

import pytest

from resonanz.journal import JournalReader
from resonanz.store import open_database
from resonanz.tokens import load_keys
from tests.kit.instance import START_SECONDS
from tests.kit.readers import Readers, check_facts, is_taken_over, write_mails
from tests.kit.roles import Roles
from tests.kit.waiting import until, wait_for

KILLS = {"edge": 20, "edge 1": 18, "worker": 9, "app": 3}  # the edges are what loses, if anything does
BETWEEN = 30  # answers between two kills, at most


async def storm(roles: Roles, readers: Readers, chance: random.Random) -> None:
    """Kill one role after the other in random order, wherever each happens to be, and start it again at once."""
    victims = [role for role, times in KILLS.items() for _ in range(times)]
    chance.shuffle(victims)
    rising: dict[str, asyncio.Task[None]] = {}

    async def rise(role: str) -> None:
        roles.launch(role)
        await until(lambda: roles.is_well(role), f"{role} to be well again", seconds=START_SECONDS)

    for role in victims:
        answers = readers.total + chance.randint(1, BETWEEN)
        await until(lambda answers=answers: readers.total >= answers, "further answers", seconds=60)  # type: ignore[misc]
        if role in rising:
            await rising[role]
        roles.kill(role)
        rising[role] = asyncio.create_task(rise(role))
    await asyncio.gather(*rising.values())


@pytest.mark.timeout(900)  # fifty starts of a process, on a machine that may be busy
def test_a_storm_of_kills_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Roles killed at random moments under load: every answered hit is a fact, once, repeats included.

    A request without an answer is a fact at most once. Counters, states and rollup are what a rebuild makes of the
    facts: they were written with them or not at all.
    """
    seed = secrets.randbits(32)
    print("seed", seed)
    chance = random.Random(seed)
    with Roles(tmp_path, list(KILLS)) as roles:
        database = open_database(f"sqlite:///{roles.data}/resonanz.sqlite")
        with database.write() as tx:
            messages, submission = write_mails(tx, 1000)
        port = int(roles.environment["RESONANZ_EDGE_PORT"])
        readers = Readers(port, load_keys(roles.data / "keys.json"), messages, submission, chance)

        async def main() -> None:
            stopping = asyncio.Event()
            reading = asyncio.create_task(readers.run(stopping))
            try:
                await storm(roles, readers, chance)
            finally:
                stopping.set()
                await asyncio.wait_for(reading, 30)

        asyncio.run(main())
        journals = JournalReader(roles.data / "journal")
        wait_for(lambda: is_taken_over(database, journals), "the journals to be taken over", seconds=60)
        print(
            f"{sum(KILLS.values())} kills, {readers.total} answered, {readers.unanswered.total()} not; "
            f"longest wait for a redirect {readers.longest_wait:.2f} s"
        )
        assert readers.odd == []
        check_facts(database, readers)
        rebuilt = json.loads(roles.run("rebuild", "--json").stdout)
        assert rebuilt.pop("messages") == len(messages) + 6
        assert set(rebuilt.values()) == {0}, f"not as the facts say: {rebuilt}"
        journals.close()
        database.close()
