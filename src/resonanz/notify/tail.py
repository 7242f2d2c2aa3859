"""Following the table of facts from a position on: what the hub does in a thread, without asyncio."""

from __future__ import annotations

from resonanz.model import Event
from resonanz.notify.notice import Notice, event_notice, reload_notice
from resonanz.people import hides_in_group
from resonanz.store import Database, Tx
from resonanz.store import events as store
from resonanz.store.events import Headline

_NO_HEADLINE = Headline("", 0)

# PostgreSQL hands out ids before their transactions end, so an id may appear after a higher one. An id that was passed
# over is looked for again in so many polls (ten seconds at the hub's usual pace), then taken for given up.
_LOOKS_FOR_MISSING = 40
_MISSING_AT_MOST = 5_000


class Tail:
    """A position among the facts that moves with every `poll`. `backlog` is how many events one poll hands out."""

    def __init__(self, database: Database, backlog: int) -> None:
        self._database = database
        self._backlog = backlog
        self._missing: dict[int, int] = {}
        self.position = 0

    def start(self) -> None:
        """Go to the newest fact."""
        with self._database.read() as tx:
            self.position = store.last_id(tx)
        self._missing.clear()

    def poll(self) -> list[Notice]:
        """Return what is new, oldest first; a single reload notice when it is more than the backlog. Moves on."""
        with self._database.read() as tx:
            events = store.after_or_among(tx, self.position, self._missing, limit=self._backlog + 1)
            if len(events) > self._backlog:
                self.position = store.last_id(tx)
                self._missing.clear()
                return [reload_notice(self.position)]
            notices = _notices(tx, events)
        self._move([event.id for event in events])
        return notices

    def between(self, after: int, upto: int) -> list[Notice]:
        """Return what lies behind `after` up to `upto`: what a watcher missed that comes back.

        A single reload notice when it is more than the backlog, or when `after` is a position this table never had
        (another database, or one restored from a backup).
        """
        if after > upto:
            return [reload_notice(upto)]
        with self._database.read() as tx:
            events = store.after(tx, after, limit=self._backlog + 1)
            if len(events) > self._backlog:
                return [reload_notice(upto)]
            return _notices(tx, [event for event in events if event.id <= upto])

    def _move(self, ids: list[int]) -> None:
        if self._database.is_sqlite:  # one writer at a time: ids appear in order
            self.position = max([self.position, *ids])
            return
        found = set(ids)
        self._missing = {id: looks - 1 for id, looks in self._missing.items() if looks > 1 and id not in found}
        for id in ids:
            if id > self.position:
                passed_over = range(max(self.position + 1, id - _MISSING_AT_MOST), id)
                self._missing.update(dict.fromkeys(passed_over, _LOOKS_FOR_MISSING))
                self.position = id
        for id in sorted(self._missing)[:-_MISSING_AT_MOST]:
            del self._missing[id]


def _notices(tx: Tx, events: list[Event]) -> list[Notice]:
    """Anonymous events of a mail to a small group are left out: their time alone could name somebody."""
    headlines = store.headlines(tx, events)
    notices = []
    for event in events:
        headline = headlines.get(event.id, _NO_HEADLINE)
        if event.message_id is not None or hides_in_group(headline.recipients):
            notices.append(event_notice(event, headline.subject))
    return notices
