"""The preheader: what lists of mails show behind a subject, put where readers of the mail itself do not see it."""

from __future__ import annotations

import re
from html import escape

_BODY = re.compile(r"<body\b(?:[^>\"']|\"[^\"]*\"|'[^']*')*>", re.IGNORECASE)
_HIDDEN = "display:none;max-height:0;max-width:0;opacity:0;overflow:hidden;mso-hide:all;font-size:1px;line-height:1px"
# What follows in the mail would be shown behind a short preheader; characters without a width take that place.
_FILLER = "&#847;&zwnj;&nbsp;" * 40


def with_preheader(html: str, preheader: str) -> str:
    """Return a document that begins with this hidden line; as it is without one."""
    if not preheader.strip():
        return html
    line = f'<div style="{_HIDDEN}">{escape(" ".join(preheader.split()))}{_FILLER}</div>'
    body = _BODY.search(html)
    position = body.end() if body else 0
    return html[:position] + line + html[position:]
