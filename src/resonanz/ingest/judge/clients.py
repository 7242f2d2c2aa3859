"""Which program stands behind a user agent: our own table first, then uap-core's patterns, cached by string.

Names without versions, an operating system without its release, and a device class at most: browsers freeze or invent
the rest. Where a string names nobody, the answer is `unknown` and not the engine it happens to share.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from resonanz.ingest.judge.agents import Machine, find
from resonanz.ingest.judge.shapes import machine_of
from resonanz.model import Client, ClientKind
from resonanz.store.text import storable

if TYPE_CHECKING:
    from ua_parser import PartialResult

# User agents seen lately; a few thousand cover nearly all traffic, and memory stays flat under invented ones.
CACHED_AGENTS = 20_000
MAX_AGENT_CHARACTERS = 1_000  # longer ones are cut: nothing real is longer, and patterns take their time

UNKNOWN = Client(ClientKind.UNKNOWN, "")


@dataclass(frozen=True, slots=True)
class Identity:
    """A program, and what sort of machine it is when it acts for nobody who reads the mail."""

    client: Client = UNKNOWN
    machine: Machine | None = None


@lru_cache(maxsize=CACHED_AGENTS)
def identify(user_agent: str) -> Identity:
    """Return the program behind a user agent; the same for the same string, always."""
    text = storable(user_agent[:MAX_AGENT_CHARACTERS]).strip()
    if not text:
        return Identity()
    agent = find(text)
    if agent is not None and agent.kind is ClientKind.MAIL_CLIENT and "http:" in text:
        agent = None  # a crawler in a mail client's clothes leaves its address; no mail client does
    if agent is not None and agent.kind is not ClientKind.MAIL_CLIENT:
        return Identity(Client(agent.kind, agent.name), agent.machine)
    parsed = _parser()(text)
    os, device = _os(parsed), _device(parsed, text)
    if agent is not None:
        return Identity(Client(agent.kind, agent.name, agent.os or os, agent.device or device))
    machine = _machine(parsed, text)
    if machine is not None:
        return Identity(Client(ClientKind.BOT, _bot_name(parsed, text)), machine)
    kind, name = _reader(parsed, text)
    return Identity(Client(kind, name, os, device))


@cache
def _parser() -> Callable[[str], PartialResult]:
    """Load the patterns when they are first asked: doors that judge nothing do without them."""
    from ua_parser import Domain
    from ua_parser.loaders import load_lazy_builtins
    from ua_parser.regex import Resolver as RustResolver

    parse = RustResolver(load_lazy_builtins())
    return lambda text: parse(text, Domain.ALL)


# ── Crawlers ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _machine(parsed: PartialResult, text: str) -> Machine | None:
    # To uap-core the desktop programs of chats are the spiders they have elsewhere; those are no Electron.
    if parsed.device is not None and parsed.device.family == "Spider" and " Electron/" not in text:
        return Machine.CRAWLER
    family = parsed.user_agent.family if parsed.user_agent is not None else ""
    return machine_of(text, named=bool(family) and family not in _BROWSERS)


def _bot_name(parsed: PartialResult, text: str) -> str:
    if parsed.user_agent is not None and parsed.user_agent.family not in _BROWSERS:
        return parsed.user_agent.family
    named = _BOT_NAME.search(text) or _FIRST_WORD.match(text)
    return named.group(0) if named else ""


_FIRST_WORD = re.compile(r"(?!Mozilla)[A-Za-z][A-Za-z0-9._-]{0,59}")
_BOT_NAME = re.compile(r"[A-Za-z0-9._-]*(?:bot|crawler|spider|checker|monitor|fetcher)[A-Za-z0-9._-]*", re.IGNORECASE)

# ── Readers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

# uap-core's families, and the names we show. What is not here and is no web view is some app.
_BROWSERS = {
    "Chrome": "Chrome",
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chromium": "Chromium",
    "Firefox": "Firefox",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Firefox ESR": "Firefox",
    "Safari": "Safari",
    "Mobile Safari": "Safari",
    "Edge": "Edge",
    "Edge Mobile": "Edge",
    "IE": "Internet Explorer",
    "IE Mobile": "Internet Explorer",
    "Opera": "Opera",
    "Opera Mobile": "Opera",
    "Opera Mini": "Opera Mini",
    "Opera Touch": "Opera",
    "Samsung Internet": "Samsung Internet",
    "UC Browser": "UC Browser",
    "MiuiBrowser": "MIUI Browser",
    "HuaweiBrowser": "Huawei Browser",
    "Yandex Browser": "Yandex Browser",
    "Vivaldi": "Vivaldi",
    "Brave": "Brave",
    "DuckDuckGo": "DuckDuckGo",
    "DuckDuckGo Mobile": "DuckDuckGo",
    "Ecosia iOS": "Ecosia",
    "Ecosia Android": "Ecosia",
    "Silk": "Silk",
    "Amazon Silk": "Silk",
    "Android": "Android Browser",
    "Whale": "Whale",
    "QQ Browser": "QQ Browser",
    "QQ Browser Mobile": "QQ Browser",
    "Konqueror": "Konqueror",
    "Epiphany": "GNOME Web",
    "SeaMonkey": "SeaMonkey",
    "Pale Moon": "Pale Moon",
    "Iceweasel": "Firefox",
    "Maxthon": "Maxthon",
    "Sogou Explorer": "Sogou Explorer",
    "Coc Coc": "Cốc Cốc",
}
# An engine inside some program that does not say which.
_WEB_VIEWS = frozenset(
    {"Chrome Mobile WebView", "Mobile Safari UI/WKWebView", "Android WebView", "AppleMail", "Safari UI/WKWebView"}
)


def _reader(parsed: PartialResult, text: str) -> tuple[ClientKind, str]:
    family = parsed.user_agent.family if parsed.user_agent is not None else ""
    if not family or family in _WEB_VIEWS or "; wv)" in text:
        return ClientKind.UNKNOWN, ""
    if family in _BROWSERS:
        return ClientKind.BROWSER, _BROWSERS[family]
    return (ClientKind.BROWSER if text.startswith("Mozilla/") and _is_desktop(text) else ClientKind.APP), family


def _is_desktop(text: str) -> bool:
    return "Mobile" not in text and "Android" not in text


# ── What it runs on ─────────────────────────────────────────────────────────────────────────────────────────────────

_SYSTEMS = {
    "Windows": "Windows",
    "Windows Phone": "Windows Phone",
    "Mac OS X": "macOS",
    "Mac OS": "macOS",
    "iOS": "iOS",
    "Android": "Android",
    "Linux": "Linux",
    "Ubuntu": "Linux",
    "Debian": "Linux",
    "Fedora": "Linux",
    "Chrome OS": "ChromeOS",
    "FreeBSD": "FreeBSD",
    "OpenBSD": "OpenBSD",
    "Tizen": "Tizen",
    "KaiOS": "KaiOS",
    "HarmonyOS": "HarmonyOS",
}
_DESKTOPS = frozenset({"Windows", "macOS", "Linux", "ChromeOS", "FreeBSD", "OpenBSD"})


def _os(parsed: PartialResult) -> str:
    return _SYSTEMS.get(parsed.os.family, "") if parsed.os is not None else ""


def _device(parsed: PartialResult, text: str) -> str:
    """Return `desktop`, `phone`, `tablet` or nothing. An iPad that asks for desktop pages is a desktop to everybody."""
    os = _os(parsed)
    if os in _DESKTOPS:
        return "desktop"
    if os == "iOS":
        return "tablet" if "iPad" in text else "phone"
    if os == "Android":  # Google asks browsers on phones to say Mobile, and those on tablets not to; apps are not asked
        return "phone" if "Mobile" in text else "tablet" if text.startswith("Mozilla/") else ""
    return "phone" if os in ("Windows Phone", "KaiOS") else ""
