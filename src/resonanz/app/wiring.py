"""Building every room from the settings. The only place that knows both; rooms get plain values and callables."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from resonanz import model
from resonanz.accounts import authenticate_key, authenticate_mail, setup_link_secret, tracking_without_choice
from resonanz.accounts.instance import own_sites
from resonanz.model import InvalidInput, TrackingMode
from resonanz.sending.drafts import Draft, Limits, Receipt
from resonanz.sending.submit import submit
from resonanz.sending.transports import Transport, open_transport
from resonanz.sending.transports.opening import Opener
from resonanz.store import Database, Tx, open_database
from resonanz.store import accounts as account_rows
from resonanz.store.accounts import Account
from resonanz.store.revision import check_migrated
from resonanz.tokens import Keys, create_keys, load_keys

if TYPE_CHECKING:
    from resonanz.api.access import TakeDelivery
    from resonanz.app.settings import Settings
    from resonanz.ingest.deliveries import Deliveries
    from resonanz.ingest.inbound import Arrived, Came, Taken
    from resonanz.ingest.judge.networks import Networks
    from resonanz.ingest.judging import Judging
    from resonanz.ingest.place import Places
    from resonanz.ingest.webhooks import Webhooks
    from resonanz.sealing import Sealer
    from resonanz.sending.domain_records import Record
    from resonanz.sending.sender_checks import LookUp

SECRET_BYTES = 32

log = structlog.get_logger(__name__)


# ── Setting up ──────────────────────────────────────────────────────────────────────────────────────────────────────


def prepare(settings: Settings) -> str:
    """Create folders, keys and secret, bring the database up to date, and return its revision."""
    from resonanz.store.migrate import migrate  # the roles look in this file too, and never migrate

    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (settings.journal_dir, settings.outbox_dir):
            folder.mkdir(mode=0o700, exist_ok=True)
        create_keys(settings.keys_file)
        secret_of(settings)
    except OSError as error:
        raise InvalidInput(
            f"cannot be written: {error.strerror or error}",
            where=str(settings.data_dir),
            remedy="give this user the folder, or set RESONANZ_DATA_DIR to another",
        ) from error
    database = open_database(settings.database_url.get_secret_value())
    try:
        return migrate(database)
    finally:
        database.close()


def setup_link(settings: Settings) -> str | None:
    """Return a fresh one-time link that creates the first account, or None when there is one."""
    database = database_of(settings)
    try:
        with database.read() as tx:
            if account_rows.count_accounts(tx):
                return None
        return f"{settings.dashboard_url}/set-up/{setup_link_secret(database, model.now())}"
    finally:
        database.close()


# ── The rooms' values ───────────────────────────────────────────────────────────────────────────────────────────────


def database_of(settings: Settings) -> Database:
    """Open the database. Raises TemporaryFailure with the remedy when its tables are not up to date."""
    database = open_database(settings.database_url.get_secret_value(), create=False)
    try:
        check_migrated(database)
    except BaseException:
        database.close()
        raise
    return database


def keys_of(settings: Settings) -> Keys:
    """Read the signing keys."""
    return load_keys(settings.keys_file)


def secret_of(settings: Settings) -> bytes:
    """Return the secret behind forms and previews, creating it once."""
    path: Path = settings.secret_file
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        secret = path.read_bytes()
        if len(secret) != SECRET_BYTES:
            raise InvalidInput(
                "the secret is damaged", where=str(path), remedy="delete the file; everybody signs in again"
            ) from None
        return secret
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())  # after a power cut an empty file would be taken for a damaged one
    return path.read_bytes()


def transport_of(settings: Settings) -> Transport:
    """The way out: SMTP when it is set, else the built-in outbox."""
    return open_transport(
        settings.smtp_url.get_secret_value(),
        outbox_folder=settings.outbox_dir,
        ca_file=settings.smtp_ca_file,
    )


def sealer_of(settings: Settings) -> Callable[[], Sealer]:
    """What seals other systems' secrets; its key is made, and what it needs is loaded, when it is asked for first."""

    @cache
    def sealer() -> Sealer:
        from resonanz.sealing import open_sealer

        return open_sealer(settings.sealing_file)

    return sealer


def opener_of(settings: Settings, database: Database) -> Opener:
    """What makes the transports that are stored in the database."""
    return Opener(database, sealer_of(settings), ca_file=settings.smtp_ca_file)


def delivery_taker(settings: Settings, database: Database, keys: Keys) -> TakeDelivery:
    """What takes a provider's webhook in; loaded with the first delivery."""

    @cache
    def webhooks() -> Webhooks:
        from resonanz.ingest.webhooks import Webhooks
        from resonanz.outbound import Rules, fetch

        rules = Rules(limit_bytes=100_000, seconds=10.0)
        judging = cache(lambda: judging_of(settings, networks_of(settings)))
        return Webhooks(
            database, keys, sealer_of(settings), partial(fetch, rules=rules), judging, own_sites_of(settings)
        )

    def take(provider: UUID, body: bytes, headers: Mapping[str, str], url: str, password: str, now: datetime) -> int:
        from resonanz.ingest.webhooks import Incoming, take_delivery

        return take_delivery(webhooks(), Incoming(provider, body, headers, url, password), now)

    return take


def deliveries_of(settings: Settings, database: Database, keys: Keys) -> Deliveries:
    """Return what takes the mails of mailboxes. It is loaded where there is a mailbox: most workers read none."""
    from resonanz.ingest.deliveries import SOURCE, Deliveries
    from resonanz.sending.replies import take_and_pass_on

    domain = settings.return_path_domain

    def take(arrived: Arrived, message_id: UUID, came: Came, now: datetime) -> Taken:
        return take_and_pass_on(database, arrived, message_id, source=SOURCE, domain=domain, came=came, now=now)

    return Deliveries(database, keys, domain=domain, take_answer=take)


def unknown_mode(settings: Settings) -> Callable[[Tx], TrackingMode]:
    """How contacts without a recorded choice are tracked: the setting where it is set, else what was chosen."""
    fixed = settings.tracking_without_choice
    return tracking_without_choice if fixed is None else lambda _tx: fixed


def networks_of(settings: Settings) -> Networks:
    """The catalogue of networks; what the package brings, loudly, where the folder holds something unusable."""
    from resonanz.ingest.judge.networks import Networks

    try:
        return Networks(settings.networks_dir)
    except InvalidInput as error:
        log.error("networks of this instance are left out", error=str(error))
        return Networks()


def places_of(settings: Settings) -> Places:
    """The databases of places; the countries in the box alone, loudly, where one of them is unusable."""
    from resonanz.ingest.place import Places

    try:
        return Places(settings.place_databases)
    except InvalidInput as error:
        log.error("databases of places are left out", error=str(error))
        return Places()


def judging_of(settings: Settings, networks: Networks, places: Places | None = None) -> Judging:
    """How this instance judges, by its windows and its catalogue, where it places people, and how long it keeps who
    asked."""
    from resonanz.ingest.judge import Windows
    from resonanz.ingest.judging import Judging

    in_force = Judging(
        windows=Windows.of(json.loads(settings.judge_windows)) if settings.judge_windows else Windows(),
        classify=networks.classify,
        place_of=(places or places_of(settings)).place_of,
        keep=timedelta(days=settings.keep_evidence_days) if settings.keep_evidence_days else None,
        own_key=None if settings.count_own else secret_of(settings),
        silent=frozenset(settings.shadow_rules),
    )
    with_shadow = replace(in_force, classify=partial(networks.classify, shadow=True), silent=frozenset())

    def shadow() -> Judging | None:
        return with_shadow if in_force.silent or any(row.state == "shadow" for row in networks.rows) else None

    return replace(in_force, shadow=shadow)


def own_sites_of(settings: Settings) -> Callable[[Tx], frozenset[str]]:
    """Which sites are the sender's own: the setting where it is set, else what was named on the account page."""
    fixed = settings.sites
    return own_sites if fixed is None else lambda _tx: frozenset(fixed)


def limits_of(settings: Settings) -> Limits:
    """The limits of a submission."""
    return Limits(size_bytes=int(settings.max_message), recipients=settings.max_recipients)


def submitter(settings: Settings, database: Database) -> Callable[[Draft, datetime], Receipt]:
    """The one way in for mail, for every door."""
    limits = limits_of(settings)
    return lambda draft, now: submit(database, draft, limits=limits, now=now)


def group_submitter(settings: Settings, database: Database) -> Callable[[Draft, datetime], Receipt]:
    """The same way in, for a door through which many come at once."""
    from resonanz.sending.together import Together

    return Together(database, limits_of(settings)).submit


def look_up_with(settings: Settings, *, seconds: float = 4) -> LookUp:
    """Return what holds a sender's domain against DNS; `seconds` is the time for one question. Nothing more is loaded
    before it is first used."""

    def look_up(domain: str, tracking_host: str) -> list[Record]:
        import socket

        from resonanz.outbound import Resolver
        from resonanz.sending.domain_records import Surroundings, check_domain
        from resonanz.sending.signing import SigningKeys

        around = Surroundings(tracking_host, settings.return_path_domain, socket.getfqdn())
        signers = SigningKeys(settings.signing_keys_dir).signers_for(domain)
        return check_domain(domain, signers, around, Resolver(settings.dns_servers, seconds=seconds))

    return look_up


def authenticator(database: Database) -> Callable[[str, datetime], Account | None]:
    """The check of an API key."""
    return lambda secret, now: authenticate_key(database, secret, now)


def mail_authenticator(database: Database) -> Callable[[str, datetime], Account | None]:
    """The check of a mail program's password, or of an API key in its place."""
    return lambda secret, now: authenticate_mail(database, secret, now)


# ── Commands that act at once ───────────────────────────────────────────────────────────────────────────────────────


def submit_raw(
    settings: Settings,
    raw: bytes,
    *,
    recipients: tuple[str, ...],
    sender: str | None,
    opens: TrackingMode,
    clicks: TrackingMode,
    documents: bool,
    bulk: bool,
) -> Receipt:
    """Hand in a mail from the command line."""
    draft = Draft(
        account_id=None,
        source="cli",
        sender=sender or "",
        recipients=recipients,
        raw=raw,
        track_opens=opens,
        track_clicks=clicks,
        documents=documents,
        bulk=bulk,
    )
    database = database_of(settings)
    try:
        return submitter(settings, database)(draft, model.now())
    finally:
        database.close()
