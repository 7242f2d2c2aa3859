"""Bodies of POSTs: read within limits, and understood as one of a closed set of wishes or as nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from resonanz.edge import answers
from resonanz.edge.answers import Answer

Receive = Callable[[], Awaitable[dict[str, Any]]]

MAX_FORM_BYTES = 16_384
FORM_SECONDS = 5

# As a form or as multipart (RFC 8058 section 3.2), whose part may have its name in quotes or not and headers behind it
# (RFC 7578 section 4); the bounds keep a hostile body from costing quadratic time.
_ONE_CLICK = re.compile(
    rb'List-Unsubscribe(?:=|"?[^\r\n]{0,200}\r?\n(?:[^\r\n]{1,200}\r?\n){0,5}\r?\n)One-Click', re.IGNORECASE
).search

LEAVE = "unsubscribe"
_PREFERENCES = {b"tracking=off": "off", b"tracking=on": "on", b"confirm=unsubscribe": LEAVE}


async def read_form(receive: Receive) -> bytes | Answer:
    """Return the whole body, or the answer that refuses it."""
    body = bytearray()
    try:
        async with asyncio.timeout(FORM_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return answers.TOO_SLOW
                body += message.get("body") or b""
                if len(body) > MAX_FORM_BYTES:
                    return answers.BODY_TOO_LARGE
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        return answers.TOO_SLOW


def unsubscribe_wish(form: bytes) -> str | None:
    """Return `one-click` or `page` for a body that says so, in either form encoding; None for anything else."""
    form = unquote_to_bytes(form)  # a mail program may encode more of a form than it has to
    if _ONE_CLICK(form):
        return "one-click"
    if b"confirm=unsubscribe" in form:
        return "page"
    return None


def preference(form: bytes) -> str | None:
    """Return `off`, `on` or `LEAVE` for what one of the preference page's buttons sends; None for anything else."""
    return _PREFERENCES.get(form)
