"""Gates: how many mails may pass at once, how many a minute, and when one that has to wait may come again.

All times are seconds since the epoch, passed in. A gate that works by the minute lets one mail through each
60 ÷ rate seconds. A mail that finds it closed is given a time of its own, behind those that wait already, so that a
hundred thousand mails for a slow domain are touched once each, and not again and again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from resonanz.sending.limits import Limit

SLOW_SECONDS = (30, 60, 120, 300, 600, 1_800)  # after the n-th request in a row to slow down
UNKNOWN_PACE = 0.02  # seconds from one mail to the next, until we know
IDLE_RATE_BURST = 0.5  # seconds that a gate which had nothing to do may make up for
PAUSED_SECONDS = 3_600.0  # resuming makes what waits due at once


@dataclass(slots=True)
class Gate:
    """One gate: a transport's or a recipient domain's."""

    limit: Limit = field(default_factory=Limit)
    paused: bool = False
    running: int = 0
    slow_until: float = 0.0
    slow_steps: int = 0
    _next: float = 0.0
    _horizon: float = 0.0
    _pace: float = UNKNOWN_PACE

    @property
    def width(self) -> int | None:
        """How many may be inside at once; one at a time until somebody who was told to slow down is trusted again."""
        return 1 if self.slow_steps else self.limit.connections

    def opens_at(self, now: float, *, waited: bool = False) -> float:
        """Return when the next mail may pass as far as can be told; at or before `now`: at once. A mail that has
        `waited` is let in before those that come anew."""
        if self.paused:
            return now + PAUSED_SECONDS
        opens = self.slow_until
        if self.limit.per_minute is not None:
            opens = max(opens, self._next if waited else max(self._next, self._horizon))
        if self.is_full:
            opens = max(opens, now + self._pace)
        return opens

    @property
    def is_full(self) -> bool:
        """Whether as many are inside as may be; it opens when one of them comes out."""
        return self.width is not None and self.running >= self.width

    def enter(self, now: float) -> None:
        """Let one in."""
        self.running += 1
        if self.limit.per_minute is not None:
            self._next = max(self._next, now - IDLE_RATE_BURST) + 60 / self.limit.per_minute

    def leave(self, started: float, now: float) -> None:
        """Let one out that came in at `started`."""
        self.running -= 1
        each = max(now - started, 0.0) / max(self.running + 1, 1)
        self._pace += 0.1 * (each - self._pace)

    def reserve(self, now: float) -> float:
        """Return when a mail that cannot pass now should come again: behind those that were told a time before it."""
        step = self._pace
        if self.limit.per_minute is not None:
            step = max(step, 60 / self.limit.per_minute)
        self._horizon = max(self._horizon + step, self.opens_at(now, waited=True), now + step)
        return self._horizon

    def forget_reservations(self) -> None:
        """Begin anew: what waited was made due at once."""
        self._horizon = 0.0

    def slow_down(self, now: float) -> float:
        """Note that the other side asked us to slow down; return when to go on."""
        if now >= self.slow_until:  # else it answers what was on its way already
            self.slow_until = now + SLOW_SECONDS[min(self.slow_steps, len(SLOW_SECONDS) - 1)]
            self.slow_steps += 1
        return self.slow_until

    def went_well(self, now: float) -> bool:
        """Note that a mail was taken; return whether the gate is trusted a step more for it."""
        if self.slow_steps and now >= self.slow_until:
            self.slow_steps -= 1
            return True
        return False
