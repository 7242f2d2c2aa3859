"""Who is asking: the few headers that later speak for or against a person."""

from __future__ import annotations

import re
from collections.abc import Mapping

from resonanz.proxies import Headers

MAX_VALUE = 500  # characters of a header that are kept; no client needs more

# Headers a page or mail client sets itself; a scanner lacks some, contradicts others, or names itself.
_EVIDENCE = (
    "accept",
    "accept-language",
    "dnt",
    "from",
    "purpose",
    "referer",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-gpc",
    "sec-purpose",
    "user-agent",
    "via",
    "x-moz",
    "x-purpose",
)
# What may be kept of an anonymous hit: whether it was fetched ahead, and whether somebody objects. Never who.
_IMPERSONAL = ("dnt", "purpose", "sec-gpc", "sec-purpose", "user-agent", "x-moz", "x-purpose")

EVIDENCE = {name.encode("ascii"): name for name in _EVIDENCE}
IMPERSONAL = {name.encode("ascii"): name for name in _IMPERSONAL}

_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*").match


def evidence(headers: Headers, wanted: Mapping[bytes, str]) -> dict[str, str]:
    """Return the wanted headers that are there, by lower-case name; of a Referer only the origin, never the page."""
    found = {}
    for raw_name, value in headers:
        name = wanted.get(raw_name)
        if name is not None:
            found[name] = value[:MAX_VALUE].decode("latin-1")
    if "referer" in found:
        origin = _ORIGIN(found["referer"])
        found["referer"] = origin[0] if origin else ""
    return found
