"""Reports that mail systems send about mail: what kind of report it is, whom it is about, what became of the mail.

Read in layers, the surest first: feedback reports (RFC 5965), read receipts (RFC 8098), delivery status notifications
(RFC 3464), automatic replies (RFC 3834). Whose mail it was is read apart from that: from a return path of ours, else
from the Message-ID of the returned copy. A report is foreign text: nothing in it is believed beyond what it says, and
reading one never raises.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from resonanz.mail.charset import decode_leniently
from resonanz.mail.headers import Block, read_block
from resonanz.mail.refusals import Outcome, Reason, read_status, understand
from resonanz.mail.structure import Part, Structure, parse

MAX_BYTES = 1_000_000  # of a report that are read: what stands behind is the returned mail's own content
MAX_RECIPIENTS = 1_000
MAX_DIAGNOSTIC = 2_000  # characters


class ReportKind(StrEnum):
    """What sort of report a message is."""

    BOUNCE = "bounce"  # at least one recipient did not get it
    DELAY = "delay"  # still being tried
    DELIVERED = "delivered"
    COMPLAINT = "complaint"  # the recipient called it spam
    AUTOREPLY = "autoreply"  # out of office, or a robot's answer
    RECEIPT = "receipt"  # a mail client says that it was displayed, or deleted unread
    NONE = "none"  # no report at all


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """What the report says about one recipient. `outcome` is None where it says nothing about delivery."""

    address: str
    outcome: Outcome | None = None
    status: str = ""
    code: int | None = None
    reason: Reason | None = None
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A report understood.

    `message_id` is that of the mail it is about, with its angle brackets, `token` the local part of one of our return
    paths as it came back; both empty when not found. `detail` is the feedback type of a complaint and the disposition
    of a receipt.
    """

    kind: ReportKind
    recipients: tuple[ReportedRecipient, ...] = ()
    message_id: str = ""
    token: str = ""
    detail: str = ""


def read_report(message: bytes) -> Report:
    """Read a message as a report. Never raises; what is no report comes back as kind `none`."""
    structure = parse(message[:MAX_BYTES])
    returned = _returned_copy(structure)
    token = _find_token(structure, returned)
    message_id = _message_id(structure, returned)
    for layer in LAYERS:
        found = layer(structure, returned)
        if found is not None:
            return Report(found.kind, found.recipients, message_id, token, found.detail)
    return Report(ReportKind.NONE, (), message_id, token)


# ── Layers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _feedback(structure: Structure, returned: Block | None) -> Report | None:
    """A complaint (RFC 5965). `not-spam` takes one back and `auth-failure` is about the sender: neither is one."""
    part = _part_of(structure, "message/feedback-report")
    if part is None:
        return None
    fields = next(iter(_field_groups(_decoded(structure, part))), {})
    feedback = fields.get("feedback-type", "abuse").lower()
    if feedback in ("not-spam", "auth-failure"):
        return Report(ReportKind.NONE, detail=feedback)
    address = _bare(fields.get("original-rcpt-to", "")) or _bare(_text_of(returned, "To"))
    return Report(ReportKind.COMPLAINT, _about(address), detail=feedback)


def _receipt(structure: Structure, returned: Block | None) -> Report | None:
    """A read receipt (RFC 8098): displayed, or deleted without having been read."""
    part = _part_of(structure, "message/disposition-notification")
    if part is None:
        return None
    fields = next(iter(_field_groups(_decoded(structure, part))), {})
    disposition = fields.get("disposition", "").rpartition(";")[2].partition("/")[0].strip().lower()
    address = _typed(fields.get("final-recipient", "")) or _typed(fields.get("original-recipient", ""))
    return Report(ReportKind.RECEIPT, _about(address), detail=disposition)


def _delivery_status(structure: Structure, returned: Block | None) -> Report | None:
    """A delivery status notification (RFC 3464): one group of fields per recipient, each with its own outcome."""
    part = _part_of(structure, "message/delivery-status", "message/global-delivery-status")
    if part is None:
        return None
    found = [
        recipient
        for fields in _field_groups(_decoded(structure, part))[:MAX_RECIPIENTS]
        if (recipient := _reported(fields)) is not None
    ]
    if not found:
        return None
    return Report(_kind_of(found), tuple(found))


def _automatic_reply(structure: Structure, returned: Block | None) -> Report | None:
    """An automatic reply (RFC 3834). `X-Auto-Response-Suppress` asks that none be sent; it is no sign of one."""
    submitted = (structure.header("Auto-Submitted") or "").strip().lower()
    precedence = (structure.header("Precedence") or "").strip().lower()
    if structure.root.type == "multipart/report" or _DAEMON.search(structure.header("From") or ""):
        return None  # bounces call themselves auto-replied too
    marked = any(structure.header(name) for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponse"))
    if not re.match(r"auto-replied\b", submitted) and precedence != "auto_reply" and not marked:
        return None
    return Report(ReportKind.AUTOREPLY, _about(_bare(structure.header("From") or "")))


_DAEMON = re.compile(r"\b(mailer-daemon|mail delivery (sub)?system|postmaster@)", re.IGNORECASE)

LAYERS = (_feedback, _receipt, _delivery_status, _automatic_reply)


# ── Delivery status ─────────────────────────────────────────────────────────────────────────────────────────────────


def _reported(fields: dict[str, str]) -> ReportedRecipient | None:
    """Return what one group says, or None for the group about the message as a whole."""
    # The original recipient is whom we wrote to; the final one is where forwarding ended.
    address = _typed(fields.get("original-recipient", "")) or _typed(fields.get("final-recipient", ""))
    action = fields.get("action", "").partition(" ")[0].strip().lower()
    if not address or not action:
        return None
    diagnostic = _diagnostic(fields)
    refusal = understand(diagnostic, status=_status_of(fields, diagnostic))
    if action in ("delivered", "relayed", "expanded"):
        # Relayed means: handed on to a system that sends no reports. That is no proof of delivery.
        outcome = Outcome.DELIVERED if action == "delivered" else None
        return ReportedRecipient(address, outcome, refusal.status, refusal.code, None, diagnostic)
    if action == "delayed":
        return ReportedRecipient(address, Outcome.DELAYED, refusal.status, refusal.code, refusal.reason, diagnostic)
    outcome = Outcome.HARD if refusal.is_dead else Outcome.SOFT
    return ReportedRecipient(address, outcome, refusal.status, refusal.code, refusal.reason, diagnostic)


def _status_of(fields: dict[str, str], diagnostic: str) -> str:
    """What the server that refused has said, where it is quoted; the reporting one derives its field from less."""
    return read_status(diagnostic) or read_status(fields.get("status", ""))


def _diagnostic(fields: dict[str, str]) -> str:
    text = fields.get("diagnostic-code", "")
    kind, semicolon, rest = text.partition(";")
    if semicolon and re.fullmatch(r"\s*[A-Za-z0-9-]{1,20}\s*", kind):
        text = rest
    return " ".join(text.split())[:MAX_DIAGNOSTIC]


def _kind_of(recipients: Sequence[ReportedRecipient]) -> ReportKind:
    outcomes = {recipient.outcome for recipient in recipients}
    if outcomes & {Outcome.HARD, Outcome.SOFT}:
        return ReportKind.BOUNCE
    return ReportKind.DELAY if Outcome.DELAYED in outcomes else ReportKind.DELIVERED


# ── Whose mail it was ───────────────────────────────────────────────────────────────────────────────────────────────

# A return path of ours (`tokens.mint_return_path`), in whatever case it came back.
_TOKEN = re.compile(rb"(?<![A-Za-z0-9])(b\+[a-z2-7]{48})(?=[@=\s>\"']|$)", re.IGNORECASE)
_ID = re.compile(r"<[^<>\s]{1,990}>")


def _find_token(structure: Structure, returned: Block | None) -> str:
    """Look in the report's own headers first: the return path is where the report was sent to."""
    head = structure.message[: structure.root.body_start]
    match = _TOKEN.search(head) or _TOKEN.search(structure.message)
    return match.group(1).decode("ascii").lower() if match else ""


def _message_id(structure: Structure, returned: Block | None) -> str:
    candidates = [_text_of(returned, "Message-ID")]
    candidates += [structure.header(name) or "" for name in ("In-Reply-To", "References")]
    for part in structure.leaves:
        if part.type == "message/disposition-notification":
            fields = next(iter(_field_groups(_decoded(structure, part))), {})
            candidates.insert(0, fields.get("original-message-id", ""))
    return next((ids[-1] for text in candidates if (ids := _ID.findall(text))), "")


def _returned_copy(structure: Structure) -> Block | None:
    """The header of the mail that the report is about, when the report brought it back."""
    part = _part_of(structure, "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")
    if part is None:
        return None
    data = _decoded(structure, part).lstrip(b"\r\n")
    return read_block(data, 0, len(data), structure.eol if structure.eol == b"\r" else b"\n", lambda line: False)


# ── Parts and fields ────────────────────────────────────────────────────────────────────────────────────────────────


def _part_of(structure: Structure, *types: str) -> Part | None:
    return next((part for part in structure.leaves if part.type in types), None)


def _decoded(structure: Structure, part: Part) -> bytes:
    """Undo the transfer encoding, leniently: a report is read as far as it can be."""
    body = structure.body(part)
    if part.encoding == "quoted-printable":
        return quopri.decodestring(body)
    if part.encoding == "base64":
        try:
            return base64.b64decode(body + b"=" * (-len(body) % 4))
        except (binascii.Error, ValueError):
            return body
    return body


def _field_groups(body: bytes) -> list[dict[str, str]]:
    """Split fields into their groups at empty lines (RFC 3464 section 2.1), names in lower case."""
    text = decode_leniently(body, "").replace("\r\n", "\n").replace("\r", "\n")
    return [fields for group in re.split(r"\n[ \t]*\n", text) if (fields := dict(_fields(group)))]


def _fields(group: str) -> Iterator[tuple[str, str]]:
    unfolded = re.sub(r"\n[ \t]+", " ", group)
    for line in unfolded.split("\n"):
        name, colon, value = line.partition(":")
        if colon and re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name.strip()):
            yield name.strip().lower(), value.strip()


def _typed(value: str) -> str:
    """The address in `rfc822; user@example.org` (RFC 3464 section 2.3.1), without type and angle brackets."""
    kind, semicolon, address = value.partition(";")
    return _bare(address if semicolon else kind)


def _bare(value: str) -> str:
    match = re.search(r"<([^<>]*)>", value)
    address = (match.group(1) if match else value).strip()
    return address if "@" in address and not re.search(r"\s", address.strip('"').rpartition('"')[2]) else ""


def _text_of(block: Block | None, name: str) -> str:
    found = block.first(name) if block else None
    return found.text if found else ""


def _about(address: str) -> tuple[ReportedRecipient, ...]:
    return (ReportedRecipient(address),) if address else ()
