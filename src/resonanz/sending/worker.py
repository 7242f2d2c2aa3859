"""The queue worker: claims due messages, builds and delivers them side by side, and writes down what came of each.

What holds when this process dies at any moment: a message that was not yet on the wire is claimed by the next worker
once the lease has ended; one that was on the wire is marked, because nobody can tell whether it went out.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from prometheus_client import Counter, Gauge

from resonanz import model
from resonanz.mail.gateways import Receiver
from resonanz.model import PermanentFailure, TemporaryFailure, TrackingMode
from resonanz.sending import outcomes
from resonanz.sending.builder import Builder, LastContent
from resonanz.sending.building import Work, Workshop
from resonanz.sending.claims import Claims
from resonanz.sending.directory import Carrier, Changes, Directory, Known, Open, as_moment
from resonanz.sending.dispatch import Dispatch, Job
from resonanz.sending.ledger import Ledger
from resonanz.sending.outcomes import Outcome
from resonanz.sending.press import Press
from resonanz.sending.queue_control import waits_for_domain
from resonanz.sending.receivers import MailHosts, Receivers
from resonanz.sending.records import Note, OnWire, Recorder, Result
from resonanz.sending.signing import SigningKeys
from resonanz.sending.transports.base import (
    Envelope,
    Refused,
    SignInAgain,
    Throttled,
    Transport,
    Unreachable,
)
from resonanz.sending.transports.outbox import OutboxTransport
from resonanz.store import Database, Tx, documents, queue, transports
from resonanz.store.destinations import save_slowness
from resonanz.store.opens import put_receiver_right
from resonanz.store.workers import note_worker, remove_worker
from resonanz.tokens import Keys, mint_return_path

if TYPE_CHECKING:
    from resonanz.mail.dkim import Signer

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.2  # how soon a mail that another process stored is noticed
BUSY_SECONDS = 0.01
AHEAD = 16  # mails claimed per connection: one look-up and one commit for many
FAILED_SECONDS = 2.0
LOOK_SECONDS = 1.0  # how soon a paused queue or a changed transport is noticed
BEAT_SECONDS = 10.0  # how often a worker says that it is at work
GONE_AFTER = timedelta(seconds=35)  # until then a worker that has died keeps its part of the limits
DRAIN_SECONDS = 12.0

ATTEMPTS = Counter("resonanz_sending_attempts", "Attempts to carry a mail out, by how they ended", ["outcome"])
ON_THE_WAY = Gauge("resonanz_sending_in_flight", "Mails that this worker is carrying out right now")


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """The worker's own values. `lease` is how long a message stays with a worker that has died.

    `resend_uncertain` decides what happens to a mail that was on the wire when its worker died: False (the default)
    never sends it again by itself; True sends it once more, with the same Message-ID, as mail servers do (RFC 1047).
    Documents are kept in `documents_folder`, where the edge finds them; without it attachments stay in their mails.
    Without `signing_keys_folder`, or without keys in it, nothing is signed. Answers come to `reply_domain` where their
    sender wants that, or with `all_replies` any; it is empty where they could not be passed on.
    """

    edge_url: str
    return_path_domain: str = ""
    connections: int = 8
    lease: timedelta = timedelta(seconds=30)
    resend_uncertain: bool = False
    documents_folder: Path | None = None
    signing_keys_folder: Path | None = None
    reply_domain: str = ""
    all_replies: bool = False


class _LeaseLost(Exception):
    """Another worker holds the message by now; it must not be sent from here."""


class Worker:
    """Carries out the queue of one database. `unknown` answers for contacts who were never asked, `open_named` makes
    the transports that are stored there, beside the default one, and `mail_hosts` answers for the MX records of a
    domain; without it nobody is asked who takes in their mail."""

    def __init__(
        self,
        database: Database,
        transport: Transport,
        keys: Keys,
        settings: WorkerSettings,
        *,
        unknown: Callable[[Tx], TrackingMode],
        open_named: Open | None = None,
        clock: Callable[[], datetime] = model.now,
        mail_hosts: MailHosts | None = None,
    ) -> None:
        self.name = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._database = database
        self._keys = keys
        self._settings = settings
        self._receivers = Receivers(mail_hosts, self._put_right) if mail_hosts is not None else None
        contents = LastContent(database)
        workshop = Workshop(
            keys,
            Press(keys),
            contents,
            partial(documents.keep, settings.documents_folder) if settings.documents_folder else None,
            SigningKeys(settings.signing_keys_folder).signers_for if settings.signing_keys_folder else _nobody_signs,
            clock,
            self._receivers.known if self._receivers is not None else _nobody_is_known,
            settings.return_path_domain,
            settings.reply_domain,
            settings.all_replies,
        )
        self._builder = Builder(workshop, contents, resend_uncertain=settings.resend_uncertain)
        self._claims = Claims(
            database,
            self.name,
            settings.lease,
            clock,
            unknown=unknown,
            edge_url=settings.edge_url,
            reports_to_us=bool(settings.return_path_domain),
        )
        self._clock = clock
        self._ledger = Ledger(database, Recorder(self.name))
        self._directory = Directory(transport, open_named)
        self._dispatch = Dispatch(self._directory, lambda: clock().timestamp(), settings.connections)
        self._looks_at = 0.0
        self._beats_at = 0.0

    @property
    def is_paused(self) -> bool:
        """Whether nothing is sent because the queue is paused."""
        return self._directory.queue_paused

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set; then finish what is on its way and give the rest back."""
        lanes = [asyncio.create_task(self._lane()) for _ in range(self._settings.connections)]
        keeping = [asyncio.create_task(self._claims.keep()), asyncio.create_task(self._end(stopping))]
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
            for carrier in self._directory.carriers:
                await carrier.transport.close()

    # ── Claiming ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _claim_more(self) -> float:
        """Claim while there is room, and build; return how long to wait before looking again, in seconds."""
        try:
            await self._look()
            if self._directory.queue_paused:
                await self._claims.give_back(self._dispatch.clear())
                return POLL_SECONDS
            await self._claims.put_off(self._dispatch.surplus())
            now = self._clock().timestamp()
            if (rest := self._directory.rest_until(now) - now) > 0:
                return min(rest, POLL_SECONDS)
            most = AHEAD * self._settings.connections
            room = most - self._dispatch.ready()
            if room < most // 2:
                return BUSY_SECONDS
            works = await self._claims.take(room)
        except TemporaryFailure as failure:
            log.error("the queue cannot be read", error=str(failure), in_seconds=FAILED_SECONDS)
            return FAILED_SECONDS
        await self._line_up(works)
        return 0 if works else POLL_SECONDS

    async def _line_up(self, works: list[Work]) -> None:
        """Hand what was claimed to the lanes: at once what they build themselves, the rest as it is built; as many at a
        time as there are lanes, so that what they write down comes together."""
        ahead = [work for work in works if self._builder.goes_ahead(work)]
        early = {work.message.id for work in ahead}
        self._dispatch.add(work for work in works if work.message.id not in early)
        while ahead and not self._dispatch.has_ended:
            portion, ahead = ahead[: self._settings.connections], ahead[self._settings.connections :]
            self._dispatch.add(await self._builder.build_ahead(portion))
        self._dispatch.add(ahead)

    async def _look(self) -> None:
        """Learn now and then what has changed about transports and domains, and whether the queue is paused."""
        if time.monotonic() < self._looks_at:
            return
        known = await asyncio.to_thread(self._read_known)
        self._looks_at = time.monotonic() + LOOK_SECONDS
        changes = self._directory.update(known)
        if changes.rerouted:
            self._dispatch.reroute()
        if changes.transports_set or changes.domains_open:
            await asyncio.to_thread(self._hasten, changes)
        for transport in changes.gone:
            await transport.close()

    def _hasten(self, changes: Changes) -> None:
        """Make due what waits for what was set anew. Whoever set it has done so already, but before we knew of it we
        may have put off more by the old state, a paused transport's mail for an hour."""
        now = self._clock()
        with self._database.write() as tx:
            if changes.transports_set:
                queue.hasten_transports(tx, now)
            for domain in changes.domains_open:
                queue.hasten_waiting(tx, waits_for_domain(domain), now)

    def _read_known(self) -> Known:
        now, clock = self._clock(), time.monotonic()
        gone_before = now - GONE_AFTER
        if clock >= self._beats_at:
            with self._database.write() as tx:
                note_worker(tx, self.name, now, gone_before=gone_before)
            self._beats_at = clock + BEAT_SECONDS
        with self._database.read() as tx:
            return Known.read(tx, self.name, gone_before=gone_before)

    def _leave(self) -> None:
        with self._database.write() as tx:
            remove_worker(tx, self.name)

    async def _end(self, stopping: asyncio.Event) -> None:
        """Let no lane begin another mail once we are told to stop."""
        await stopping.wait()
        self._dispatch.end()

    async def _drain(self, lanes: list[asyncio.Task[None]]) -> None:
        """Give back what was not begun, and let the lanes finish the mail they are at."""
        await self._claims.give_back(self._dispatch.clear())
        await asyncio.wait(lanes, timeout=DRAIN_SECONDS)
        await self._ledger.settled(DRAIN_SECONDS)
        with suppress(TemporaryFailure):  # else it is forgotten in a while
            await asyncio.to_thread(self._leave)

    # ── One message ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _lane(self) -> None:
        """Carry out one message after the other; as many lanes as connections."""
        while (job := await self._dispatch.take()) is not None:
            message_id = job.work.message.id
            try:
                with ON_THE_WAY.track_inprogress():
                    await self._process(job)
            except _LeaseLost:
                log.warning("another worker took a message over", message=str(message_id))
                self._claims.let_go(message_id)
            except Exception:
                # Nothing was written down: the message comes back when its lease ends.
                log.exception("a message could not be processed", message=str(message_id))
                self._claims.let_go(message_id)
            finally:
                self._dispatch.leave(job)

    async def _process(self, job: Job) -> None:
        """Build, deliver, record: the whole way of one message. That its result is on disk is not waited for: the next
        mail of this lane is put on the wire by the same commit or a later one, so that never more are there at once
        than connections."""
        started_at = self._clock()
        work = job.work
        if work.copy is None and work.outcome is None:
            work = await self._builder.build(work)
        outcome = work.outcome or await self._deliver(job, work)
        if outcome is None:
            self._dispatch.add([work])
            return
        result = Result(work, outcome, started_at, self._clock(), job.carrier.transport.name)
        self._ledger.post(result, lambda: self._claims.let_go(work.message.id))
        ATTEMPTS.labels(outcome.kind.value if outcome.kind else "nothing").inc()

    async def _deliver(self, job: Job, work: Work) -> Outcome | None:
        """Hand the mail to its carrier. None: another one is to try. What nobody has classified is temporary."""
        assert work.copy is not None
        message, carrier = work.message, job.carrier
        envelope = Envelope(
            message.id,
            self._return_path(work),
            message.recipient,
            lambda: self._hand_over(work, carrier.transport),
            work.wishes,
        )
        try:
            delivery = await carrier.transport.deliver(envelope, work.copy.message)
        except Unreachable as failure:
            return self._unreachable(job, work, failure)
        except Throttled as failure:
            self._slow_down(job, failure)
            return outcomes.deferred(failure.what, work.claim)
        except Refused as refused:
            self._answered(carrier)
            return outcomes.bounced(refused.what, refused.refusal)
        except PermanentFailure as failure:
            return outcomes.failed(failure.what)
        except TemporaryFailure as failure:
            return outcomes.deferred(failure.what, work.claim)
        except _LeaseLost:
            raise
        except Exception as error:
            log.exception("a delivery failed for no known reason", message=str(message.id))
            return outcomes.deferred(f"our own failure: {type(error).__name__}", work.claim)
        self._answered(carrier)
        self._went_well(job)
        return outcomes.sent(delivery)

    def _return_path(self, work: Work) -> str:
        """Where bounces go: back to us with the message's own token, where a domain for that is set."""
        domain = self._settings.return_path_domain
        if work.submission.null_path:
            return ""
        return f"{mint_return_path(self._keys, work.message.id)}@{domain}" if domain else work.message.sender

    async def _hand_over(self, work: Work, transport: Transport) -> None:
        """Write down what was built, and that it is on the wire from now on. Raises _LeaseLost."""
        if not await self._ledger.write(OnWire(work)):
            raise _LeaseLost
        # Only now: the answer may come at once, and what it changes in the row must come after this.
        # The built-in outbox sends nothing, so there is nobody to ask about.
        if self._receivers is not None and work.receiver is None and transport.name != OutboxTransport.name:
            self._receivers.ask_for(work.domain, work.message.id)

    def _put_right(self, message_ids: Collection[UUID], receiver: Receiver) -> None:
        with self._database.write() as tx:
            put_receiver_right(tx, message_ids, receiver.name, strips=receiver.strips)

    # ── What is learned on the way ──────────────────────────────────────────────────────────────────────────────────

    def _unreachable(self, job: Job, work: Work, failure: Unreachable) -> Outcome | None:
        """Let the carrier rest. The mail goes to the next carrier of its match; where there is none, it has had its
        attempt, and those behind it wait without one."""
        carrier, now = job.carrier, self._clock().timestamp()
        if isinstance(failure, SignInAgain):
            carrier.usable = False
            log.error("a transport needs somebody to sign in", transport=carrier.name, error=str(failure))
            self._note_trouble(carrier, failure.what, sign_in_again=True)
            return None
        until = carrier.rest(now)
        log.warning("a transport rests", transport=carrier.name, error=str(failure), in_seconds=round(until - now, 1))
        self._note_trouble(carrier, failure.what)
        route = self._directory.route(work.message.sender, work.submission.account_id, work.message.recipient)
        return None if route.carrier(now).rests_until <= now else outcomes.deferred(failure.what, work.claim)

    def _answered(self, carrier: Carrier) -> None:
        carrier.answered()
        self._note_trouble(carrier, "")

    def _note_trouble(self, carrier: Carrier, trouble: str, *, sign_in_again: bool = False) -> None:
        """Let the pages say what keeps a named transport from working, once per trouble."""
        if carrier.stored is None or carrier.trouble == trouble:
            return
        carrier.trouble = trouble
        note = partial(transports.set_trouble, name=carrier.name, trouble=trouble, sign_in_again=sign_in_again)
        self._ledger.post(Note(lambda tx: note(tx)))

    def _slow_down(self, job: Job, failure: Throttled) -> None:
        """Go slower to a domain that asks for it, or by a transport that does; everything else goes on."""
        now = self._clock().timestamp()
        if not failure.by_domain:
            until = job.carrier.rest(now)
            log.warning("a transport asks us to slow down", transport=job.carrier.name, error=str(failure))
            return
        gate = job.gates[1]
        until = gate.slow_down(now)
        log.warning(
            "a domain asks us to slow down",
            domain=job.destination,
            error=str(failure),
            in_seconds=round(until - now, 1),
        )
        self._note_slowness(job, failure.what)

    def _went_well(self, job: Job) -> None:
        gate = job.gates[1]
        if gate.slow_steps and gate.went_well(self._clock().timestamp()):
            self._note_slowness(job, "")

    def _note_slowness(self, job: Job, note: str) -> None:
        gate = job.gates[1]
        until = as_moment(gate.slow_until, self._clock()) if gate.slow_steps else None
        steps, domain = gate.slow_steps, job.destination
        self._ledger.post(Note(lambda tx: save_slowness(tx, domain, until, steps, note)))


def _nobody_is_known(domain: str) -> None:
    return None


def _nobody_signs(domain: str) -> tuple[Signer, ...]:
    return ()


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    """Wait, but not past the moment when we are told to stop."""
    if seconds:
        try:
            await asyncio.wait_for(stopping.wait(), seconds)
        except TimeoutError:
            return
