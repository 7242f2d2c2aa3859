"""Custom tracking domains: which host the links of a mail carry, and the rules for adding one.

Receivers look at where links lead; a host under the sender's own domain is trusted more than a shared one. A domain
stands in mails only once it is confirmed to lead here: a link to nowhere cannot be mended in a mail that is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

import idna

from resonanz.model import Conflict, InvalidInput, NotFound
from resonanz.store import Database, Tx, domains
from resonanz.store.domains import Domain

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?").fullmatch


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at a domain's DNS found: whether it leads here (None: that could not be found out), and in words what
    was seen or what is to be done."""

    leads_here: bool | None
    note: str


Check = Callable[[str], Checked]


def not_checked(name: str) -> Checked:
    """Say that nobody here can ask DNS."""
    return Checked(None, "could not be found out: there is nobody to ask here")


@dataclass(frozen=True, slots=True)
class TrackingHosts:
    """Where links lead, by the sender's domain; `otherwise` is the edge's own address."""

    otherwise: str
    by_sender: Mapping[str, str]

    @classmethod
    def load(cls, tx: Tx, edge_url: str) -> TrackingHosts:
        """Read what is in use."""
        known = [one for one in domains.list_domains(tx) if one.in_use]
        return cls(edge_url, {sender: f"https://{one.name}" for one in known for sender in one.senders})

    def for_sender(self, address: str) -> str:
        """Return the base address of links in mail from `address`: that of the nearest domain above it."""
        domain = address.rpartition("@")[2].lower()
        while domain:
            found = self.by_sender.get(domain)
            if found is not None:
                return found
            domain = domain.partition(".")[2]
        return self.otherwise


def host_name(text: str, where: str) -> str:
    """Return a host as DNS knows it: lower case, without a final dot, in A-labels. Raises InvalidInput."""
    text = text.strip().rstrip(".")
    try:
        name = text.lower() if text.isascii() else idna.encode(text, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        name = ""
    labels = name.split(".")
    if len(labels) < 2 or len(name) > 253 or not all(map(_LABEL, labels)) or labels[-1].isdigit():
        raise InvalidInput(
            "is no host name", where=where, remedy="give it without scheme and path, such as track.example.org"
        )
    return name


def add_domain(
    database: Database,
    name: str,
    senders: Sequence[str],
    *,
    edge_url: str,
    actor: str,
    now: datetime,
    check: Check | None,
) -> Domain:
    """Add a domain for mail from these senders' domains, and look whether it leads here; return how it stands.

    Without `check` it is taken at the operator's word. Raises InvalidInput (`name`, `senders`), Conflict when the
    domain is there already or a sender has one.
    """
    name = host_name(name, "name")
    sender_domains = sorted({host_name(sender.rpartition("@")[2], "senders") for sender in senders})
    if not sender_domains:
        raise InvalidInput("are missing", where="senders", remedy="name the domains that mail with these links is from")
    if name == urlsplit(edge_url).hostname:
        raise InvalidInput("is the edge's own address, which needs no entry", where="name")
    seen = Checked(True, f"taken at the word of {actor}") if check is None else check(name)
    domain = _as_seen(Domain(name, tuple(sender_domains), now, actor), seen, now)
    with database.write() as tx:
        if not domains.add_domain(tx, domain):
            raise Conflict("is there already", where="name", remedy="remove it first to change its senders")
        if domains.add_senders(tx, name, sender_domains) != len(sender_domains):
            raise Conflict("one of them has a tracking domain already", where="senders", remedy="see the list")
    return domain


def check_domain(database: Database, name: str, *, now: datetime, check: Check) -> Domain:
    """Look again whether a domain leads here, and write down what was seen.

    One that leads elsewhere is left out of mails to come; when it could not be found out, nothing changes but the note.
    Raises NotFound.
    """
    name = host_name(name, "name")
    with database.read() as tx:
        known = _find(tx, name)
    checked = _as_seen(known, check(name), now)
    with database.write() as tx:
        if not domains.save_check(tx, checked):
            raise _unknown()
    return checked


def _as_seen(domain: Domain, seen: Checked, now: datetime) -> Domain:
    in_use = domain.in_use if seen.leads_here is None else seen.leads_here
    confirmed_at = domain.confirmed_at or (now if in_use else None)
    return replace(domain, confirmed_at=confirmed_at, in_use=in_use, checked_at=now, check_note=seen.note)


def remove_domain(database: Database, name: str) -> None:
    """Remove a domain: the edge does not answer for it any more, and links in mails that carry it end with its
    certificate. Raises NotFound."""
    with database.write() as tx:
        if not domains.remove_domain(tx, host_name(name, "name")):
            raise _unknown()


def _find(tx: Tx, name: str) -> Domain:
    found = next((one for one in domains.list_domains(tx) if one.name == name), None)
    if found is None:
        raise _unknown()
    return found


def _unknown() -> NotFound:
    return NotFound("there is no such tracking domain", where="name", remedy="see `resonanz domain list`")
