"""Who takes in the mail of which domain, by its MX records: asked in the background, so that no mail waits for DNS.

What is not known when a copy is built is asked then, and put right in the copies' rows once the answer is there. It is
a cache in memory and a courtesy to reports: what is lost with the process is asked again for the next mail.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Sequence
from threading import Lock
from uuid import UUID

import structlog

from resonanz.mail.gateways import NOBODY_SPECIAL, Receiver, receiver_of
from resonanz.model import InvalidInput, TemporaryFailure

log = structlog.get_logger(__name__)

KEPT_SECONDS = 86_400.0
KEPT_DOMAINS = 50_000
WAITING_DOMAINS = 10_000
WAITING_COPIES = 1_000  # of one domain
REST_SECONDS = 60.0  # after DNS did not answer
_IDLE_SECONDS = 0.5

MailHosts = Callable[[str], Sequence[tuple[int, str]]]
PutRight = Callable[[Collection[UUID], Receiver], None]


class Receivers:
    """Knows receivers, and learns about others while `run` runs. Safe to use from several threads.

    `mail_hosts` asks DNS and raises TemporaryFailure; `put_right` writes what copies built meanwhile can show.
    """

    def __init__(self, mail_hosts: MailHosts, put_right: PutRight, clock: Callable[[], float] = time.monotonic) -> None:
        self._mail_hosts = mail_hosts
        self._put_right = put_right
        self._clock = clock
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[float, Receiver]] = OrderedDict()
        self._waiting: dict[str, list[UUID]] = {}
        self._to_ask: deque[str] = deque()

    def known(self, domain: str) -> Receiver | None:
        """Return who takes in a domain's mail, or None when that is not known (any more)."""
        with self._lock:
            found = self._known.get(domain)
            return found[1] if found is not None and found[0] > self._clock() else None

    def ask_for(self, domain: str, message_id: UUID) -> None:
        """Have a domain asked about, for a copy whose row is written by now."""
        with self._lock:
            waiting = self._waiting.get(domain)
            if waiting is None:
                if len(self._waiting) >= WAITING_DOMAINS:
                    return
                waiting = self._waiting[domain] = []
                self._to_ask.append(domain)
            if len(waiting) < WAITING_COPIES:
                waiting.append(message_id)

    async def run(self, stopping: asyncio.Event) -> None:
        """Ask about one domain after the other until `stopping` is set."""
        while not stopping.is_set():
            pause = await asyncio.to_thread(self.ask_next)
            if pause:
                try:
                    await asyncio.wait_for(stopping.wait(), pause)
                except TimeoutError:
                    continue

    def ask_next(self) -> float:
        """Ask about the domain that waits longest; return how long to wait before the next, in seconds."""
        with self._lock:
            if not self._to_ask:
                return _IDLE_SECONDS
            domain = self._to_ask[0]
        try:
            receiver = self.known(domain) or receiver_of(host for _, host in self._mail_hosts(domain))
        except TemporaryFailure as failure:
            log.info("receivers cannot be asked about", error=failure.what, in_seconds=REST_SECONDS)
            with self._lock:
                self._to_ask.rotate(-1)  # one name server that is down must not hold up the others
            return REST_SECONDS
        except InvalidInput:
            receiver = NOBODY_SPECIAL
        return self._learn(domain, receiver)

    def _learn(self, domain: str, receiver: Receiver) -> float:
        with self._lock:
            self._known[domain] = self._clock() + KEPT_SECONDS, receiver
            self._known.move_to_end(domain)
            if len(self._known) > KEPT_DOMAINS:
                self._known.popitem(last=False)
            self._to_ask.remove(domain)
            copies = self._waiting.pop(domain)
        try:
            self._put_right(copies, receiver)
        except TemporaryFailure as failure:
            log.warning("who took in sent mails could not be written down", error=str(failure))
        return 0
