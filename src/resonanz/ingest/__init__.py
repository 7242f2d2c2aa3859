"""The only way a fact gets in: recording, taking journals over, judging, and everything derived from facts."""

from resonanz.ingest.journals import retry_aside, take_journals
from resonanz.ingest.rebuild import Summary, rebuild
from resonanz.ingest.record import record, record_all
from resonanz.ingest.sources.reports import record_leaving, record_report

__all__ = [
    "Summary",
    "rebuild",
    "record",
    "record_all",
    "record_leaving",
    "record_report",
    "retry_aside",
    "take_journals",
]
