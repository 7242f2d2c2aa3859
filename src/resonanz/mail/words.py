"""Encoded words (RFC 2047): reading whatever mail holds, writing what every client reads."""

from __future__ import annotations

import base64
import binascii
import re

from resonanz.mail.charset import decode_leniently

_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t\r\n]+(?==\?[^?\s]{1,80}\?[bBqQ]\?)")
_Q_ESCAPE = re.compile(rb"=([0-9A-Fa-f]{2})")
MAX_WORD = 75


def decode_words(text: str) -> str:
    """Return `text` with its encoded words decoded. Never raises: what cannot be decoded stays as it is."""
    if "=?" not in text:
        return text
    return _WORD.sub(_decode_word, _BETWEEN_WORDS.sub(r"\1", text))


def _decode_word(match: re.Match[str]) -> str:
    charset, encoding, payload = match.group(1).partition("*")[0], match.group(2), match.group(3)
    raw = payload.encode("utf-8", "replace")
    if encoding in "bB":
        try:
            raw = base64.b64decode(raw + b"=" * (-len(raw) % 4))
        except (binascii.Error, ValueError):
            return match.group(0)
    else:
        raw = _Q_ESCAPE.sub(lambda found: bytes((int(found.group(1), 16),)), raw.replace(b"_", b" "))
    return decode_leniently(raw, charset)


def encode_words(text: str, *, first: int = MAX_WORD) -> list[str]:
    """Return `text` as UTF-8 encoded words of at most 75 characters, no character split between two (RFC 2047).

    The first word has at most `first` characters, because it shares its line with the name of its field.
    """
    octets = _octets_in(first)
    words: list[str] = []
    chunk = b""
    for character in text:
        piece = character.encode("utf-8", "replace")
        if len(chunk) + len(piece) > octets:
            words.append(_word(chunk))
            octets = _octets_in(MAX_WORD)
            chunk = b""
        chunk += piece
    return [*words, _word(chunk)] if chunk else words


def _octets_in(characters: int) -> int:
    return (characters - len("=?utf-8?b??=")) // 4 * 3


def _word(chunk: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(chunk).decode('ascii')}?="
