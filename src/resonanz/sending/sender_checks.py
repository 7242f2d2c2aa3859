"""The last look at what a sender's domain publishes: taken when somebody asks for it, and kept, so that pages and
campaigns tell of it without waiting for DNS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from resonanz.mail.address import ascii_domain, parse_address
from resonanz.model import InvalidInput
from resonanz.sending.domain_records import Record, State
from resonanz.sending.domains import TrackingHosts
from resonanz.store import sender_checks

if TYPE_CHECKING:
    from resonanz.store import Database, Tx

MAX_FOUND = 20  # texts kept of one record; a zone may hold any number, of up to 64 KB each
MAX_TEXT = 1_000

# A domain and the host that links in its mail carry → its records held against DNS; takes seconds.
LookUp = Callable[[str, str], list[Record]]

FAILING = (State.MISSING, State.WRONG)
PURPOSES = {
    "dkim": "DKIM",
    "spf": "SPF",
    "dmarc": "DMARC",
    "tracking": "tracking host",
    "return path": "return path",
    "dns": "DNS",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What was seen of a domain: when, at whose wish, and its records in the order of the checks."""

    domain: str
    checked_at: datetime
    checked_by: str
    records: tuple[Record, ...]

    @property
    def failing(self) -> tuple[Record, ...]:
        """The records that are missing or wrong."""
        return tuple(record for record in self.records if record.state in FAILING)


def nobody_to_ask(_domain: str, _tracking_host: str) -> list[Record]:
    """Say that nobody here can ask DNS."""
    return [Record("dns", "", "", "", (), State.UNKNOWN, "There is nobody to ask here.")]


def domain_of(sender: str) -> str:
    """Return the domain of a sender as typed, an address or a name with one; empty for what is no address."""
    try:
        return parse_address(sender).domain
    except InvalidInput:
        return ""


def look(database: Database, domain: str, *, edge_url: str, look_up: LookUp, actor: str, now: datetime) -> Checked:
    """Ask DNS about a domain, and keep what it says. Raises InvalidInput for what is no domain."""
    domain = read_domain(domain)
    with database.read() as tx:
        host = urlsplit(TrackingHosts.load(tx, edge_url).for_sender(f"@{domain}")).hostname or ""
    records = tuple(_cut(record) for record in look_up(domain, host))
    with database.write() as tx:
        kept = tuple(asdict(record) for record in records)
        sender_checks.save_check(tx, sender_checks.SenderCheck(domain, now, actor, kept))
    return Checked(domain, now, actor, records)


def last_look(tx: Tx, domain: str) -> Checked | None:
    """Return what the last look saw of a domain, or None if there was none."""
    found = sender_checks.get_check(tx, domain)
    if found is None:
        return None
    records = tuple(
        Record(**{**record, "found": tuple(record["found"]), "state": State(record["state"])})
        for record in found.records
    )
    return Checked(found.domain, found.checked_at, found.checked_by, records)


def read_domain(text: str) -> str:
    """Return a domain as DNS knows it: lower case, in A-labels, without a final dot. Raises InvalidInput."""
    try:
        domain = ascii_domain(text)
    except InvalidInput:
        domain = ""
    if "." not in domain or domain.startswith("["):
        raise InvalidInput("not a domain", where=text[:100], remedy="give it like example.org")
    return domain


def complaint(checked: Checked) -> str:
    """Say in one sentence what is missing or wrong; empty when nothing is."""
    parts = dict.fromkeys(f"{PURPOSES[record.purpose]} is {record.state}" for record in checked.failing)
    return f"{checked.domain} is not ready to send, receivers may refuse its mail: {', '.join(parts)}" if parts else ""


def _cut(record: Record) -> Record:
    # PostgreSQL's JSON holds no NUL, and a TXT record may.
    return replace(record, found=tuple(text[:MAX_TEXT].replace("\0", "\ufffd") for text in record.found[:MAX_FOUND]))
