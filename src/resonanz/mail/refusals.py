"""What a refusal means: from reply code, enhanced status and prose to a reason, and whether the address is dead.

`hard` exactly when the address itself is dead: no such mailbox, no such domain, moved away, a domain that accepts no
mail. Everything else, a full mailbox or a policy against the sender, says nothing about the address and is `soft`.
Status codes are those of RFC 3463 and its IANA registry; a class-5 code alone never makes a bounce hard.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of one recipient."""

    HARD = "hard"
    SOFT = "soft"
    DELAYED = "delayed"
    DELIVERED = "delivered"


class Reason(StrEnum):
    """Why a mail was refused or is late."""

    UNKNOWN_MAILBOX = "unknown_mailbox"  # nobody has this address: take it off the list
    UNKNOWN_DOMAIN = "unknown_domain"  # the part behind the @ does not exist: look for a typing error
    MOVED = "moved"  # the mailbox was given up for another: ask for the new address
    NO_MAIL_ACCEPTED = "no_mail_accepted"  # the domain says that it takes no mail (RFC 7505)
    MAILBOX_FULL = "mailbox_full"  # try again in some days
    MAILBOX_DISABLED = "mailbox_disabled"  # switched off or suspended: may come back
    TOO_LARGE = "too_large"  # send a smaller mail, or a link instead of an attachment
    CONTENT = "content"  # a filter took offence at what the mail holds
    AUTHENTICATION = "authentication"  # SPF, DKIM, DMARC or reverse DNS of the sender are not in order
    REPUTATION = "reputation"  # the sending server or domain is on a blocking list
    RATE_LIMITED = "rate_limited"  # too much at once: slow down
    SENDER_REFUSED = "sender_refused"  # the sender's address is not accepted
    POLICY = "policy"  # a rule of the receiver against this mail
    NETWORK = "network"  # the receiver could not be reached
    SYSTEM = "system"  # the receiver's system is in trouble
    EXPIRED = "expired"  # tried until the time was up
    UNSPECIFIED = "unspecified"  # no reason was given that anybody could name


DEAD = frozenset({Reason.UNKNOWN_MAILBOX, Reason.UNKNOWN_DOMAIN, Reason.MOVED, Reason.NO_MAIL_ACCEPTED})

# What speaks about us, the sender. A status that calls the address dead is not believed beside it.
_ABOUT_US = frozenset({Reason.AUTHENTICATION, Reason.REPUTATION, Reason.RATE_LIMITED})


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


# subject.detail → reason. What is missing, or too vague to mean one thing in practice, is decided by the prose.
_BY_STATUS: dict[str, Reason] = {
    "1.1": Reason.UNKNOWN_MAILBOX,
    "1.2": Reason.UNKNOWN_DOMAIN,
    "1.3": Reason.UNKNOWN_MAILBOX,
    "1.6": Reason.MOVED,
    "1.7": Reason.SENDER_REFUSED,
    "1.8": Reason.SENDER_REFUSED,
    "1.10": Reason.NO_MAIL_ACCEPTED,
    "2.1": Reason.MAILBOX_DISABLED,
    "2.2": Reason.MAILBOX_FULL,
    "2.3": Reason.TOO_LARGE,
    "3.1": Reason.SYSTEM,
    "3.2": Reason.SYSTEM,
    "3.4": Reason.TOO_LARGE,
    "3.5": Reason.SYSTEM,
    "4.1": Reason.NETWORK,
    "4.2": Reason.NETWORK,
    "4.3": Reason.NETWORK,
    "4.5": Reason.SYSTEM,
    "4.6": Reason.SYSTEM,
    "4.7": Reason.EXPIRED,
    "7.8": Reason.POLICY,
    "7.20": Reason.AUTHENTICATION,
    "7.21": Reason.AUTHENTICATION,
    "7.22": Reason.AUTHENTICATION,
    "7.23": Reason.AUTHENTICATION,
    "7.24": Reason.AUTHENTICATION,
    "7.25": Reason.AUTHENTICATION,
    "7.26": Reason.AUTHENTICATION,
    "7.27": Reason.SENDER_REFUSED,
}

# Subject alone → what is left when neither the detail nor the prose says more.
_BY_SUBJECT: dict[str, Reason] = {
    "3": Reason.SYSTEM,
    "4": Reason.NETWORK,
    "6": Reason.CONTENT,
    "7": Reason.POLICY,
}

# Prose → reason, the first match decides: the narrow ones stand before the wide ones.
_BY_PROSE: tuple[tuple[Reason, re.Pattern[str]], ...] = tuple(
    (reason, re.compile(pattern, re.IGNORECASE))
    for reason, pattern in (
        (Reason.AUTHENTICATION, r"\b(spf|dkim|dmarc)\b|reverse dns|\bptr\b|rdns"),
        (
            Reason.REPUTATION,
            r"blacklist|blocklist|block list|spamhaus|\brbl\b|dnsbl|reputation|(?<!not )listed (in|by|at|on)\b",
        ),
        (Reason.RATE_LIMITED, r"too many|rate.?limit|throttl|too fast|slow down|unusual rate|grey.?list"),
        (Reason.MAILBOX_FULL, r"quota|(mail)?box (is )?(full|exceed)|over ?quota|insufficient (system )?storage"),
        (Reason.TOO_LARGE, r"(message|size).{0,20}(too (large|big)|exceed)|maximum message size"),
        (Reason.MOVED, r"has moved|moved to|no longer (with|works|employed)"),
        (Reason.NO_MAIL_ACCEPTED, r"null mx|does not accept (any )?mail|accepts no mail"),
        (
            Reason.UNKNOWN_DOMAIN,
            r"(host|domain)( name)? (was )?(not found|unknown|does not exist)|unknown (host|domain)|no such domain"
            r"|nxdomain|unrouteable|unroutable|bad destination (host|system|mailbox address)",
        ),
        (
            Reason.MAILBOX_DISABLED,
            r"(account|mailbox|user).{0,30}(disabled|inactive|suspended|deactivated|on hold)|not active",
        ),
        (
            Reason.UNKNOWN_MAILBOX,
            r"(user|recipient|mailbox|address|account|alias).{0,60}(unknown|not (be )?found|does(n.t| not) (exist|have)"
            r"|not exist|no longer (exists|available|valid)|is invalid|not listed)"
            r"|(unknown|no such|invalid|non.?existent|bad) (local |virtual )?"
            r"(user|recipient|mailbox|address|account|person)"
            r"|no mailbox (here|by that name)|not (a|our) (valid |known )?(user|mailbox|customer)|recipnotfound"
            r"|mailbox unavailable|doesn.t have an? .{0,40}account|this user doesn"
            r"|5\.1\.0 address rejected|5\.4\.1 .{0,120}recipient address rejected: access denied",
        ),
        (Reason.CONTENT, r"\bspam\b|virus|malware|content (rejected|denied)|blocked attachment|phish|bulk mail"),
        (
            Reason.SENDER_REFUSED,
            r"sender.{0,40}(rejected|refused|denied|not allowed|unknown)|relay(ing)? (access )?denied",
        ),
        (Reason.NETWORK, r"timed? ?out|connection (refused|reset|lost|closed)|unreachable|no route"),
        (Reason.POLICY, r"policy|access denied|not allowed|prohibited|denied|refused|rejected"),
        (Reason.SYSTEM, r"temporar|try again|local error|server error|configuration"),
    )
)

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\w.])([245][0-5]\d)(?!\w|\.\d)")
# Details that receivers use for anything: the prose is asked first.
_VAGUE = frozenset({"0.0", "1.0", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0", "7.1", "2.1", "4.1", "4.4"})


def read_code(text: str) -> int | None:
    """Return the first SMTP reply code in `text` (RFC 5321 section 4.2), or None."""
    match = _CODE.search(_STATUS.sub(" ", text))
    return int(match.group(1)) if match else None


def read_status(text: str) -> str:
    """Return the first enhanced status code in `text` (RFC 3463), or an empty string."""
    match = _STATUS.search(text)
    return match.group(0) if match else ""


def understand(text: str, *, code: int | None = None, status: str = "") -> Refusal:
    """Understand a refusal from what the other server said. Code and status are read from `text` where not given."""
    code = code or read_code(text)
    status = status or read_status(text)
    exact = status[2:]
    said = _by_prose(text)
    by_status = _BY_STATUS.get(exact)
    if by_status is not None and exact not in _VAGUE and not (by_status in DEAD and said in _ABOUT_US):
        reason = by_status
    else:
        reason = said or by_status or _BY_SUBJECT.get(exact.partition(".")[0]) or Reason.UNSPECIFIED
    if reason in DEAD and code is not None and 400 <= code < 500:
        # A server that says "unknown user, try again later" is not sure; nobody is given up on its word.
        reason = Reason.SYSTEM
    return Refusal(code, status, reason)


def _by_prose(text: str) -> Reason | None:
    flat = " ".join(text.split())[:4_000]
    return next((reason for reason, pattern in _BY_PROSE if pattern.search(flat)), None)
