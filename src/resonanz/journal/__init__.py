"""The durable log of raw hits: written by the edge before it answers, read in batches by ingest.

One SQLite file per edge process. `SqliteJournal` appends (one process, one writer thread, one fsync for all that
arrived meanwhile); `JournalReader` reads and trims the files of all edge processes from another process.
"""

from resonanz.journal.append import SqliteJournal
from resonanz.journal.codec import decode, encode, whole_row
from resonanz.journal.pending import JournalUnavailable
from resonanz.journal.read import JournalReader
from resonanz.journal.writer import AppendObserver

__all__ = [
    "AppendObserver",
    "JournalReader",
    "JournalUnavailable",
    "SqliteJournal",
    "decode",
    "encode",
    "whole_row",
]
