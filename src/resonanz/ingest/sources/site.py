"""Reports of site visits: what the script on the sender's site said, read with care, for it came from a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from resonanz.model import Hit
from resonanz.store.text import storable

LIFETIME = timedelta(hours=12)
"""How long after the click its token is believed: a visit, with a tab left open over a working day."""

_LIFETIME_S = int(LIFETIME.total_seconds())
_CLOCKS_APART_S = 300  # between two edges
MAX_URL = 500  # characters kept

_HOST = re.compile(r"[a-z0-9_.-]{1,253}|\[[0-9a-f:.]{2,45}\]").fullmatch


@dataclass(frozen=True, slots=True)
class Visit:
    """One report. `act` is `page`, `time` or `element`; `url` is the page without its query but for `utm_…`; `began` is
    when the click was (seconds since the epoch)."""

    act: str
    url: str
    host: str
    began: int
    title: str = ""
    before: str = ""
    element: str = ""
    seconds: int | None = None

    @property
    def about(self) -> str:
        """What this report is about: two about the same are one event and its repeat."""
        return f"{self.url} {self.element}"

    @property
    def detail(self) -> dict[str, object]:
        """What the event keeps beside its URL; nothing that is empty."""
        kept = {"title": self.title, "from": self.before, "element": self.element, "seconds": self.seconds}
        return {name: value for name, value in kept.items() if value not in ("", None)}

    def is_over(self, hit: Hit) -> bool:
        """Whether a hit came too long after its click, or before it."""
        since = hit.occurred_us // 1_000_000 - self.began
        return not -_CLOCKS_APART_S <= since <= _LIFETIME_S


def read_visit(hit: Hit) -> Visit | None:
    """Read the body of a beacon's hit, None where it makes no sense."""
    try:
        said = json.loads(hit.body)
        url, host = _page(str(said["at"]))
        began = int(hit.destination)
    except (ValueError, TypeError, KeyError):
        return None
    if not url:
        return None
    seconds = said.get("seconds")
    return Visit(
        act=str(said.get("act", "")),
        url=url,
        host=host,
        began=began,
        title=storable(str(said.get("title", ""))),
        before=storable(str(said.get("from", ""))),
        element=storable(str(said.get("element", ""))) if said.get("act") == "element" else "",
        seconds=seconds if isinstance(seconds, int) and said.get("act") == "time" else None,
    )


def about_of(url: str, detail: Mapping[str, object]) -> str:
    """Return what a recorded visit is about, as `Visit.about` says it."""
    return f"{url} {detail.get('element', '')}"


def _page(address: str) -> tuple[str, str]:
    """Return scheme, host and path of an address with its utm parameters, and its host; empty for what is no page."""
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    if parts.scheme not in ("http", "https") or not _HOST(host):
        return "", ""
    port = f":{parts.port}" if parts.port else ""
    utm = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name.startswith("utm_")])
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    url = f"{parts.scheme}://{host}{port}{path}{'?' if utm else ''}{utm}"
    return storable(url[:MAX_URL]), host
