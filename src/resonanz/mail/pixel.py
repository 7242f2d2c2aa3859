"""The pixel: one image that costs no layout, at a place where every reader's program loads it.

It is taken out of the flow, so that the mail renders as before; where a client drops `position`, it is a block of one
pixel. `!important` guards it against the mail's own rules for images. It is never `display:none`, which keeps Gmail
from loading it.
"""

from __future__ import annotations

from resonanz.mail.charset import Text
from resonanz.mail.markup import Scan, attributes, image_tags
from resonanz.mail.references import resolve_references

_STYLE = (
    "display:block!important;position:absolute!important;width:1px!important;height:1px!important;"
    "margin:-1px 0 0!important;padding:0!important;border:0!important"
)


def pixel(url: str) -> str:
    """Return the image tag."""
    return f'<img src="{url}" width="1" height="1" alt="" style="{_STYLE}">'


def place(scan: Scan, *, near_top: bool) -> int | None:
    """Return the position for the pixel: near the end of the body, or right after it begins."""
    if near_top and scan.image_start is not None:
        return scan.image_start
    return scan.image_end


def find_logo(text: Text, source: str) -> tuple[int, int] | None:
    """Return where the `src` of the first image with this address lies."""
    for start, end in image_tags(text.mask):
        span = attributes(text.mask, start, end).get(b"src")
        written = text.read(*span) if span else None
        if span and written is not None and resolve_references(written).strip() == source:
            return span
    return None
