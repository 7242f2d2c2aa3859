"""Foreign text on its way into a column."""

from __future__ import annotations


def storable(text: str) -> str:
    """Return `text` without what a database cannot hold: NUL, and halves of surrogate pairs."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
