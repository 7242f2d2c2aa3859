"""The closed list of reasons, and what each means to the person who sent the mail."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """What became of one recipient."""

    HARD = "hard"
    SOFT = "soft"
    DELAYED = "delayed"
    DELIVERED = "delivered"


class Reason(StrEnum):
    """Why a mail was refused or is late."""

    UNKNOWN_MAILBOX = "unknown_mailbox"
    UNKNOWN_DOMAIN = "unknown_domain"
    MOVED = "moved"
    NO_MAIL_ACCEPTED = "no_mail_accepted"
    MAILBOX_FULL = "mailbox_full"
    MAILBOX_DISABLED = "mailbox_disabled"
    FILTERED = "filtered"
    TOO_LARGE = "too_large"
    CONTENT = "content"
    AUTHENTICATION = "authentication"
    REPUTATION = "reputation"
    RATE_LIMITED = "rate_limited"
    SENDER_REFUSED = "sender_refused"
    POLICY = "policy"
    NETWORK = "network"
    SYSTEM = "system"
    EXPIRED = "expired"
    UNSPECIFIED = "unspecified"


DEAD = frozenset({Reason.UNKNOWN_MAILBOX, Reason.UNKNOWN_DOMAIN, Reason.MOVED, Reason.NO_MAIL_ACCEPTED})


class Meaning(NamedTuple):
    """A reason in plain words: a short title, one line of meaning, one line of what to do."""

    title: str
    meaning: str
    advice: str


MEANINGS: dict[Reason, Meaning] = {
    Reason.UNKNOWN_MAILBOX: Meaning(
        "No such mailbox", "Nobody has this address.", "Take it off your lists, or look for a typing error."
    ),
    Reason.UNKNOWN_DOMAIN: Meaning(
        "No such domain",
        "The part behind the @ does not exist.",
        "Look for a typing error; else take it off your lists.",
    ),
    Reason.MOVED: Meaning("Moved away", "The mailbox was given up for another.", "Ask the person for the new address."),
    Reason.NO_MAIL_ACCEPTED: Meaning(
        "Takes no mail", "The domain says that it receives no mail at all.", "Take the address off your lists."
    ),
    Reason.MAILBOX_FULL: Meaning("Mailbox full", "There is no room left in the mailbox.", "Try again in some days."),
    Reason.MAILBOX_DISABLED: Meaning(
        "Mailbox switched off", "The account is suspended, locked or inactive.", "It may come back; try again later."
    ),
    Reason.FILTERED: Meaning(
        "Recipient's filter", "The recipient's own settings turn this mail away.", "Reach the person another way."
    ),
    Reason.TOO_LARGE: Meaning(
        "Too large", "The mail is larger than the receiver takes.", "Send a smaller mail, or documents as links."
    ),
    Reason.CONTENT: Meaning(
        "Content refused", "A filter took offence at what the mail holds.", "Change wording, links or attachments."
    ),
    Reason.AUTHENTICATION: Meaning(
        "Sender not proven",
        "SPF, DKIM, DMARC or the reverse DNS of the sending server are not in order.",
        "Check the DNS records of your sending domain.",
    ),
    Reason.REPUTATION: Meaning(
        "Sender blocked",
        "The sending server or domain is on a blocking list or has a bad name.",
        "Look up the list named in the reply and ask to be taken off; slow down meanwhile.",
    ),
    Reason.RATE_LIMITED: Meaning(
        "Too much at once", "The receiver takes fewer mails at a time, or asks to come back later.", "Send more slowly."
    ),
    Reason.SENDER_REFUSED: Meaning(
        "Sender's address refused",
        "The receiver does not take mail from this sender's address, or does not relay for it.",
        "Check the sender's address, and the server that mail goes out by.",
    ),
    Reason.POLICY: Meaning(
        "Against the receiver's rules",
        "A rule of the receiver stands against this mail.",
        "Read the reply; the receiver's postmaster can tell more.",
    ),
    Reason.NETWORK: Meaning(
        "Not reachable",
        "The receiver's server could not be reached.",
        "No need to act; check the domain if it goes on.",
    ),
    Reason.SYSTEM: Meaning("Trouble at the receiver", "The receiver's system is in trouble.", "Try again later."),
    Reason.EXPIRED: Meaning("Time is up", "It was tried until the time was up.", "Try again later."),
    Reason.UNSPECIFIED: Meaning(
        "No reason given", "The reply names no reason that we know.", "Read the reply; it may say more to you."
    ),
}
