"""Reading a mail as a person would: its HTML as text, or its text part when it has no HTML."""

from __future__ import annotations

from resonanz.mail.charset import UnusableCharset, open_text
from resonanz.mail.gate import refuse_part
from resonanz.mail.instrumenting import html_structure
from resonanz.mail.readable import text_from_html
from resonanz.mail.structure import Part, Structure, parse
from resonanz.mail.transfer import DamagedEncoding, open_body


def readable_text(data: bytes, *, is_html: bool = False) -> str:
    """Return what a mail (or one HTML document) says. Never raises; empty when it says nothing that can be read."""
    structure = html_structure(data, None) if is_html else parse(data)
    shown = [part for part in structure.leaves if refuse_part(part) is None]
    for part in sorted(shown, key=lambda part: part.type != "text/html"):
        text = decoded_text(structure, part)
        if text is not None:
            return text_from_html(text) if part.type == "text/html" else text
    return ""


def decoded_text(structure: Structure, part: Part) -> str | None:
    """Return a text part's characters; None when its encoding or charset cannot be read."""
    try:
        body = open_body(structure.body(part), part.encoding, structure.eol)
        text = open_text(body.decoded, part.charset, markup=part.type == "text/html")
    except (DamagedEncoding, UnusableCharset):
        return None
    return text.read_leniently(0, len(text.mask))
