"""Whose mail a report is about: return paths and tracking tokens of ours, and Message-IDs."""

from __future__ import annotations

import re
from uuid import UUID

from resonanz.mail.reports.parts import Parts
from resonanz.mail.reports.report import Report
from resonanz.tokens import RETURN_PATH_PREFIX, BadToken, Keys, read, read_return_path

MAX_TOKENS = 20

# A return path of ours (`tokens.mint_return_path`), in whatever case it came back.
_RETURN_PATH = re.compile(rb"(?<![A-Za-z0-9])(b\+[a-z2-7]{48})(?=[@=\s>\"']|$)", re.IGNORECASE)
# A link of ours: one letter for the door, then the token (`mail.routes`).
_TRACKING = re.compile(rb"https?://[^\s\"'<>]{1,255}?/[ocfupi]/([A-Za-z0-9_-]{40,4000})")
_ID = re.compile(r"<[^<>\s]{1,990}>")


def find_message(report: Report, keys: Keys) -> UUID | None:
    """Return the message that a report is about, by the first of its tokens that one of our keys signed."""
    found = find_token(report, keys)
    return found[1] if found else None


def find_token(report: Report, keys: Keys) -> tuple[str, UUID] | None:
    """Return the first token that one of our keys signed and that names a message, and that message."""
    for text in report.tokens:
        try:
            if text.startswith(RETURN_PATH_PREFIX):
                return text, read_return_path(keys, text)
            token = read(keys, text)
        except BadToken:
            continue
        if not token.anonymous:
            return text, token.id
    return None


def find_tokens(parts: Parts) -> tuple[str, ...]:
    """Everything with the shape of a token of ours, the likeliest first: where the report was sent to, then what it
    brought back, then the links of the returned mail."""
    message = parts.structure.message
    head = message[: parts.structure.root.body_start]
    found = [
        match.group(1).decode("ascii").lower() for data in (head, message) for match in _RETURN_PATH.finditer(data)
    ]
    if parts.copy:
        found += [match.group(1).decode("ascii") for data in _readings(parts) for match in _TRACKING.finditer(data)]
    return tuple(dict.fromkeys(found))[:MAX_TOKENS]


def _readings(parts: Parts) -> list[bytes]:
    nested = Parts(parts.copy)
    leaves = nested.structure.leaves[:20]
    return [nested.decoded(part) for part in leaves if part.type.startswith("text/")] or [parts.copy]


def find_message_id(parts: Parts) -> str:
    """The Message-ID of the mail that the report is about: as a receipt states it, from the returned copy, or from
    what the report answers; empty when it is nowhere."""
    groups = parts.fields_of("message/disposition-notification")
    stated = [group.get("original-message-id", "") for group in groups[:1]]
    candidates = [*stated, parts.copied("Message-ID"), parts.header("In-Reply-To"), parts.header("References")]
    return next((ids[-1] for text in candidates if (ids := _ID.findall(text))), "")
