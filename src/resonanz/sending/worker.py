"""The queue worker: claims due messages, builds and delivers them side by side, and writes down what came of each.

What holds when this process dies at any moment: a message that was not yet on the wire is claimed by the next worker
once the lease has ended; one that was on the wire is marked, because nobody can tell whether it went out.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import structlog
from prometheus_client import Counter, Gauge

from resonanz import model
from resonanz.mail.dkim import Signer
from resonanz.model import Coverage, PermanentFailure, TemporaryFailure, TrackingMode
from resonanz.sending import outcomes
from resonanz.sending.building import Work, Workshop, build
from resonanz.sending.foresight import NOBODY_SPECIAL, Receiver
from resonanz.sending.ledger import Ledger
from resonanz.sending.loading import load
from resonanz.sending.outcomes import Outcome
from resonanz.sending.press import Press
from resonanz.sending.receivers import MailHosts, Receivers
from resonanz.sending.records import OnWire, Recorder, Result
from resonanz.sending.signing import SigningKeys
from resonanz.sending.transports.base import Envelope, Refused, Transport, Unreachable
from resonanz.store import Database, Tx, documents, messages, queue
from resonanz.store.messages import Content
from resonanz.store.opens import put_coverage_right
from resonanz.tokens import Keys, mint_return_path

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.2  # how soon a mail that another process stored is noticed
BUSY_SECONDS = 0.01
AHEAD = 4  # mails claimed per connection: one look-up and one commit for several
FAILED_SECONDS = 2.0
RESTS_SECONDS = (1, 2, 5, 10, 30, 60)  # after the n-th failure in a row to reach the other side
DRAIN_SECONDS = 12.0

ATTEMPTS = Counter("resonanz_sending_attempts", "Attempts to carry a mail out, by how they ended", ["outcome"])
ON_THE_WAY = Gauge("resonanz_sending_in_flight", "Mails that this worker is carrying out right now")


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """The worker's own values. `lease` is how long a message stays with a worker that has died.

    `resend_uncertain` decides what happens to a mail that was on the wire when its worker died: False (the default)
    never sends it again by itself; True sends it once more, with the same Message-ID, as mail servers do (RFC 1047).
    Documents are kept in `documents_folder`, where the edge finds them; without it attachments stay in their mails.
    Without `signing_keys_folder`, or without keys in it, nothing is signed.
    """

    edge_url: str
    return_path_domain: str = ""
    connections: int = 8
    lease: timedelta = timedelta(seconds=30)
    resend_uncertain: bool = False
    documents_folder: Path | None = None
    signing_keys_folder: Path | None = None


class _LeaseLost(Exception):
    """Another worker holds the message by now; it must not be sent from here."""


class Worker:
    """Carries out the queue of one database over one transport. `unknown` answers for contacts who were never asked,
    and `mail_hosts` for the MX records of a domain; without it nobody is asked who takes in their mail."""

    def __init__(
        self,
        database: Database,
        transport: Transport,
        keys: Keys,
        settings: WorkerSettings,
        *,
        unknown: Callable[[Tx], TrackingMode],
        clock: Callable[[], datetime] = model.now,
        mail_hosts: MailHosts | None = None,
    ) -> None:
        self.name = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._database = database
        self._transport = transport
        self._keys = keys
        self._settings = settings
        self._unknown = unknown
        self._receivers = Receivers(mail_hosts, self._put_right) if mail_hosts is not None else None
        self._workshop = Workshop(
            keys,
            Press(keys),
            self._fetch_content,
            partial(documents.keep, settings.documents_folder) if settings.documents_folder else None,
            SigningKeys(settings.signing_keys_folder).signers_for if settings.signing_keys_folder else _nobody_signs,
            clock,
            self._receivers.known if self._receivers is not None else _is_nobody_special,
        )
        self._clock = clock
        self._ledger = Ledger(database, Recorder(self.name, transport.name))
        self._held: set[UUID] = set()
        self._waiting: asyncio.Queue[Work | None] = asyncio.Queue()  # None ends a lane
        self._content: Content | None = None
        self._rests = 0
        self._rests_until: datetime | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set; then finish what is on its way and give the rest back."""
        lanes = [asyncio.create_task(self._lane()) for _ in range(self._settings.connections)]
        keeping = [asyncio.create_task(self._keep_leases())]
        if self._receivers is not None:
            keeping.append(asyncio.create_task(self._receivers.run(stopping)))
        try:
            while not stopping.is_set():
                pause = await self._claim_more()
                await _wait(stopping, pause)
            await self._drain(lanes)
        finally:
            for task in (*keeping, *lanes):
                task.cancel()
            await asyncio.gather(*keeping, *lanes, return_exceptions=True)
            await self._transport.close()

    # ── Claiming ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _claim_more(self) -> float:
        """Claim while there is room; return how long to wait before looking again, in seconds."""
        wait = (self._rests_until - self._clock()).total_seconds() if self._rests_until else 0
        if wait > 0:
            return min(wait, POLL_SECONDS)
        room = AHEAD * self._settings.connections - self._waiting.qsize()
        if room < self._settings.connections:
            return BUSY_SECONDS
        try:
            works = await asyncio.to_thread(self._claim, room, frozenset(self._held))
        except TemporaryFailure as failure:
            log.error("the queue cannot be read", error=str(failure), in_seconds=FAILED_SECONDS)
            return FAILED_SECONDS
        self._held.update(work.message.id for work in works)
        for work in works:
            self._waiting.put_nowait(work)
        return 0 if works else POLL_SECONDS

    def _claim(self, limit: int, held: frozenset[UUID]) -> list[Work]:
        """Claim and load. What we hold already may come again when its lease could not be extended in time: then its
        lease is new, and it stays with the lane that has it."""
        now = self._clock()
        with self._database.read() as tx:
            if not queue.has_due(tx, now):
                return []
        with self._database.write() as tx:
            claimed = queue.claim(tx, self.name, now, now + self._settings.lease, limit)
            claims = [claim for claim in claimed if claim.message_id not in held]
            messages.mark_sending(tx, [claim.message_id for claim in claims])
            return load(tx, claims, self._unknown(tx), self._settings.edge_url)

    async def _keep_leases(self) -> None:
        """Move the leases of what we hold, so that only a dead worker's end."""
        lease = self._settings.lease.total_seconds()
        pause = lease / 3
        while True:
            await asyncio.sleep(pause)
            try:
                await asyncio.to_thread(self._extend, list(self._held))
                pause = lease / 3
            except TemporaryFailure as failure:
                log.error("leases cannot be extended", error=str(failure))
                pause = lease / 10

    def _extend(self, held: Iterable[UUID]) -> None:
        with self._database.write() as tx:
            queue.extend(tx, self.name, list(held), self._clock() + self._settings.lease)

    async def _drain(self, lanes: list[asyncio.Task[None]]) -> None:
        """Give back what was not begun, and let the lanes finish the mail they are at."""
        unbegun = []
        while not self._waiting.empty():
            work = self._waiting.get_nowait()
            unbegun += [work.message.id] if work else []
        for _ in lanes:
            self._waiting.put_nowait(None)
        self._held.difference_update(unbegun)
        try:
            await asyncio.to_thread(self._give_back, unbegun)
        except TemporaryFailure as failure:
            log.error("claims could not be given back; they end with their lease", error=str(failure))
        await asyncio.wait(lanes, timeout=DRAIN_SECONDS)

    def _give_back(self, message_ids: list[UUID]) -> None:
        with self._database.write() as tx:
            queue.unclaim(tx, self.name, message_ids)

    # ── One message ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _lane(self) -> None:
        """Carry out one message after the other; as many lanes as connections."""
        while (work := await self._waiting.get()) is not None:
            try:
                with ON_THE_WAY.track_inprogress():
                    await self._process(work)
            except _LeaseLost:
                log.warning("another worker took a message over", message=str(work.message.id))
            except Exception:
                # Nothing was written down: the message comes back when its lease ends.
                log.exception("a message could not be processed", message=str(work.message.id))
            finally:
                self._held.discard(work.message.id)

    async def _process(self, work: Work) -> None:
        """Build, deliver, record: the whole way of one message."""
        started_at = self._clock()
        work = await asyncio.to_thread(self._build, work)
        outcome = work.outcome or await self._deliver(work)
        await self._ledger.write(Result(work, outcome, started_at, self._clock()))
        ATTEMPTS.labels(outcome.kind.value if outcome.kind else "nothing").inc()

    def _build(self, work: Work) -> Work:
        """Go through the building steps. A defect of ours must not cost the mail: it is tried again later."""
        if work.claim.on_wire:
            return work.ended(outcomes.uncertain(resend=self._settings.resend_uncertain))
        try:
            return build(self._workshop, work)
        except TemporaryFailure as failure:
            return work.ended(outcomes.deferred(str(failure), work.claim))
        except Exception as error:
            log.exception("a mail could not be built", message=str(work.message.id))
            return work.ended(outcomes.deferred(f"our own failure: {type(error).__name__}", work.claim))

    def _fetch_content(self, content_id: UUID) -> Content | None:
        """Return a content, the last one without asking again: the copies of one submission follow each other."""
        last = self._content
        if last is None or last.id != content_id:
            with self._database.read() as tx:
                last = self._content = messages.get_content(tx, content_id)
        return last

    async def _deliver(self, work: Work) -> Outcome:
        """Hand the mail to the transport. What nobody has classified is temporary."""
        assert work.copy is not None
        message = work.message
        envelope = Envelope(message.id, self._return_path(work), message.recipient, lambda: self._hand_over(work))
        try:
            delivery = await self._transport.deliver(envelope, work.copy.message)
            self._rests, self._rests_until = 0, None
            return outcomes.sent(delivery)
        except Refused as refused:
            return outcomes.bounced(refused.what, refused.refusal)
        except Unreachable as failure:
            self._rest(failure)
            return outcomes.deferred(failure.what, work.claim)
        except PermanentFailure as failure:
            return outcomes.failed(failure.what)
        except TemporaryFailure as failure:
            return outcomes.deferred(failure.what, work.claim)
        except _LeaseLost:
            raise
        except Exception as error:
            log.exception("a delivery failed for no known reason", message=str(message.id))
            return outcomes.deferred(f"our own failure: {type(error).__name__}", work.claim)

    def _rest(self, failure: Unreachable) -> None:
        """Claim nothing for a while: a server that is down would cost every mail in the queue one of its attempts."""
        if self._rests_until is None or self._rests_until <= self._clock():
            seconds = RESTS_SECONDS[min(self._rests, len(RESTS_SECONDS) - 1)]
            self._rests += 1
            self._rests_until = self._clock() + timedelta(seconds=seconds)
            log.warning("sending rests", error=str(failure), in_seconds=seconds)

    def _return_path(self, work: Work) -> str:
        """Where bounces go: back to us with the message's own token, where a domain for that is set."""
        domain = self._settings.return_path_domain
        return f"{mint_return_path(self._keys, work.message.id)}@{domain}" if domain else work.message.sender

    async def _hand_over(self, work: Work) -> None:
        """Write down what was built, and that it is on the wire from now on. Raises _LeaseLost."""
        if not await self._ledger.write(OnWire(work)):
            raise _LeaseLost
        # Only now: the answer may come at once, and what it changes in the row must come after this.
        if self._receivers is not None and not work.receiver_known:
            self._receivers.ask_for(work.domain, work.message.id)

    def _put_right(self, message_ids: Collection[UUID], coverage: Coverage) -> None:
        with self._database.write() as tx:
            put_coverage_right(tx, message_ids, coverage)


def _is_nobody_special(domain: str) -> Receiver:
    return NOBODY_SPECIAL


def _nobody_signs(domain: str) -> tuple[Signer, ...]:
    return ()


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    """Wait, but not past the moment when we are told to stop."""
    if seconds:
        try:
            await asyncio.wait_for(stopping.wait(), seconds)
        except TimeoutError:
            return
