"""Understanding one refusal: the words first, then the codes, each as far as it is believed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from resonanz.mail.refusals.reasons import DEAD, Reason
from resonanz.mail.refusals.statuses import BY_CODE, BY_SUBJECT, EXACT
from resonanz.mail.refusals.statuses import VAGUE as VAGUE_STATUS
from resonanz.mail.refusals.wording import LINKS, PLAIN, VAGUE, Table, compiled

MAX_CHARACTERS = 4_000  # of a refusal that are read


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal understood. `code` is the SMTP reply code or None, `status` the enhanced status or empty."""

    code: int | None
    status: str
    reason: Reason

    @property
    def is_dead(self) -> bool:
        """Whether the address itself is dead, so that nobody should write to it again."""
        return self.reason in DEAD


_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\w.])([245][0-5]\d)(?!\w|\.\d)")
# A server that took the recipient and refuses after the content has filtered it, whatever it says about the user.
_AFTER_CONTENT = re.compile(
    r"in reply to (end of )?data|after (end of )?data|after sending data|>>> ?data\b|smtp command data\b|after \.\B"
)
# A server that answers all pipelined commands at once refused the recipients too.
_PIPELINED = re.compile(r"need rcpt|no valid recipient|\b503\b")
_AT_RECIPIENT = re.compile(
    r"in reply to rcpt|after rcpt|\[rcpt_to\]|>>> ?rcpt|recipient address rejected: user unknown"
    r"|did not like our rcpt|5\.7\.1 no such user!"  # Yandex says so, at RCPT only
)
# A status about policy beside "no such user", is a filter's answer unless it refused RCPT.
_CONTRADICTING = frozenset({"7.1", "7.0"})
# A refusal of the sender, or of the connection, knows nothing about the recipient yet.
_BEFORE_RECIPIENT = re.compile(
    r"in reply to (mail from|[eh][eh]lo)|after (mail from|initial connection|[eh][eh]lo)|>>> ?mail from"
    r"|my name was rejected|while talking to .{0,40}initial greeting"
)

_LINK = re.compile(r"https?://\S{1,500}|www\.\S{1,200}")
_ADDRESS = re.compile(r"<[^<>\s]{0,320}@[^<>\s]{0,255}>|[^\s<>()\[\]:;,\"@]{1,64}@[^\s<>()\[\]:;,\"]{1,255}")
_HOST = re.compile(
    r"\b(?!(?:resolver|storedrv|transport|queue)\.)(?:[a-z0-9_-]{1,63}\.){2,8}[a-z]{2,24}\b|\[[0-9a-f.:]{3,45}\]"
)
_CONTINUED = re.compile(r"(?<=\s)[245]\d\d-(?:[245]\.\d{1,3}\.\d{1,3})?")


def read_code(text: str) -> int | None:
    """Return the first SMTP reply code in `text` (RFC 5321 section 4.2), or None."""
    match = _CODE.search(_STATUS.sub(" ", text))
    return int(match.group(1)) if match else None


def read_status(text: str) -> str:
    """Return the first enhanced status code in `text` (RFC 3463), or an empty string."""
    match = _STATUS.search(text)
    return match.group(0) if match else ""


def understand(text: str, *, code: int | None = None, status: str = "", context: str = "") -> Refusal:
    """Understand a refusal from what the other server said. Code and status are read from `text` where not given.

    Plain words outrank codes, exact codes outrank vague words. Whoever says "no such user" with a temporary code, or
    about a mail whose recipient it had already taken, is not believed as to the address; which command was refused
    may stand around the refusal, in `context`.
    """
    code = code or read_code(text)
    status = status or read_status(text)
    lowered = text[: MAX_CHARACTERS * 2].lower()
    reason = _at_its_stage(_reason(lowered, code, status), status, lowered + " " + context[:MAX_CHARACTERS].lower())
    is_temporary = 400 <= code < 500 if code is not None else status.startswith("4")
    if reason in DEAD and is_temporary:
        reason = Reason.SYSTEM
    return Refusal(code, status, reason)


def _reason(text: str, code: int | None, status: str) -> Reason:
    links = " ".join(_LINK.findall(text))
    words = _words(text)
    detail = status[2:]
    said = _first(PLAIN, words)
    return (
        said
        or _first(LINKS, links)
        or EXACT.get(detail)
        or _first(VAGUE, words)
        or VAGUE_STATUS.get(detail)
        or BY_CODE.get(code or 0)
        or BY_SUBJECT.get(detail.partition(".")[0])
        or Reason.UNSPECIFIED
    )


def _at_its_stage(reason: Reason, status: str, around: str) -> Reason:
    """Hold what is said about the recipient against the command that was refused."""
    if reason not in (Reason.UNKNOWN_MAILBOX, Reason.UNKNOWN_DOMAIN):
        return reason
    flat = " ".join(around.split())
    if _AT_RECIPIENT.search(flat):
        return reason
    if _BEFORE_RECIPIENT.search(flat):
        return Reason.SENDER_REFUSED
    if _AFTER_CONTENT.search(flat) and not _PIPELINED.search(flat):
        return Reason.FILTERED
    if reason is Reason.UNKNOWN_MAILBOX and status[2:] in _CONTRADICTING:
        return Reason.FILTERED
    return reason


def _words(text: str) -> str:
    """The words alone, on one line: what stands in addresses, links and host names is no statement."""
    flat = _CONTINUED.sub(" ", " ".join(text.split())[:MAX_CHARACTERS])
    return " ".join(_HOST.sub("·", _ADDRESS.sub("<>", _LINK.sub(" ", flat))).split())


def _first(table: Table, words: str) -> Reason | None:
    return next((reason for reason, pattern in compiled(table) if pattern.search(words)), None)
