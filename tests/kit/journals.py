"""A journal in memory, for tests of what becomes of its hits."""

from __future__ import annotations

from collections.abc import Iterable

from resonanz.model import Hit, JournalEntry, NotFound


class MemoryJournals:
    """Journals by id, with the reading side of `resonanz.journal.JournalReader`."""

    def __init__(self, **journals: Iterable[Hit]) -> None:
        self._entries: dict[str, list[JournalEntry]] = {}
        self._last: dict[str, int] = {}
        for journal, hits in journals.items():
            self.append(journal, *hits)

    def append(self, journal: str, *hits: Hit) -> None:
        """Add hits; positions go on where they ended, trimmed or not."""
        for hit in hits:
            self._last[journal] = self._last.get(journal, 0) + 1
            self._entries.setdefault(journal, []).append(JournalEntry(journal, self._last[journal], hit))

    def journals(self) -> list[str]:
        """Return the ids."""
        return sorted(self._entries)

    def read(self, journal: str, after: int, limit: int) -> list[JournalEntry]:
        """Return entries behind a position."""
        if journal not in self._entries:
            raise NotFound(f"no journal {journal}")
        return [entry for entry in self._entries[journal] if entry.position > after][:limit]

    def trim(self, journal: str, upto: int) -> None:
        """Forget entries up to a position."""
        self._entries[journal] = [entry for entry in self._entries[journal] if entry.position > upto]

    def depth(self, journal: str) -> int:
        """Return how many entries wait."""
        return len(self._entries[journal])
