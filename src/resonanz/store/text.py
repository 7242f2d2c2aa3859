"""Foreign text on its way into a column."""

from __future__ import annotations

from hashlib import blake2b

MAX_INDEXED_OCTETS = 900  # PostgreSQL takes rows of at most 2,704 octets into a btree index


def storable(text: str) -> str:
    """Return `text` without what a database cannot hold: NUL, and halves of surrogate pairs."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def indexable(text: str) -> str:
    """Return `text` as an indexed column can hold it: storable, and of at most 900 octets of UTF-8.

    A longer one becomes `blake2b:` and 64 hexadecimal digits, the BLAKE2b digest of 32 octets over its UTF-8. The same
    text gives the same digest, so it is found again by asking for `indexable` of it.
    """
    plain = storable(text)
    octets = plain.encode()
    return plain if len(octets) <= MAX_INDEXED_OCTETS else f"blake2b:{blake2b(octets, digest_size=32).hexdigest()}"
