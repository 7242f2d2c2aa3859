"""Watching an instance: the roles are asked at their listeners for operators, the journals and the queue are looked at.

Nothing is stored: what is kept is a few minutes of one figure, for the page that shows it.
"""

from __future__ import annotations

import asyncio
import time
import urllib.error
import urllib.request
from collections import Counter, deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog
from prometheus_client.parser import text_string_to_metric_families

from resonanz import model
from resonanz.dashboard.operations import Alarm, JournalState, Operations, RoleState, WebhookState
from resonanz.journal.gauge import Gauge, gauges
from resonanz.model import TemporaryFailure
from resonanz.store import Database, cursors, queue
from resonanz.store.webhook_endpoints import troubled_endpoints

if TYPE_CHECKING:
    from resonanz.app.settings import Settings

STEP_SECONDS = 5.0
KEPT = 121  # looks: ten minutes
ASK_SECONDS = 2.0
OLD_SNAPSHOT_SECONDS = 900.0

Samples = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one role answered. `samples` are its metrics by name and labels."""

    state: RoleState
    samples: Samples = field(default_factory=dict)

    def value(self, name: str, **labels: str) -> float | None:
        return self.samples.get((name, tuple(sorted(labels.items()))))

    def by_label(self, name: str, label: str) -> Counter[str]:
        found: Counter[str] = Counter()
        for (known, labels), value in self.samples.items():
            if known == name:
                found[dict(labels)[label]] += int(value)
        return found

    def label(self, name: str, label: str) -> str:
        return next((dict(labels).get(label, "") for known, labels in self.samples if known == name), "")


class Watch:
    """Looks every few seconds; `operations` is how the last look found everything."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.operations = Operations(watched=bool(settings.ops_port), limit_bytes=int(settings.journal_limit))
        self._settings = settings
        self._database = database
        self._counted: dict[str, Counter[str]] = {}
        self._counted_at = 0.0
        self._history: deque[float] = deque(maxlen=KEPT)

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until `stopping` is set."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "watch") as thread:
            while not stopping.is_set():
                try:
                    self.operations = await loop.run_in_executor(thread, self.look)
                except Exception:  # whatever it is: the next look may see better, and nothing else depends on it
                    log.exception("the roles could not be looked at")
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), STEP_SECONDS)

    def look(self) -> Operations:
        """Ask everything once and return how it is."""
        now = model.now()
        asked = [_ask(name, address) for name, address in self._addresses()]
        edges = [one for one in asked if one.state.name.startswith("edge")]
        worker = next((one for one in asked if one.state.name == "worker"), None)
        taken, depth, webhooks = self._stored()
        journals = tuple(
            _journal(gauge, edges, now) for gauge in gauges(self._settings.journal_dir, taken) if _matters(gauge, edges)
        )
        rates = self._rates(edges)
        age, note = _snapshot(edges, now)
        return replace(
            self.operations,
            at=now,
            roles=tuple(one.state for one in asked),
            journals=journals,
            rates=rates,
            history=tuple(self._history),
            step_seconds=STEP_SECONDS,
            drops=_drops(worker),
            silent=sum(_outcomes(edge)["silent"] for edge in edges),
            unrecorded=sum(int(edge.value("resonanz_journal_failed_hits_total") or 0) for edge in edges),
            queue=depth,
            snapshot_age=age,
            snapshot_note=note,
            alarms=tuple(_alarms(edges)),
            webhooks=webhooks,
        )

    def _addresses(self) -> list[tuple[str, str]]:
        settings = self._settings
        if not settings.ops_port:
            return []
        roles = [
            (f"edge {n}" if n else "edge", settings.ops_port_of("edge", n)) for n in range(settings.edge_processes)
        ]
        roles += [(name, settings.ops_port_of(name)) for name in ("app", "worker")]
        if settings.has_relay:
            roles.append(("relay", settings.ops_port_of("relay")))
        host = f"[{settings.ops_host}]" if ":" in settings.ops_host else settings.ops_host
        return [(name, f"http://{host}:{port}") for name, port in roles]

    def _stored(self) -> tuple[dict[str, int], int | None, tuple[WebhookState, ...]]:
        try:
            with self._database.read() as tx:
                troubled = [
                    WebhookState(one.id, one.description or one.url, one.failures, one.paused_at is not None, one.note)
                    for one in troubled_endpoints(tx)
                ]
                return cursors.cursors_taken(tx), queue.depth(tx), tuple(troubled)
        except TemporaryFailure:
            return {}, None, ()

    def _rates(self, edges: list[_Asked]) -> dict[str, float]:
        """Return hits a second since the last look, by kind. A process that was started anew counts from nothing."""
        moment = time.monotonic()
        counted = {edge.state.name: edge.by_label("resonanz_edge_requests_total", "kind") for edge in edges}
        passed, before = moment - self._counted_at, self._counted
        self._counted, self._counted_at = counted, moment
        if not before:
            return {}
        more: Counter[str] = Counter()
        for name, kinds in counted.items():
            known = before.get(name, kinds)
            began_anew = kinds.total() < known.total()
            more.update(kinds if began_anew else kinds - known)
        rates = {kind: count / passed for kind, count in sorted(more.items()) if kind not in ("page", "any")}
        self._history.append(sum(rates.values()))
        return rates


def _ask(name: str, address: str) -> _Asked:
    try:
        well, note = True, _fetch(f"{address}/healthz").partition("\n")[2].strip()
    except urllib.error.HTTPError as error:
        well, note = False, error.read(2000).decode("utf-8", "replace").strip()
    except (OSError, ValueError):
        return _Asked(RoleState(name, address, reachable=False))
    try:
        text = _fetch(f"{address}/metrics")
        samples = {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
    except (OSError, ValueError):
        samples = {}
    return _Asked(RoleState(name, address, reachable=True, well=well, note=note), samples)


def _fetch(url: str) -> str:
    """Ask one of our own listeners, whose addresses stand in the settings."""
    with urllib.request.urlopen(url, timeout=ASK_SECONDS) as response:  # noqa: S310  # http only
        return str(response.read().decode("utf-8", "replace"))


def _matters(gauge: Gauge, edges: list[_Asked]) -> bool:
    """A file that nobody writes and nothing waits in is left over from a time of more processes."""
    return bool(gauge.waiting or gauge.trouble or _writer(gauge, edges))


def _writer(gauge: Gauge, edges: list[_Asked]) -> str:
    mine = (edge.state.name for edge in edges if edge.label("resonanz_journal_info", "journal") == gauge.journal)
    return next(mine, "") if gauge.journal else ""


def _journal(gauge: Gauge, edges: list[_Asked], now: datetime) -> JournalState:
    return JournalState(
        name=gauge.place.stem,
        edge=_writer(gauge, edges),
        waiting=gauge.waiting,
        lag_seconds=max(0.0, (now - gauge.oldest).total_seconds()) if gauge.oldest else 0.0,
        size_bytes=gauge.size_bytes,
        given_up=gauge.given_up,
        trouble=gauge.trouble,
    )


def _outcomes(edge: _Asked) -> Counter[str]:
    return edge.by_label("resonanz_edge_requests_total", "outcome")


def _drops(worker: _Asked | None) -> dict[str, int] | None:
    if worker is None or not worker.samples:
        return None
    drops = worker.by_label("resonanz_ingest_dropped_total", "reason")
    set_aside = worker.value("resonanz_ingest_set_aside_total")
    return {**dict(sorted(drops.items())), **({"set_aside": int(set_aside)} if set_aside else {})}


def _snapshot(edges: list[_Asked], now: datetime) -> tuple[float | None, str]:
    """Return the age of the oldest snapshot in use, and what is wrong with it."""
    made = [edge.value("resonanz_edge_snapshot_timestamp_seconds") for edge in edges]
    ages = [now.timestamp() - moment for moment in made if moment]
    if any(edge.value("resonanz_edge_snapshot_usable") == 0 for edge in edges):
        return max(ages, default=None), "An edge cannot take up the file; its health says why."
    if not ages:
        return None, "No edge has one." if any(moment is not None for moment in made) else ""
    age = max(ages)
    return age, "No worker writes a new one." if age > OLD_SNAPSHOT_SECONDS else ""


def _alarms(edges: list[_Asked]) -> list[Alarm]:
    return [
        Alarm(
            what=edge.state.note.partition("\n")[0] or "the journal cannot be written",
            where=f"{edge.state.name}: {edge.label('resonanz_journal_info', 'place')}",
            remedy="Free space on its disk, or make the folder writable. Until then links still lead to their pages, "
            "but no open and no click is recorded, and nobody can unsubscribe.",
        )
        for edge in edges
        if edge.value("resonanz_journal_available") == 0
    ]
