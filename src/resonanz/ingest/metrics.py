"""What ingest counts about itself, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

TAKEN = Counter("resonanz_ingest_events", "Hits that became events", ["kind"])
DROPPED = Counter("resonanz_ingest_dropped", "Hits left out on purpose", ["reason"])
SET_ASIDE = Counter("resonanz_ingest_set_aside", "Hits that could not be turned into events")
BATCH_SECONDS = Histogram("resonanz_ingest_batch_seconds", "Time from a batch of hits to its commit")
LAG_SECONDS = Histogram(
    "resonanz_ingest_lag_seconds",
    "How old the newest hit of a batch was when it was committed",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 7200),
)
