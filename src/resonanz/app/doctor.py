"""`resonanz doctor`: what this instance leans on, looked at one by one, each with its remedy."""

from __future__ import annotations

import asyncio
import ctypes
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal

from sqlalchemy import text

from resonanz import model
from resonanz.model import ResonanzError

if TYPE_CHECKING:
    from resonanz.app.settings import Settings

State = Literal["ok", "warning", "broken"]

LOW_DISK = 1_000_000_000  # bytes: below, a warning
NO_DISK = 100_000_000  # bytes: below, journals may soon fail
CLOCK_TOLERANCE = 5.0  # seconds
LAG_WARNING = 10_000  # hits waiting to be taken over
OLD_SNAPSHOT = 900.0  # seconds; a worker writes one every minute
SILENT_DAYS = 7  # after which a mailbox that brought no report is asked about
WIDE_NETWORK = 65_536  # addresses; IPv6 networks of providers are wider, and as open
TIMEOUT = 5.0  # seconds for each question to another server


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw. `remedy` is empty when there is nothing to do."""

    check: str
    state: State
    detail: str
    remedy: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Run every check; one that fails in an unforeseen way is a finding, never an end to the others."""
    findings: list[Finding] = []
    for check in (
        _database,
        _disk,
        _keys,
        _journal,
        _snapshot,
        _providers,
        _webhooks,
        _proxies,
        _edge,
        _dashboard,
        _smtp,
        _transports,
        _mailboxes,
        _place,
        _networks,
        _clock,
    ):
        name = check.__name__.removeprefix("_")
        try:
            findings.extend(check(settings))
        except ResonanzError as error:
            findings.append(
                Finding(name, "broken", f"{error.where}: {error.what}" if error.where else error.what, error.remedy)
            )
        except Exception as error:  # a check that breaks is itself a finding
            findings.append(Finding(name, "broken", f"{type(error).__name__}: {error}"))
    return findings


# ── The checks ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _database(settings: Settings) -> Iterator[Finding]:
    from resonanz.store import open_database
    from resonanz.store.aside import count_aside
    from resonanz.store.revision import check_migrated

    database = open_database(settings.database_url.get_secret_value())
    try:
        check_migrated(database)
        with database.read() as tx:
            version = tx.execute(text("SELECT sqlite_version()" if database.is_sqlite else "SHOW server_version"))
            kind = "SQLite" if database.is_sqlite else "PostgreSQL"
            yield Finding("database", "ok", f"{kind} {version.scalar_one()}, tables up to date")
            if aside := count_aside(tx):
                yield Finding(
                    "hits aside",
                    "warning",
                    f"{aside} hits could not be turned into facts; they are kept",
                    "report the error in the log, upgrade, then `resonanz journal retry`",
                )
    finally:
        database.close()


def _disk(settings: Settings) -> Iterator[Finding]:
    if not settings.data_dir.is_dir():
        yield Finding("disk", "broken", f"no folder {settings.data_dir}", "run `resonanz setup`")
        return
    free = shutil.disk_usage(settings.data_dir).free
    state: State = "broken" if free < NO_DISK else "warning" if free < LOW_DISK else "ok"
    remedy = "" if state == "ok" else "free some space, or move RESONANZ_DATA_DIR to a larger disk"
    yield Finding("disk", state, f"{free / 1e9:.1f} GB free in {settings.data_dir}", remedy)


def _keys(settings: Settings) -> Iterator[Finding]:
    from resonanz.tokens import load_keys

    keys = load_keys(settings.keys_file)
    loose = settings.keys_file.stat().st_mode & 0o077
    if loose:
        yield Finding(
            "keys", "warning", f"{settings.keys_file} can be read by others", f"chmod 600 {settings.keys_file}"
        )
    else:
        yield Finding("keys", "ok", f"key {keys.signing.id} signs, {len(list(keys))} verify")


def _journal(settings: Settings) -> Iterator[Finding]:
    from resonanz.journal import JournalReader

    settings.journal_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=settings.journal_dir) as probe:
        probe.write(b"probe")
    reader = JournalReader(settings.journal_dir)
    waiting = sum(reader.depth(journal) for journal in reader.journals())
    if waiting > LAG_WARNING:
        yield Finding("journal", "warning", f"{waiting} hits wait to be taken over", "is `resonanz worker` running?")
    else:
        yield Finding("journal", "ok", f"writable, {waiting} hits waiting")


def _snapshot(settings: Settings) -> Iterator[Finding]:
    from resonanz.snapshot import load_snapshot

    worker = "is `resonanz worker` running beside this edge?"
    try:
        snapshot = load_snapshot(settings.snapshot_file)
    except FileNotFoundError:
        yield Finding("snapshot", "warning", "no worker has told the edges anything yet", worker)
        return
    age = time.time() - snapshot.made_us / 1e6
    if age > OLD_SNAPSHOT:
        yield Finding("snapshot", "warning", f"what edges are told is {age:.0f} s old", worker)
    elif snapshot.left_out:
        what = f"{snapshot.left_out} mails do not fit in; of the oldest, edges do not know that they are silent"
        yield Finding("snapshot", "ok", what, "nothing to do: ingest drops their hits")
    else:
        ids = len(snapshot.silent) + len(snapshot.silent_opens) + len(snapshot.silent_clicks)
        told = f"{max(0.0, age):.0f} s old: {ids} mails silent, {len(snapshot.blocked)} ids blocked"
        yield Finding("snapshot", "ok", f"{told}, {len(snapshot.domains)} custom domains")


def _providers(settings: Settings) -> Iterator[Finding]:
    from resonanz.ingest.providers import PROVIDERS
    from resonanz.store import open_database
    from resonanz.store.providers import list_providers

    database = open_database(settings.database_url.get_secret_value())
    try:
        with database.read() as tx:
            rows = list_providers(tx)
    finally:
        database.close()
    for row in rows:
        title = f"{PROVIDERS[row.provider].title} {row.label}".strip()
        if row.secrets is None:
            remedy = f"set it: resonanz provider secret {row.id}"
            yield Finding("providers", "warning", f"{title} has no secret: nothing is let in", remedy)
        elif row.refused_at is not None and (row.last_at is None or row.refused_at > row.last_at):
            yield Finding("providers", "warning", f"{title} was turned away: {row.refusal}", "compare the secrets")
        else:
            heard = f"last heard of {row.last_at:%Y-%m-%d %H:%M} UTC" if row.last_at else "nothing heard yet"
            yield Finding("providers", "ok", f"{title}: {heard}")


def _webhooks(settings: Settings) -> Iterator[Finding]:
    from resonanz.store import open_database
    from resonanz.store.webhook_endpoints import list_endpoints, troubled_endpoints

    database = open_database(settings.database_url.get_secret_value())
    try:
        with database.read() as tx:
            troubled, known = troubled_endpoints(tx), list_endpoints(tx)
    finally:
        database.close()
    for row in troubled:
        how = f"is paused: {row.note}" if row.paused_at else f"has failed {row.failures} times in a row"
        remedy = f"resonanz webhooks deliveries {row.id} shows the answers"
        yield Finding("webhooks", "warning", f"{row.description or row.url} {how}", remedy)
    if known and not troubled:
        yield Finding("webhooks", "ok", f"{len(known)} in all, none in trouble")


def _proxies(settings: Settings) -> Iterator[Finding]:
    networks = settings.trusted_proxies
    everybody = [str(network) for network in networks if network.prefixlen == 0]
    if everybody:
        yield Finding(
            "proxies",
            "broken",
            f"{', '.join(everybody)} trusts everybody: any reader can claim any address",
            "list your proxies only in RESONANZ_TRUSTED_PROXIES",
        )
    elif any(not network.is_private and network.num_addresses > WIDE_NETWORK for network in networks):
        yield Finding(
            "proxies",
            "warning",
            "a public network of more than 65,536 addresses is trusted",
            "whoever is in it can claim any address; list your proxies only in RESONANZ_TRUSTED_PROXIES",
        )
    elif not networks and settings.edge_url.startswith("https://"):
        yield Finding(
            "proxies",
            "warning",
            "the edge is reached over https, so through a proxy, but none is trusted: all readers look like that one",
            "set RESONANZ_TRUSTED_PROXIES to your proxy's address, such as 127.0.0.1/32,::1/128",
        )
    else:
        listed = f"{settings.proxy_header} of {', '.join(map(str, networks))}" if networks else "no header"
        yield Finding("proxies", "ok", f"{listed} is believed")


def _edge(settings: Settings) -> Iterator[Finding]:
    remedy = "is `resonanz edge` running, and does RESONANZ_EDGE_URL lead to it?"
    answer = _fetch(f"{settings.edge_url}/o/doctor.gif")
    if isinstance(answer, str):
        yield Finding("edge", "broken", f"{settings.edge_url} does not answer: {answer}", remedy)
    elif answer.kind != "image/gif":
        yield Finding("edge", "broken", f"{settings.edge_url} answers, but it is not the edge", remedy)
    elif settings.edge_url.startswith("http://localhost") or settings.edge_url.startswith("http://127."):
        yield Finding(
            "edge",
            "warning",
            f"answers at {settings.edge_url}, which only this machine can reach",
            "for real recipients set RESONANZ_EDGE_URL to a public https address that leads here",
        )
    elif settings.edge_url.startswith("http://"):
        yield Finding(
            "edge", "warning", f"answers at {settings.edge_url}, without TLS", "put a TLS proxy in front of it"
        )
    else:
        yield Finding("edge", "ok", f"answers at {settings.edge_url}")


def _dashboard(settings: Settings) -> Iterator[Finding]:
    answer = _fetch(f"{settings.dashboard_url}/healthz")
    if isinstance(answer, str):
        yield Finding(
            "dashboard",
            "broken",
            f"{settings.dashboard_url} does not answer: {answer}",
            "is `resonanz app` running, and does RESONANZ_DASHBOARD_URL lead to it?",
        )
    else:
        yield Finding("dashboard", "ok", f"answers at {settings.dashboard_url}")


def _smtp(settings: Settings) -> Iterator[Finding]:
    from resonanz.app.wiring import transport_of

    if not settings.smtp_url.get_secret_value():
        yield Finding(
            "smtp", "ok", "no SMTP server set: mail goes into the built-in outbox", "set RESONANZ_SMTP_URL to send mail"
        )
        return
    transport = transport_of(settings)
    yield Finding("smtp", "ok", asyncio.run(transport.check()))
    if not settings.return_path_domain:
        what = "no return-path domain: bounces go to the senders, and mail stays `sent`, for no delivery is confirmed"
        remedy = "set RESONANZ_RETURN_PATH_DOMAIN, and lead its mail here or to a mailbox (docs/reports.md)"
        yield Finding("return path", "warning", what, remedy)


def _transports(settings: Settings) -> Iterator[Finding]:
    """Try every named transport of the instance, short of sending; an account's own is that account's affair."""
    from resonanz.app.wiring import database_of, opener_of
    from resonanz.sending.queue_control import is_queue_paused
    from resonanz.store.transports import list_transports

    database = database_of(settings)
    try:
        with database.read() as tx:
            stored, paused = list_transports(tx), is_queue_paused(tx)
        if paused:
            yield Finding("queue", "warning", "it is paused: nothing is sent", "`resonanz queue resume`")
        opener = opener_of(settings, database)
        for one in stored:
            if one.account_id is not None:
                continue
            if one.paused:
                yield Finding(
                    "transport", "warning", f"{one.name} is paused", f"`resonanz transport resume {one.name}`"
                )
                continue
            try:
                yield Finding("transport", "ok", f"{one.name}: {asyncio.run(opener.open(one).check())}")
            except ResonanzError as error:
                yield Finding("transport", "broken", f"{one.name}: {error.what}", error.remedy)
    finally:
        database.close()


def _mailboxes(settings: Settings) -> Iterator[Finding]:
    """Look at every mailbox that reports are read from, and whether any come."""
    from resonanz.app.wiring import database_of, sealer_of
    from resonanz.ingest.mailboxes import check_mailbox
    from resonanz.store.mailboxes import list_mailboxes

    database = database_of(settings)
    try:
        with database.read() as tx:
            known = list_mailboxes(tx)
        for row in known:
            title = f"{row.username} at {row.host}"
            try:
                found = check_mailbox(database, sealer_of(settings), settings.smtp_ca_file, row.id)
            except ResonanzError as error:
                yield Finding("mailbox", "broken", f"{title}: {error.what}", error.remedy)
                continue
            if found.missing:
                remedy = "make it there, or add the mailbox anew with another one"
                yield Finding("mailbox", "broken", f"{title}: no folder {found.missing} to move reports to", remedy)
            elif found.taken_at is None and (model.now() - row.created_at).days >= SILENT_DAYS:
                what = f"{title}: readable, but no report has come in {(model.now() - row.created_at).days} days"
                remedy = "see that the address that bounces go to, the sender's or the return path, leads there"
                yield Finding("mailbox", "warning", what, remedy)
            else:
                last = f"last report {found.taken_at:%Y-%m-%d %H:%M} UTC" if found.taken_at else "no report yet"
                yield Finding("mailbox", "ok", f"{title}: {found.mails} mails in {found.folder}, {last}")
    finally:
        database.close()


def _place(settings: Settings) -> Iterator[Finding]:
    """Open the databases of places, and name them with their dates."""
    from resonanz.ingest.place import Places

    yield Finding("place", "ok", ", ".join(Places(settings.place_databases).describe()))


NETWORKS_OLD_DAYS = 90  # companies change their lists from week to week; after a season much is missing


def _networks(settings: Settings) -> Iterator[Finding]:
    """Look how old the lists of networks are that verdicts lean on."""
    from resonanz.ingest.judge.networks import Networks
    from resonanz.ingest.ranges import read_origin

    networks = Networks(settings.networks_dir)
    ages = {}
    for row in networks.rows:
        path = networks.table_of(row.list) if row.list else None
        if path is not None:
            ages[row.list] = (model.now().date() - date.fromisoformat(read_origin(path).as_of)).days
    detail = f"{len(networks.rows)} rows; oldest list: {max(ages, key=ages.__getitem__)}, {max(ages.values())} days"
    if max(ages.values()) > NETWORKS_OLD_DAYS:
        yield Finding("networks", "warning", detail, "run `resonanz networks update`, once a week or so")
    else:
        yield Finding("networks", "ok", detail)


def _clock(settings: Settings) -> Iterator[Finding]:
    """Compare with every clock at hand: the kernel's own opinion, and the Date of our public address."""
    remedy = "run a time service such as systemd-timesyncd or chrony"
    answer = _fetch(f"{settings.edge_url}/healthz")
    if not isinstance(answer, str) and answer.date and abs(answer.off_by) > CLOCK_TOLERANCE:
        yield Finding("clock", "broken", f"{abs(answer.off_by):.0f} s away from that of {settings.edge_url}", remedy)
    elif _kernel_says_unsynchronised():
        yield Finding("clock", "warning", "the kernel says that nothing keeps the clock right", remedy)
    else:
        yield Finding("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))


# ── Beneath ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Answer:
    kind: str
    date: str
    off_by: float


def _fetch(url: str) -> _Answer | str:
    """Return what our own public address answers, or why it does not. Called for addresses of the settings only."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:  # noqa: S310 - http(s) is checked in the settings
            date = response.headers.get("Date", "")
            off_by = time.time() - parsedate_to_datetime(date).timestamp() if date else 0.0
            return _Answer(response.headers.get_content_type(), date, off_by)
    except urllib.error.HTTPError as error:
        return f"status {error.code}"
    except OSError as error:
        return str(getattr(error, "reason", error))


def _kernel_says_unsynchronised() -> bool:
    """Ask the kernel (adjtimex(2) with no change) whether its clock is kept by anybody. Where it cannot say: no."""
    try:
        adjtimex: Callable[[object], int] = ctypes.CDLL(None).adjtimex
        # struct timex is 208 bytes on 64-bit Linux; modes = 0 (its first field) only reads.
        return adjtimex(ctypes.create_string_buffer(512)) == 5  # TIME_ERROR
    except (OSError, AttributeError):
        return False
