"""Enhanced status codes (RFC 3463, its IANA registry, and providers' own) as reasons, and how far each is believed.

Many systems misuse them: 5.1.1 for a policy, 5.7.1 for an unknown user. A code is asked only where the words are
silent or vague, and the vague codes only after the vague words.
"""

from __future__ import annotations

from resonanz.mail.refusals.reasons import Reason

# subject.detail that mean one thing wherever they are used.
EXACT: dict[str, Reason] = {
    "1.1": Reason.UNKNOWN_MAILBOX,
    "1.2": Reason.UNKNOWN_DOMAIN,
    "1.3": Reason.UNKNOWN_MAILBOX,
    "1.6": Reason.MOVED,
    "1.7": Reason.SENDER_REFUSED,
    "1.8": Reason.SENDER_REFUSED,
    "1.90": Reason.RATE_LIMITED,  # Exchange Online: this sender's recipients of a day
    "1.10": Reason.UNKNOWN_MAILBOX,  # Exchange: recipient not found. RFC 7505's null MX says so in words
    "1.351": Reason.UNKNOWN_MAILBOX,  # Exchange Online quotes another server's refusal of the recipient
    "2.2": Reason.MAILBOX_FULL,
    "2.3": Reason.TOO_LARGE,
    "2.121": Reason.RATE_LIMITED,  # Exchange: what a mailbox takes in an hour, from one sender
    "2.122": Reason.RATE_LIMITED,
    "3.4": Reason.TOO_LARGE,
    "4.6": Reason.SYSTEM,
    "4.7": Reason.EXPIRED,
    "4.310": Reason.UNKNOWN_DOMAIN,  # Exchange Online: DNS knows no such domain
    "5.3": Reason.RATE_LIMITED,  # more recipients than are taken at once
    "6.11": Reason.CONTENT,  # Exchange Online: bare line feeds
    "7.2": Reason.FILTERED,  # a list that not everybody may write to
    "7.12": Reason.FILTERED,  # Exchange: senders of the organisation only
    "7.13": Reason.MAILBOX_DISABLED,
    "7.16": Reason.TOO_LARGE,
    "7.17": Reason.MOVED,  # the mailbox changed its owner (RFC 7293)
    "7.18": Reason.MOVED,
    "7.20": Reason.AUTHENTICATION,
    "7.21": Reason.AUTHENTICATION,
    "7.22": Reason.AUTHENTICATION,
    "7.23": Reason.AUTHENTICATION,
    "7.24": Reason.AUTHENTICATION,
    "7.25": Reason.AUTHENTICATION,
    "7.26": Reason.AUTHENTICATION,
    "7.27": Reason.SENDER_REFUSED,
    "7.28": Reason.RATE_LIMITED,
    "7.29": Reason.AUTHENTICATION,
    "7.30": Reason.POLICY,  # REQUIRETLS (RFC 8689)
    "7.57": Reason.SENDER_REFUSED,  # from here on as Exchange Online numbers them
    "7.60": Reason.SENDER_REFUSED,
    "7.64": Reason.SENDER_REFUSED,
    "7.124": Reason.FILTERED,
    "7.129": Reason.FILTERED,
    "7.133": Reason.FILTERED,
    "7.134": Reason.FILTERED,
    "7.135": Reason.FILTERED,
    "7.136": Reason.FILTERED,
    "7.193": Reason.FILTERED,
    "7.232": Reason.RATE_LIMITED,
    "7.233": Reason.RATE_LIMITED,
    "7.501": Reason.REPUTATION,
    "7.502": Reason.REPUTATION,
    "7.503": Reason.REPUTATION,
    "7.506": Reason.AUTHENTICATION,
    "7.507": Reason.FILTERED,
    "7.508": Reason.RATE_LIMITED,
    "7.509": Reason.AUTHENTICATION,
    "7.510": Reason.POLICY,
    "7.511": Reason.REPUTATION,
    "7.512": Reason.CONTENT,
    "7.513": Reason.REPUTATION,
    "7.515": Reason.AUTHENTICATION,
    **{f"7.{number}": Reason.REPUTATION for number in range(606, 650)},
    **{f"7.{number}": Reason.RATE_LIMITED for number in range(700, 708)},
    "7.708": Reason.REPUTATION,
    "7.750": Reason.SENDER_REFUSED,
}

# Codes that are used for more than they say.
VAGUE: dict[str, Reason] = {
    "1.0": Reason.UNKNOWN_MAILBOX,
    "2.1": Reason.MAILBOX_DISABLED,
    "2.4": Reason.SYSTEM,
    "3.0": Reason.SYSTEM,
    "3.1": Reason.SYSTEM,
    "3.2": Reason.SYSTEM,
    "3.5": Reason.SYSTEM,
    "4.0": Reason.NETWORK,
    "4.1": Reason.NETWORK,
    "4.2": Reason.NETWORK,
    "4.3": Reason.NETWORK,
    "4.4": Reason.UNKNOWN_DOMAIN,
    "4.5": Reason.SYSTEM,
    "5.0": Reason.UNSPECIFIED,
    "7.1": Reason.POLICY,
}

# The subject alone, when nothing else says more.
BY_SUBJECT: dict[str, Reason] = {
    "3": Reason.SYSTEM,
    "4": Reason.NETWORK,
    "6": Reason.CONTENT,
    "7": Reason.POLICY,
}

# Reply codes that mean one thing (RFC 5321 section 4.2.3, RFC 7504).
BY_CODE: dict[int, Reason] = {
    251: Reason.MOVED,
    551: Reason.MOVED,
    552: Reason.MAILBOX_FULL,
    556: Reason.NO_MAIL_ACCEPTED,
}
