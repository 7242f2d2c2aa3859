"""What the edge counts: plain integers on the way of a request, turned into Prometheus families when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from threading import Lock

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0)


class _Buckets:
    """A histogram one thread writes to: counts per upper bound."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        index = next((index for index, bound in enumerate(self._bounds) if value <= bound), len(self._bounds))
        self._counts[index] += 1
        self._sum += value

    def family(self, name: str, documentation: str) -> HistogramMetricFamily:
        family = HistogramMetricFamily(name, documentation)
        total = 0
        buckets = []
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            total += count
            buckets.append((bound, total))
        family.add_metric([], buckets, self._sum)
        return family


class EdgeMetrics:
    """Counts requests by kind and outcome, and what the journal does; a Prometheus collector and a journal observer.

    Outcomes: `recorded` (durable before it was answered), `unrecorded` (answered, but the journal could not be
    written), `unknown` (no token of ours), `missing` (a token of ours, but no such document here), `refused` (method,
    size, or nowhere to go), `shown` (a page), `away` (the app did not answer), `busy` (told to come again: too much
    is on its way to slow readers), `silent` (answered, and nothing kept, because the recipient wants it so), `blocked`
    (not let through: an operator has blocked the mail), `failed`.
    """

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str], int] = {}
        self._lock = Lock()
        self._groups = _Buckets(_SIZES)
        self._seconds = _Buckets(_SECONDS)
        self._failed = 0
        self._given_up = 0
        self.journal_available: Callable[[], bool] = lambda: True
        self.journal_over_limit: Callable[[], bool] = lambda: False
        self.further: list[Callable[[], Iterable[Metric]]] = []

    def count(self, kind: str, outcome: str) -> None:
        """Count one request. Called in several threads."""
        pair = kind, outcome
        with self._lock:
            self._requests[pair] = self._requests.get(pair, 0) + 1

    def appended(self, hits: int, seconds: float) -> None:
        """Observe one group of the journal."""
        self._groups.observe(hits)
        self._seconds.observe(seconds)

    def failed(self, hits: int) -> None:
        """Count hits that could not be written."""
        self._failed += hits

    def given_up(self, hits: int) -> None:
        """Count pixel hits dropped at the journal's limit."""
        self._given_up += hits

    def collect(self) -> Iterator[Metric]:
        """Yield the metric families; called by prometheus-client for every scrape."""
        requests = CounterMetricFamily(
            "resonanz_edge_requests", "Requests answered by the edge.", labels=("kind", "outcome")
        )
        for (kind, outcome), count in sorted(self._requests.copy().items()):
            requests.add_metric((kind, outcome), count)
        yield requests
        yield self._groups.family("resonanz_journal_group_hits", "Hits made durable by one commit of the journal.")
        yield self._seconds.family("resonanz_journal_commit_seconds", "Duration of one commit of the journal.")
        yield CounterMetricFamily("resonanz_journal_failed_hits", "Hits that could not be written.", self._failed)
        yield CounterMetricFamily(
            "resonanz_journal_given_up_hits", "Pixel hits dropped because the journal is at its limit.", self._given_up
        )
        yield GaugeMetricFamily(
            "resonanz_journal_available", "Whether hits can be stored: 1 or 0.", int(self.journal_available())
        )
        yield GaugeMetricFamily(
            "resonanz_journal_over_limit",
            "Whether clicks and POSTs alone fill more than the journal's limit, so that it grows on: 1 or 0.",
            int(self.journal_over_limit()),
        )
        for families in self.further:
            yield from families()
