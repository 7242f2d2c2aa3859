"""The layer for delivery status notifications (RFC 3464): fields per recipient, each with its own outcome."""

from __future__ import annotations

import re

from resonanz.mail.refusals import Outcome, Reason, Refusal, read_code, read_status, understand
from resonanz.mail.reports.addresses import typed_address
from resonanz.mail.reports.naming import REJECTED_BECAUSE
from resonanz.mail.reports.parts import Fields, Parts
from resonanz.mail.reports.prose import is_delivery_report, words_about
from resonanz.mail.reports.report import MAX_DIAGNOSTIC, MAX_RECIPIENTS, Report, ReportedRecipient, kind_of

# How systems spell the five actions of RFC 3464 section 2.3.3.
_ACTIONS = (
    ("delivered", re.compile(r"deliver(ed|able)|success|relayed and delivered")),
    ("relayed", re.compile(r"relayed|expanded")),
    ("delayed", re.compile(r"delay|transient|deferred|warning")),
    ("failed", re.compile(r"fail|error|undeliver|reject|bounce|expired|permanent")),
)
# What PowerMTA made of the reply itself; asked where we make nothing of it.
_POWERMTA = {
    "bad-mailbox": Reason.UNKNOWN_MAILBOX,
    "bad-domain": Reason.UNKNOWN_DOMAIN,
    "inactive-mailbox": Reason.MAILBOX_DISABLED,
    "quota-issues": Reason.MAILBOX_FULL,
    "spam-related": Reason.CONTENT,
    "content-related": Reason.CONTENT,
    "virus-related": Reason.CONTENT,
    "policy-related": Reason.POLICY,
    "relaying-issues": Reason.SENDER_REFUSED,
    "invalid-sender": Reason.SENDER_REFUSED,
    "message-expired": Reason.EXPIRED,
    "routing-errors": Reason.NETWORK,
    "no-answer-from-host": Reason.NETWORK,
    "bad-connection": Reason.NETWORK,
    "bad-configuration": Reason.SYSTEM,
}
_REASONLESS = {None, Reason.UNSPECIFIED, Reason.SYSTEM, Reason.NETWORK, Reason.POLICY}


def read_delivery_status(parts: Parts) -> Report | None:
    """Read the fields of a delivery status; None when there are none, or they name nobody."""
    groups = parts.status_groups
    if not groups or not _is_meant(parts):
        return None
    named = [(address, fields) for fields in groups if (address := address_of(fields))]
    words = words_about(parts, [typed_address(fields.get("final-recipient", "")) or one for one, fields in named])
    if parts.shown and len(named) == 1:  # then all that the report says is about it
        words.setdefault("", parts.shown[0].text)
    found: dict[str, ReportedRecipient] = {}
    for address, fields in named[:MAX_RECIPIENTS]:
        recipient = _reported(parts, address, fields, words)
        if recipient is not None:
            found.setdefault(address.lower(), recipient)
    recipients = tuple(found.values())
    return Report(kind_of(recipients), recipients) if recipients else None


def _is_meant(parts: Parts) -> bool:
    """Fields in a part of their own are the report; fields in a text may be somebody's quotation."""
    types = {leaf.type for leaf in parts.structure.leaves}
    return any(kind.endswith("delivery-status") for kind in types) or is_delivery_report(parts)


def address_of(fields: Fields) -> str:
    """Whom a group of fields is about.

    The original recipient is whom we wrote to. Where the final one lies in another organisation, the mail was forwarded
    and it is the forward that failed; within one it is only the name that a system has for its own user.
    """
    original = typed_address(fields.get("original-recipient", ""))
    final = typed_address(fields.get("final-recipient", ""))
    if not original or original == final.replace('"', ""):  # some lose the quotes that a local part needs
        return final or typed_address(fields.get("x-actual-recipient", ""))
    ours, theirs = (address.rpartition("@")[2].lower() for address in (original, final))
    is_within = not final or "." not in theirs or f".{theirs}".endswith(f".{ours}") or f".{ours}".endswith(f".{theirs}")
    return original if is_within else final


def _reported(parts: Parts, address: str, fields: Fields, said: dict[str, str]) -> ReportedRecipient | None:
    action = _action(fields)
    if action is None:
        return None
    diagnostic = _diagnostic(fields)
    status = read_status(diagnostic) or read_status(fields.get("status", ""))
    if action in ("delivered", "relayed"):
        # Relayed means: handed on to a system that sends no reports. That is no proof of delivery.
        outcome = Outcome.DELIVERED if action == "delivered" else None
        return ReportedRecipient(address, outcome, status, read_code(diagnostic), None, diagnostic)
    words = diagnostic or " ".join(fields.get("status", "").split()[1:])
    own = parts.shown and REJECTED_BECAUSE.search(parts.shown[0].text)
    if own:
        words = diagnostic = " ".join(own["reason"].split())  # who wrote the report refused it, and says why
    final = typed_address(fields.get("final-recipient", "")) or address
    told = " ".join((said.get(final.lower()) or said.get("", "")).split())
    refusal = understand(words, status=status, context=told)
    if not diagnostic or refusal.reason in _REASONLESS:
        wider = understand(told, code=refusal.code, status=status or read_status(told))
        if told and (refusal.reason in (None, Reason.UNSPECIFIED) or not diagnostic):
            refusal, diagnostic = wider, diagnostic or told[:MAX_DIAGNOSTIC]
        elif refusal.reason in _REASONLESS and wider.reason not in _REASONLESS:
            refusal = wider
    category = fields.get("x-powermta-bouncecategory", "").lower()
    if refusal.reason in _REASONLESS and category in _POWERMTA:
        refusal = Refusal(refusal.code, refusal.status, _POWERMTA[category])
    outcome = Outcome.HARD if refusal.is_dead else Outcome.SOFT
    outcome = Outcome.DELAYED if action == "delayed" else outcome
    return ReportedRecipient(address, outcome, refusal.status, refusal.code, refusal.reason, diagnostic)


def _action(fields: Fields) -> str | None:
    said = fields.get("action", "").lower()
    found = next((action for action, pattern in _ACTIONS if pattern.match(said.strip())), None)
    if found is None and ("action" not in fields or said.strip()):
        status = read_status(fields.get("status", "") + " " + fields.get("diagnostic-code", ""))
        found = {"2": "delivered", "4": "delayed", "5": "failed"}.get(status[:1])
    return found


def _diagnostic(fields: Fields) -> str:
    text = fields.get("diagnostic-code", "")
    kind, semicolon, rest = text.partition(";")
    if semicolon and re.fullmatch(r"\s*[A-Za-z0-9-]{1,30}\s*", kind):
        text = rest
    return " ".join(text.split())[:MAX_DIAGNOSTIC]
