"""Links in text/plain parts: what mail programs turn into links, and the placeholders that become our own."""

from __future__ import annotations

import re
from typing import NamedTuple

_URL = re.compile(rb"""(?<![A-Za-z0-9])https?://[^\s<>"`\x00-\x20\x7f{}|\\^]+""", re.IGNORECASE)
_TRAILING = frozenset((b".", b",", b";", b":", b"!", b"?", b"'", b"*", b"_", b"~"))
_BRACKETS = ((b")", b"("), (b"]", b"["))
_OWN = re.compile(rb"\{\{[ \t]*(?:unsubscribe_url|preferences_url|browser_url)[ \t]*\}\}")


class TextLink(NamedTuple):
    """Where a link lies, as positions in the mask."""

    start: int
    end: int


def find_links(mask: bytes) -> list[TextLink]:
    """Return the URLs a mail program would make clickable; punctuation after one is not part of it (RFC 3986, C)."""
    return [TextLink(match.start(), _end(mask, match.start(), match.end())) for match in _URL.finditer(mask)]


def find_own(mask: bytes) -> list[TextLink]:
    """Return the placeholders for our own pages: to unsubscribe, to choose, to see the mail in a browser."""
    return [TextLink(*match.span()) for match in _OWN.finditer(mask)]


def _end(mask: bytes, start: int, end: int) -> int:
    surplus = {
        closing: mask.count(closing, start, end) - mask.count(opening, start, end) for closing, opening in _BRACKETS
    }
    while end > start:
        last = mask[end - 1 : end]
        if surplus.get(last, 0) > 0:
            surplus[last] -= 1
        elif last not in _TRAILING:
            break
        end -= 1
    return end
