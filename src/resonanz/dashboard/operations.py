"""How an instance is doing right now, as whoever runs it sees it. Wiring fills it in; the pages only show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

UNKNOWN = "not reachable"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that loses hits as long as it goes on: what, where, and the remedy."""

    what: str
    where: str
    remedy: str


@dataclass(frozen=True, slots=True)
class RoleState:
    """One role's process. `note` is what it says of itself, empty when all is well."""

    name: str
    address: str
    reachable: bool
    well: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class JournalState:
    """One edge process's journal. `waiting` hits are not taken over yet, the oldest is `lag_seconds` old; `given_up`
    pixel hits were dropped at the limit since the file was begun; `edge` names the process that writes it, empty when
    none does."""

    name: str
    edge: str
    waiting: int
    lag_seconds: float
    size_bytes: int
    given_up: int
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class WebhookState:
    """A webhook in trouble: how often in a row it failed, and why it is paused, if it is."""

    id: UUID
    name: str
    failures: int
    paused: bool
    note: str


@dataclass(frozen=True, slots=True)
class Operations:
    """One look at everything, or at nothing yet (`at` is None). What cannot be known is None.

    `rates` are hits a second by kind, `history` their sum over the last minutes, oldest first, `step_seconds` apart.
    Counts in `drops` are since the worker's start, those in `unrecorded` (hits no journal could take) since the edges'.
    """

    at: datetime | None = None
    watched: bool = True  # False: a setting turns the roles' listeners off, so that nobody can be asked
    roles: tuple[RoleState, ...] = ()
    journals: tuple[JournalState, ...] = ()
    limit_bytes: int = 0
    rates: Mapping[str, float] = field(default_factory=dict)
    history: tuple[float, ...] = ()
    step_seconds: float = 5.0
    drops: Mapping[str, int] | None = None
    silent: int = 0
    unrecorded: int = 0
    queue: int | None = None
    snapshot_age: float | None = None
    snapshot_note: str = ""
    alarms: tuple[Alarm, ...] = ()
    webhooks: tuple[WebhookState, ...] = ()

    @property
    def rate(self) -> float:
        """All hits a second."""
        return sum(self.rates.values())

    @property
    def waiting(self) -> int:
        """Hits that ingest has not taken over yet."""
        return sum(journal.waiting for journal in self.journals)

    @property
    def lag_seconds(self) -> float:
        """The age of the oldest of them; 0 when none waits."""
        return max((journal.lag_seconds for journal in self.journals), default=0.0)

    @property
    def given_up(self) -> int:
        """Pixel hits that were dropped at the journals' limit."""
        return sum(journal.given_up for journal in self.journals)
