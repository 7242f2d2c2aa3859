"""What a sender's domain has to publish in DNS so that its mail is trusted, and what it does publish.

SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 9989), the tracking host, and the domain that bounces come back to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol

from resonanz.model import InvalidInput, TemporaryFailure

if TYPE_CHECKING:
    from resonanz.mail.dkim import Signer

MAX_SPF_LOOKUPS = 10  # RFC 7208 section 4.6.4: a receiver that needs more gives up with permerror
_ASKING_TERMS = ("include", "a", "mx", "ptr", "exists", "redirect")


class State(StrEnum):
    """How a record stands."""

    OK = "ok"
    WEAK = "weak"  # it works, and could be better
    MISSING = "missing"
    WRONG = "wrong"
    UNKNOWN = "unknown"  # DNS did not answer; nothing is said about the record


@dataclass(frozen=True, slots=True)
class Record:
    """One record: where it stands, what it should say, what it says, and what that means.

    `wanted` is a text to publish as it is; empty where only the sender can know it. `found` are the texts in DNS.
    """

    purpose: str
    name: str
    kind: str
    wanted: str
    found: tuple[str, ...]
    state: State
    note: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the instance knows of itself: its tracking host, the domain of its return paths (empty: none), and the name
    of the host where that mail arrives."""

    tracking_host: str
    return_path_domain: str
    relay_host: str


class Names(Protocol):
    """DNS, as `outbound.Resolver` asks it."""

    def texts(self, name: str) -> list[str]: ...
    def mail_hosts(self, name: str) -> list[tuple[int, str]]: ...
    def addresses(self, name: str) -> list[str]: ...


def check_domain(domain: str, signers: Sequence[Signer], around: Surroundings, names: Names) -> list[Record]:
    """Hold a sender's domain (lower case, in A-labels) against DNS. A question that nobody answers makes one record
    unknown, no more.

    The five checks ask at the same time: where DNS is silent, whoever waits does so for one of them and not for all.
    """
    checks: list[tuple[str, Callable[[], Iterator[Record]]]] = [
        ("dkim", lambda: _dkim(domain, signers, names)),
        ("spf", lambda: _spf(domain, around, names)),
        ("dmarc", lambda: _dmarc(domain, names)),
        ("tracking", lambda: _tracking(around, names)),
        ("return path", lambda: _return_path(around, names)),
    ]
    with ThreadPoolExecutor(len(checks), "domain") as threads:
        return [record for records in threads.map(_asked, checks) for record in records]


def _asked(check: tuple[str, Callable[[], Iterator[Record]]]) -> list[Record]:
    purpose, ask = check
    try:
        return list(ask())
    except TemporaryFailure as failure:
        kind, _, name = failure.where.partition(" ")
        return [Record(purpose, name, kind, "", (), State.UNKNOWN, f"{failure.what}; {failure.remedy}")]
    except InvalidInput as error:  # such as `include:` with two dots in a row
        return [Record(purpose, error.where, "", "", (), State.WRONG, f"What is to be asked for is {error.what}.")]


# ── DKIM ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _dkim(domain: str, signers: Sequence[Signer], names: Names) -> Iterator[Record]:
    if not signers:
        remedy = (
            f"Nothing signs mail from {domain} here. Make a key: resonanz dkim create {domain} "
            "(not needed where the server that it goes out by signs for this domain)"
        )
        yield Record("dkim", f"*._domainkey.{domain}", "TXT", "", (), State.MISSING, remedy)
    for signer in signers:
        found = tuple(names.texts(signer.name))
        published = [_tags(text).get("p", "").replace(" ", "") for text in found]
        if signer.public in published and len(found) == 1:
            state, note = State.OK, "Receivers can verify our signature."
        elif signer.public in published:
            state, note = State.WRONG, "More than one record stands here; receivers may read the wrong one. Keep one."
        elif found:
            state, note = State.WRONG, "Another key is published: our signatures fail. Publish this one instead."
        else:
            state, note = State.MISSING, "Our signatures fail until this is published."
        yield Record("dkim", signer.name, "TXT", signer.record, found, state, note)


# ── SPF ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _spf(domain: str, around: Surroundings, names: Names) -> Iterator[Record]:
    """Receivers look at the domain of the envelope: that of the return paths where there is one."""
    for name in dict.fromkeys((around.return_path_domain or domain, domain)):
        found = tuple(text for text in names.texts(name) if _is_spf(text))
        yield Record("spf", name, "TXT", "", found, *_judge_spf(name, found, names))


def _judge_spf(name: str, found: Sequence[str], names: Names) -> tuple[State, str]:
    if not found:
        return State.MISSING, f"Publish who may send for {name}, such as: v=spf1 a:mail.example.org -all"
    if len(found) > 1:
        return State.WRONG, "Two SPF records count as none (RFC 7208 section 4.5). Join them into one."
    lookups = _spf_lookups(found[0], names, frozenset({name}))
    if lookups > MAX_SPF_LOOKUPS:
        return State.WRONG, f"It takes more than {MAX_SPF_LOOKUPS} look-ups, where receivers give up. Shorten it."
    last = found[0].lower().split()[-1]
    if last in ("-all", "~all") or last.startswith("redirect="):
        return State.OK, f"{lookups} of {MAX_SPF_LOOKUPS} look-ups. Make sure that it names the server that sends."
    if last in ("+all", "all"):
        return State.WRONG, "It allows everybody to send in your name. End it with -all or ~all."
    return State.WEAK, "It does not say what to do with other servers. End it with -all or ~all."


def _spf_lookups(text: str, names: Names, seen: frozenset[str]) -> int:
    """Count the terms that ask DNS, with those of included records; stops where it is too many anyway."""
    lookups = 0
    for term in text.lower().split()[1:]:
        mechanism, _, value = term.lstrip("+-~?").replace("=", ":", 1).partition(":")
        if mechanism.partition("/")[0] not in _ASKING_TERMS:
            continue
        lookups += 1
        # A name with a macro differs from mail to mail and cannot be followed here.
        if (
            mechanism in ("include", "redirect")
            and value not in seen
            and "%" not in value
            and lookups <= MAX_SPF_LOOKUPS
        ):
            included = next((found for found in names.texts(value) if _is_spf(found)), "v=spf1")
            lookups += _spf_lookups(included, names, seen | {value})
    return lookups


def _is_spf(text: str) -> bool:
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


# ── DMARC ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _dmarc(domain: str, names: Names) -> Iterator[Record]:
    """The policy of the domain, else of the nearest one above it (RFC 9989 section 4.10: the tree walk)."""
    wanted = f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}"
    labels = domain.split(".")
    for name in (f"_dmarc.{'.'.join(labels[at:])}" for at in range(len(labels) - 1)):
        found = tuple(text for text in names.texts(name) if text.replace(" ", "").lower().startswith("v=dmarc1"))
        if found:
            yield Record("dmarc", name, "TXT", "", found, *_judge_dmarc(found))
            return
    yield Record(
        "dmarc", f"_dmarc.{domain}", "TXT", wanted, (), State.MISSING, "Gmail, Yahoo and Microsoft ask senders for it."
    )


def _judge_dmarc(found: Sequence[str]) -> tuple[State, str]:
    if len(found) > 1:
        return State.WRONG, "Two policies count as none. Keep one."
    policy = _tags(found[0]).get("p", "").lower()
    if policy in ("quarantine", "reject"):
        return State.OK, "Mail that is neither signed nor sent by you is kept away from readers."
    if policy == "none":
        return State.WEAK, "It only watches. Once the reports look right, say p=quarantine or p=reject."
    return State.WRONG, "It names no policy: p must be none, quarantine or reject."


def _tags(text: str) -> dict[str, str]:
    """Read a tag list (RFC 6376 section 3.2)."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


# ── Where tracking and bounces lead ─────────────────────────────────────────────────────────────────────────────────


def _tracking(around: Surroundings, names: Names) -> Iterator[Record]:
    host = around.tracking_host
    if reach := _bare_host(host):
        yield Record("tracking", host, "A", "", (), *reach)
        return
    found = tuple(names.addresses(host))
    state = State.OK if found else State.MISSING
    note = "Links and pixels lead here." if found else "Links and pixels lead nowhere: give this host an address."
    yield Record("tracking", host, "A", "", found, state, note)


def _bare_host(host: str) -> tuple[State, str] | None:
    """Judge what needs no DNS: this machine's own name, and an address in place of a name."""
    try:
        is_own = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return None
    if is_own:
        return (
            State.WRONG,
            "Only this machine can follow links and fetch pixels. Set RESONANZ_EDGE_URL to a public name.",
        )
    return State.WEAK, "Links show an address in place of a name, which filters distrust. Give the edge a name."


def _return_path(around: Surroundings, names: Names) -> Iterator[Record]:
    domain = around.return_path_domain
    if not domain:
        note = "RESONANZ_RETURN_PATH_DOMAIN is not set: bounces go to the sender, and no delivery is confirmed."
        yield Record("return path", "", "MX", "", (), State.WEAK, note)
        return
    found = names.mail_hosts(domain)
    texts = tuple(f"{preference} {host}" for preference, host in found)
    # Many a machine does not know its own name: nobody is told to publish `localhost`.
    is_named = "." in around.relay_host and not around.relay_host.startswith("localhost.")
    wanted = f"10 {around.relay_host}" if is_named else ""
    if not found:
        state, note = State.MISSING, "Bounces do not come back to us. Lead them to the host of our inbound door."
    elif not any(host and names.addresses(host) for _, host in found):
        state, note = State.WRONG, "No host named here has an address: bounces get lost."
    else:
        state, note = State.OK, "Bounces come back. Make sure that this host leads to our inbound door."
    yield Record("return path", domain, "MX", wanted, texts, state, note)
