"""Readers without pause: pixels, clicks, choices and goodbyes over several connections, each told apart in the facts.

What was answered is noted only when the whole answer has come in, so that it can be held against the facts afterwards.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from resonanz.ingest.judge.folding import FOLDED_FOR, fold_side
from resonanz.journal import JournalReader
from resonanz.model import EventKind, TrackingMode, new_id, now
from resonanz.store import Database, Tx
from resonanz.store.accounts import Account, add_account
from resonanz.store.cursors import cursor
from resonanz.store.tables import events
from resonanz.tokens import Keys, Token, TokenKind, mint
from tests.kit.cast import BROWSER, Cast


class Mark(NamedTuple):
    """What one request leaves in the facts, and no other: the event's kind, message or submission, link and address."""

    kind: EventKind
    id: UUID
    link: int | None = None
    url: str = ""


class Request(NamedTuple):
    """A request and what must become of it."""

    mark: Mark
    raw: bytes
    status: int


@dataclass
class Readers:
    """Some readers of `messages`, which get tokens signed with `keys`, and of one anonymous `submission`."""

    port: int
    keys: Keys
    messages: Sequence[UUID]
    submission: UUID
    chance: random.Random
    readers: int = 8
    pace: float = 0.01  # seconds between two requests of one reader, which leave room for what the load is put on
    answered: Counter[Mark] = field(default_factory=Counter)
    unanswered: Counter[Mark] = field(default_factory=Counter)
    odd: list[bytes] = field(default_factory=list)
    total: int = 0  # requests that were answered
    clicks: int = 0  # of those, redirects
    longest_wait: float = 0.0  # seconds from one redirect to the next, whoever got it
    _number: int = 0
    _redirected_at: float = 0.0

    async def run(self, stopping: asyncio.Event) -> None:
        """Read until told to stop; whoever waits for an answer then waits for it."""
        self._redirected_at = time.monotonic()
        await asyncio.gather(*(self._read(stopping) for _ in range(self.readers)))

    async def _read(self, stopping: asyncio.Event) -> None:
        again: Request | None = None
        while not stopping.is_set():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(self.pace)  # nobody listens: nothing was asked
                continue
            try:
                while not stopping.is_set():
                    # Now and then the same thing again; but never after doubt, or nobody could tell the two apart.
                    request = again if again and self.chance.random() < 0.2 else self._next()
                    again = None
                    self.unanswered[request.mark] += 1
                    writer.write(request.raw)
                    head = await reader.readuntil(b"\r\n\r\n")
                    await reader.readexactly(_length(head))
                    self._note(request, head)
                    again = request
                    await asyncio.sleep(self.pace)
            except (asyncio.IncompleteReadError, OSError):
                continue
            finally:
                writer.close()

    def _note(self, request: Request, head: bytes) -> None:
        if int(head.split(b" ", 2)[1]) != request.status:
            self.odd.append(head)
            return
        self.unanswered[request.mark] -= 1
        self.answered[request.mark] += 1
        self.total += 1
        if request.mark.kind is EventKind.CLICKED:
            self.clicks += 1
            moment = time.monotonic()
            self.longest_wait = max(self.longest_wait, moment - self._redirected_at)
            self._redirected_at = moment

    def _next(self) -> Request:
        """Return a request that nobody has made before."""
        self._number += 1
        turn, message = divmod(self._number, len(self.messages))
        id = self.messages[message]
        sort = self._number % 20
        if sort == 0 and not turn:
            return self._post(EventKind.UNSUBSCRIBED, TokenKind.UNSUBSCRIBE, "u", id, b"List-Unsubscribe=One-Click")
        if sort == 1 and not turn:
            return self._post(EventKind.PREFERRED, TokenKind.PREFERENCES, "p", id, b"tracking=on")
        if sort % 2 and not turn:
            path = f"/o/{mint(self.keys, Token(TokenKind.OPEN, id))}.gif"
            return Request(Mark(EventKind.OPENED, id), _get(path), 200)
        anonymous = sort == 2
        url = f"https://shop.example/{self._number}"
        mark = Mark(EventKind.CLICKED, self.submission if anonymous else id, turn, url)
        token = mint(self.keys, Token(TokenKind.CLICK, mark.id, anonymous, turn, url))
        return Request(mark, _get(f"/c/{token}"), 302)

    def _post(self, kind: EventKind, sort: TokenKind, door: str, id: UUID, body: bytes) -> Request:
        head = f"POST /{door}/{mint(self.keys, Token(sort, id))} HTTP/1.1\r\nHost: t\r\nContent-Length: {len(body)}"
        return Request(Mark(kind, id), head.encode() + b"\r\n\r\n" + body, 200)


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: t\r\nUser-Agent: {BROWSER}\r\n\r\n".encode()


def _length(head: bytes) -> int:
    (line,) = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return int(line.partition(b":")[2])


def write_mails(tx: Tx, count: int) -> tuple[list[UUID], UUID]:
    """Write an account, so many tracked messages that were sent, and an anonymous submission. Return their ids."""
    at = now()
    account = Account(new_id(), "owner@resonanz.example", "Olga Owner", "no-password", at, at)
    add_account(tx, account)
    cast = Cast(account.id, {})
    _, written = cast.mailing(tx, count, now=at)
    submission, _ = cast.mailing(tx, 6, opens=TrackingMode.ANONYMOUS, clicks=TrackingMode.ANONYMOUS, now=at)
    return [message.id for message in written], submission.id


def is_taken_over(database: Database, journals: JournalReader) -> bool:
    """Whether everything that stands in the journals is in the facts."""
    for journal in journals.journals():
        with database.read() as tx:
            position = cursor(tx, journal)
        if journals.read(journal, position, 1):
            return False
    return True


def _folds(row: Any, first: Any) -> bool:
    window = FOLDED_FOR[row.kind]
    near = window is None or abs(row.occurred_at - first.occurred_at) <= window
    return near and fold_side(row.verdict) == fold_side(first.verdict)


def check_facts(database: Database, readers: Readers) -> None:
    """Hold the facts against what was answered: each once; what was asked for in vain at most once; nothing else.

    A repeat is a fact of its own that names the first; among all that one mark left there is one first, unless it came
    back when that was too long ago (a storm on a busy machine takes longer than a click is folded for).
    """
    names = ("kind", "message_id", "submission_id", "link", "url", "id", "repeat_of", "occurred_at", "verdict")
    columns = [events.c[name] for name in names]
    with database.read() as tx:
        rows = tx.execute(select(*columns).where(events.c.source == "edge").order_by(events.c.id)).all()
    found: Counter[Mark] = Counter()
    firsts: dict[Mark, list[Any]] = defaultdict(list)
    for row in rows:
        mark = Mark(row.kind, row.message_id or row.submission_id, row.link, row.url)
        found[mark] += 1
        if row.message_id and row.kind != EventKind.PREFERRED:
            alike = [one.id for one in firsts[mark] if _folds(row, one)]
            assert row.repeat_of == (alike[-1] if alike else None), mark
            if row.repeat_of is None:
                firsts[mark].append(row)
    lost = {mark: count for mark, count in readers.answered.items() if found[mark] < count}
    assert not lost, f"{len(lost)} answered requests are not in the facts: {list(lost)[:5]}"
    doubled = [mark for mark in found if found[mark] > readers.answered[mark] + readers.unanswered[mark]]
    assert not doubled, f"{len(doubled)} requests are in the facts too often: {doubled[:5]}"
