"""Character references as a tokenizer resolves them in attribute values (WHATWG HTML section 13.2.5.72 ff.).

`html.unescape` follows the rules for text: it turns `&timestamp=` into `×tamp=`. In an attribute a reference without
its semicolon counts only when neither `=` nor a letter or digit follows.
"""

from __future__ import annotations

import re
from html.entities import html5

_REFERENCE = re.compile(r"&(?:#([0-9]+);?|#[xX]([0-9A-Fa-f]+);?|([A-Za-z][A-Za-z0-9]*)(;?)(?=(=?)))")
# What numbers 128 to 159 mean: authors meant Windows-1252 (section 13.2.5.80).
_WINDOWS = {number: bytes((number,)).decode("cp1252", "ignore") for number in range(0x80, 0xA0)}
_LAST = 0x10FFFF


def resolve_references(value: str) -> str:
    """Return an attribute value with its character references resolved."""
    return _REFERENCE.sub(_resolve, value) if "&" in value else value


def _resolve(match: re.Match[str]) -> str:
    decimal, hexadecimal, name, semicolon, equals = match.groups()
    if name is None:
        return _numeric(int(decimal[-12:]) if decimal else int(hexadecimal[-12:], 16), len(decimal or hexadecimal))
    if semicolon and f"{name};" in html5:
        return html5[f"{name};"]
    if name in html5 and (semicolon or not equals):
        return html5[name] + semicolon
    return match.group()


def _numeric(number: int, digits: int) -> str:
    if digits > 12 or number > _LAST or number == 0 or 0xD800 <= number <= 0xDFFF:
        return "\ufffd"
    return _WINDOWS.get(number) or chr(number)


def escape(text: str) -> str:
    """Return text that stands for itself in HTML, in text as in an attribute value of either quote."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace('"', "&quot;").replace("'", "&#39;")
