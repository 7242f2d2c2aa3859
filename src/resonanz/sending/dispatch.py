"""Between claiming and delivering: which of the claimed mails goes next, and which have to wait for a gate.

Mails that share transports and recipient domain wait in one line; the lines take turns, so a slow one holds nobody else
up. What cannot go soon is given back to the queue with a time of its own, and costs no attempt.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from resonanz.sending.building import Work
from resonanz.sending.directory import Carrier, Directory, Route, as_moment
from resonanz.sending.gates import Gate
from resonanz.store.queue import PutOff

SOON_SECONDS = 0.5  # what may go within that stays here: giving it back and claiming it again would cost more
LOOK_SECONDS = 1.0

_Key = tuple[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Job:
    """A mail whose turn it is, and who carries it; `gates` were entered for it at `started`."""

    work: Work
    carrier: Carrier
    destination: str
    gates: tuple[Gate, Gate]
    started: float


@dataclass(slots=True)
class _Line:
    route: Route
    works: deque[Work] = field(default_factory=deque)

    @property
    def waited(self) -> bool:
        return bool(self.works[0].claim.waited_for)


class Dispatch:
    """Lines of claimed mails. `clock` gives seconds since the epoch; `keep` is how many of a line that will open soon
    stay here. Used in the worker's event loop only."""

    def __init__(self, directory: Directory, clock: Callable[[], float], keep: int) -> None:
        self._directory = directory
        self._clock = clock
        self._keep = keep
        self._lines: dict[_Key, _Line] = {}
        self._changed = asyncio.Event()
        self._ended = False

    def add(self, works: Iterable[Work]) -> None:
        """Take up claimed mails, or one again that another carrier is to try."""
        for work in works:
            route = self._directory.route(work.message.sender, work.submission.account_id, work.message.recipient)
            key = tuple(carrier.name for carrier in route.carriers), route.destination
            line = self._lines.get(key)
            if line is None:
                line = self._lines[key] = _Line(route)
            line.works.append(work)
        self._changed.set()

    async def take(self) -> Job | None:
        """Wait for the next mail that may go. None: there will be no more."""
        while not self._ended:
            now = self._clock()
            job, opens_at = self._next(now)
            if job is not None:
                return job
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), min(max(opens_at - now, 0.005), LOOK_SECONDS))
            except TimeoutError:
                continue
        return None

    def leave(self, job: Job) -> None:
        """Open the gates that a job went through."""
        now = self._clock()
        for gate in job.gates:
            gate.leave(job.started, now)
        if self._lines:
            self._changed.set()

    def ready(self) -> int:
        """How many could go if there were a free lane."""
        now = self._clock()
        return sum(
            len(line.works) for line in self._lines.values() if line.route.waits(now, waited=line.waited)[0] <= now
        )

    def surplus(self) -> list[PutOff]:
        """Take out what cannot go soon, with when it is to be claimed again and what it waits for."""
        now = self._clock()
        found: list[PutOff] = []
        for key, line in list(self._lines.items()):
            opens_at, gate, why = line.route.waits(now, waited=line.waited)
            if opens_at <= now:
                continue
            keep = self._keep if opens_at <= now + SOON_SECONDS else 0
            over = [line.works.pop() for _ in range(max(len(line.works) - keep, 0))]
            for work in reversed(over):
                due = max(gate.reserve(now), opens_at)
                found.append(PutOff(work.message.id, as_moment(due, datetime.now(UTC)), why))
            if not line.works:
                del self._lines[key]
        return found

    def reroute(self) -> None:
        """Look again how waiting mails go out: transports have changed."""
        works = self.clear()
        self.add(works)

    def clear(self) -> list[Work]:
        """Take out everything that was not begun."""
        works = [work for line in self._lines.values() for work in line.works]
        self._lines.clear()
        return works

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is given out."""
        return self._ended

    def end(self) -> None:
        """Give out nothing more."""
        self._ended = True
        self._changed.set()

    def _next(self, now: float) -> tuple[Job | None, float]:
        """Return a mail that may go now; else when one may, as far as can be told."""
        soonest = now + LOOK_SECONDS
        for key, line in self._lines.items():
            opens_at, _, _ = line.route.waits(now, waited=line.waited)
            if opens_at > now:
                soonest = min(soonest, opens_at)
                continue
            work, carrier = line.works.popleft(), line.route.carrier(now)
            gates = carrier.gate, line.route.gate
            for gate in gates:
                gate.enter(now)
            del self._lines[key]
            if line.works:
                self._lines[key] = line  # behind the others: lines take turns
            return Job(work, carrier, line.route.destination, gates, now), now
        return None, soonest
