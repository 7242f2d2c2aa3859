"""A provider's delivery becomes facts: proven to be theirs, read, matched with our messages, recorded once.

Facts, strays and counts of one delivery are written in two transactions, opens and clicks first: each notice has a name
of its own, so that a delivery which is repeated after a crash between the two records what is missing, and only that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from resonanz.accounts.instance import own_sites
from resonanz.ingest import matching, providers
from resonanz.ingest.fetches import Fetch, record_fetches
from resonanz.ingest.journals import Taking
from resonanz.ingest.judging import Judging
from resonanz.ingest.record import record_all
from resonanz.ingest.sources.notices import MAX_NOTICES, Delivery, Notice, key_of, part
from resonanz.model import Event, EventKind, Forbidden, Hit, HitKind, NotFound, to_microseconds
from resonanz.store import Database, Tx
from resonanz.store import providers as rows
from resonanz.store.messages import Message, find_link, get_message
from resonanz.store.strays import Stray, add_strays
from resonanz.tokens import BadToken, Keys, TokenKind, read, read_return_path

if TYPE_CHECKING:
    from resonanz.sealing import Sealer

log = structlog.get_logger(__name__)

NONCES_KEPT = timedelta(hours=24)  # longer than any window of time in which a signature is believed
MAX_TRIAL = 1_000  # octets of a question whether anybody is there; it is read before anything is proven
REFUSALS_TOLD = timedelta(minutes=1)  # so often at most a refusal is written down: anybody can cause one
_HITS = {EventKind.OPENED: HitKind.OPEN, EventKind.CLICKED: HitKind.CLICK}


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What taking deliveries needs. `fetch` asks for a file on an https server, never in a private network."""

    database: Database
    keys: Keys
    sealer: Callable[[], Sealer]
    fetch: Callable[[str], bytes]
    judging: Callable[[], Judging] = Judging
    sites: Callable[[Tx], frozenset[str]] = own_sites


@dataclass(slots=True)
class _Sorted:
    """The notices of one delivery, by what becomes of them."""

    facts: list[Event] = field(default_factory=list)
    fetches: list[Fetch] = field(default_factory=list)
    strays: list[Stray] = field(default_factory=list)
    silent: int = 0


@dataclass(frozen=True, slots=True)
class Incoming:
    """One POST as the door has it: `password` by Basic authentication or in the path."""

    provider_id: UUID
    body: bytes
    headers: Mapping[str, str]
    url: str
    password: str = ""


def take_delivery(webhooks: Webhooks, incoming: Incoming, now: datetime) -> int:
    """Take one delivery, and return how many of its notices became facts.

    Raises NotFound for an address that nobody was given, Forbidden unless the provider has signed it (without a secret
    nothing is let in), TemporaryFailure when the database, or the certificate to check with, is not to be had: the
    provider tries again.
    """
    with webhooks.database.read() as tx:
        row = rows.get_provider(tx, incoming.provider_id)
    if row is None:
        raise NotFound("nobody reports to this address", where="address")
    delivery = Delivery(incoming.body, incoming.headers, incoming.url, now, incoming.password, webhooks.fetch)
    if _is_trial(row, delivery):
        return 0
    try:
        nonce = _verify(webhooks, row, delivery)
        _use(webhooks.database, row, nonce, delivery)
    except Forbidden as error:
        _note_refusal(webhooks.database, row, error, now)
        raise
    return _record(webhooks, row, delivery)


def _is_trial(row: rows.ProviderRow, delivery: Delivery) -> bool:
    """Whether a provider only asks if anybody is there. It keeps no address that does not say yes, and shows its secret
    only afterwards; nothing comes of the answer."""
    trial = providers.provider_of(row.provider).trial
    if not trial or len(delivery.body) > MAX_TRIAL:
        return False
    try:
        return part({"asked": delivery.json()}, "asked").get("type") == trial
    except ValueError:
        return False


def _verify(webhooks: Webhooks, row: rows.ProviderRow, delivery: Delivery) -> str:
    """Hold the delivery against each secret in force; with none, it is refused."""
    secrets = providers.secrets_of(webhooks.sealer, row, delivery.now)
    if not secrets:
        raise Forbidden("no secret is set, so nothing is let in", where="secret", remedy="set the provider's secret")
    source = providers.source_of(row.provider)
    *earlier, last = secrets
    for secret in earlier:
        try:
            return source.verify(delivery, secret)
        except Forbidden:
            continue
    return source.verify(delivery, last)


def _use(database: Database, row: rows.ProviderRow, nonce: str, delivery: Delivery) -> None:
    if not nonce:
        return
    digest = blake2b(delivery.body, digest_size=16).digest()
    with database.write() as tx:
        is_fresh = rows.use_nonce(tx, row.id, nonce, digest, now=delivery.now, kept_for=NONCES_KEPT)
    if not is_fresh:
        raise Forbidden("this signature came before, with another body", where="signature")


def _note_refusal(database: Database, row: rows.ProviderRow, error: Forbidden, now: datetime) -> None:
    log.warning("a provider's delivery is refused", provider=row.provider, why=error.what)
    if row.refused_at is None or now - row.refused_at >= REFUSALS_TOLD or row.refusal != error.what:
        with database.write() as tx:
            rows.note_refused(tx, row.id, why=error.what, now=now)


# ── Recording ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _record(webhooks: Webhooks, row: rows.ProviderRow, delivery: Delivery) -> int:
    notices, unreadable = _read(row, delivery)
    with webhooks.database.read() as tx:
        found = _sort(tx, webhooks.keys, row, notices, delivery.now)
    found.strays += unreadable
    new: list[Event] = []
    if found.fetches:
        taking = Taking(webhooks.database, lambda: delivery.now, webhooks.sites, webhooks.judging())
        with webhooks.database.write() as tx:
            new += record_fetches(tx, found.fetches, source=row.provider, taking=taking, now=delivery.now)
    with webhooks.database.write() as tx:
        new += record_all(tx, found.facts)
        kept = add_strays(tx, found.strays)
        rows.note_taken(tx, row.id, taken=len(new) + found.silent, kept=kept, now=delivery.now)
    log.info("provider's delivery taken", provider=row.provider, notices=len(notices), facts=len(new), kept=kept)
    return len(new)


def _read(row: rows.ProviderRow, delivery: Delivery) -> tuple[list[Notice], list[Stray]]:
    """Read the notices. What has another form than the provider's is kept whole: it was signed, so it is no rubbish."""
    try:
        notices = providers.source_of(row.provider).read(delivery)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("a provider's delivery cannot be read", provider=row.provider, error=type(error).__name__)
        stray = Stray(row.provider, key_of(delivery.body.hex()), "unreadable", "", "", delivery.now, delivery.body)
        return [], [stray]
    return notices[:MAX_NOTICES], [
        Stray(row.provider, one.key, "unreadable", one.word, one.recipient, delivery.now, one.raw_text.encode())
        for one in notices[MAX_NOTICES:]
    ]


def _sort(tx: Tx, keys: Keys, row: rows.ProviderRow, notices: Sequence[Notice], now: datetime) -> _Sorted:
    found = _Sorted()
    keep = partial(_stray, row.provider, now)
    for notice in notices:
        if notice.kind is None:
            if notice.silent:
                found.silent += 1
            else:
                found.strays.append(keep(notice, "unknown_kind"))
            continue
        message = _message_of(tx, keys, notice)
        if message is None:
            found.strays.append(keep(notice, "no_message"))
        elif notice.is_fetch:
            found.fetches.append(_fetch(tx, keys, message, notice))
        else:
            found.facts.append(_fact(message, notice, row.provider, now))
    return found


def _message_of(tx: Tx, keys: Keys, notice: Notice) -> Message | None:
    """Return whose mail a notice is about. A Message-ID that is not ours belongs to another program's mail, which the
    same provider carries: then recipient and time prove nothing."""
    try:
        named = get_message(tx, read_return_path(keys, notice.sender.rpartition("@")[0]))
    except BadToken:
        named = None
    found = named or matching.by_header_ids(tx, notice.header_ids, notice.recipient)
    if found is None and notice.provider_id:
        found = matching.by_given_id(tx, notice.provider_id, notice.recipient, notice.occurred_at)
    if found is None and not notice.header_ids and notice.recipient:
        found = matching.by_recipient(tx, notice.recipient, notice.occurred_at)
    return found


def _fact(message: Message, notice: Notice, provider: str, now: datetime) -> Event:
    assert notice.kind is not None
    return Event(
        kind=notice.kind,
        occurred_at=notice.occurred_at,
        received_at=now,
        source=provider,
        source_key=notice.key,
        message_id=message.id,
        submission_id=message.submission_id,
        recipient=message.recipient,
        detail=notice.detail(provider),
    )


def _fetch(tx: Tx, keys: Keys, message: Message, notice: Notice) -> Fetch:
    """Turn an open or a click into a hit. A click on one of our own links is one on what it leads to: the provider
    rewrote what we had rewritten, and our edge sees it as well."""
    assert notice.kind is not None
    link, destination = None, notice.url
    if notice.kind is EventKind.CLICKED:
        link, destination = _link(tx, keys, message, notice.url)
    hit = Hit(
        kind=_HITS[notice.kind],
        id=message.id,
        occurred_us=to_microseconds(notice.occurred_at),
        link=link,
        destination=destination,
        address=notice.address,
        user_agent=notice.user_agent,
        headers={"purpose": "prefetch"} if notice.bot else {},
    )
    return Fetch(hit, notice.key)


def _link(tx: Tx, keys: Keys, message: Message, url: str) -> tuple[int | None, str]:
    try:
        token = read(keys, url.rpartition("/")[2])
        if token.kind is TokenKind.CLICK:
            return token.link, token.destination
    except BadToken:
        pass
    return find_link(tx, message.submission_id, url), url


def _stray(provider: str, now: datetime, notice: Notice, reason: str) -> Stray:
    return Stray(provider, notice.key, reason, notice.word, notice.recipient, now, notice.raw_text.encode())
