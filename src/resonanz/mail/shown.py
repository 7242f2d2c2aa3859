"""What a reader sees of a mail, as one page for a browser: its HTML, or its text; enclosed images in their places.

The markup is the mail's own and stays a stranger's: whoever serves the page serves it in a sandbox without scripts.
"""

from __future__ import annotations

import base64
import html
import re

from resonanz.mail.gate import refuse_part
from resonanz.mail.reading import decoded_text
from resonanz.mail.structure import Part, Structure
from resonanz.mail.transfer import DamagedEncoding, open_body

INLINE_IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/svg+xml"}
MAX_INLINE_IMAGE = 5_000_000  # bytes
MAX_INLINE_IMAGES = 20_000_000  # bytes of all of them together

# What may stand before a document type; a <base> put behind it leaves the page in standards mode.
_DOCTYPE = re.compile(r"\A(?:\ufeff|\s+|<!--.*?-->|<\?[^>]*>)*<!doctype[^>]*>", re.IGNORECASE | re.DOTALL)
_CID = re.compile(r"\bcid:([^\s\"'()<>\\]{1,255})", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]}']")
_PLAIN = (
    '<!doctype html><meta charset="utf-8"><base target="_blank"><title>Plain text</title>'
    '<pre style="margin:16px;white-space:pre-wrap;overflow-wrap:anywhere;font:14px/1.5 ui-monospace,monospace">'
)


def document_of(structure: Structure, *, images_bytes: int = MAX_INLINE_IMAGES) -> str:
    """Return the page for a mail: its HTML, else its text, else a line that says there is neither. Never raises.

    Enclosed images are put in place up to `images_bytes` bytes together; those beyond stay empty.
    """
    shown = [part for part in structure.leaves if refuse_part(part) is None]
    for kind in ("text/html", "text/plain"):
        for part in shown:
            text = decoded_text(structure, part) if part.type == kind else None
            if text is not None:
                return _html_page(structure, text, images_bytes) if kind == "text/html" else _text_page(text)
    return _text_page("This mail has no part that a reader would see.")


def _html_page(structure: Structure, markup: str, images_bytes: int) -> str:
    """The mail's own HTML; in this copy links open in a page of their own and enclosed images are put in place."""
    images = _inline_images(structure, images_bytes)
    markup = _CID.sub(lambda found: images.get(found[1], found[0]), markup) if images else markup
    doctype = _DOCTYPE.match(markup)
    place = doctype.end() if doctype else 0
    return f'{markup[:place]}<base target="_blank">{markup[place:]}'


def _text_page(text: str) -> str:
    escaped: list[str] = []
    position = 0
    for found in _URL.finditer(text):
        escaped.append(html.escape(text[position : found.start()]))
        url = html.escape(found[0])
        escaped.append(f'<a href="{url}" rel="noreferrer">{url}</a>')
        position = found.end()
    return _PLAIN + "".join(escaped) + html.escape(text[position:]) + "</pre>"


def _inline_images(structure: Structure, room: int) -> dict[str, str]:
    """The images that the mail carries for its own HTML, by Content-ID (RFC 2392), as data URLs."""
    found: dict[str, str] = {}
    for part in structure.leaves:
        field = part.block.first("Content-ID")
        if field is None or part.type not in INLINE_IMAGES or part.end - part.body_start > MAX_INLINE_IMAGE * 2:
            continue
        data = _bytes_of(structure, part)
        if data is not None and len(data) <= min(MAX_INLINE_IMAGE, room):
            room -= len(data)
            encoded = base64.b64encode(data).decode("ascii")
            found[field.text.strip().strip("<>")] = f"data:{part.type};base64,{encoded}"
    return found


def _bytes_of(structure: Structure, part: Part) -> bytes | None:
    try:
        return open_body(structure.body(part), part.encoding, structure.eol).decoded
    except DamagedEncoding:
        return None
