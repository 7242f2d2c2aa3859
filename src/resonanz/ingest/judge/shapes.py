"""Telling machines by the shape of their user agent, where no table knows their name.

What people read with has had one shape for thirty years: `Mozilla/5.0 (platform) engine product/version`, with the
platform named, the engine's boast unaltered, and every product with its version. A program that somebody wrote to fetch
pages rarely keeps to it: it leaves its address, names itself alone, or adds a word to a copied browser's string.
"""

from __future__ import annotations

import re

from resonanz.ingest.judge.agents import Machine

# Words with which machines name themselves. `Cubot` makes phones, and a bank is called Caboto.
_WORDS = re.compile(
    r"(?<!cu)(?<!ca)bot(?![a-z])|bot/|crawl|spider|slurp|scrap|archiv|validat|monitor|uptime|pingdom|check(?!out)|(?<!mozac)fetch"
    r"|harvest|feed(?! )(?:ly|bin|pars|burner|watch|flow)|subscribers?\b|\brss|\bscan|(?<!cam)scan(?:ner)?\b"
    r"|http-?client|httrack|lighthouse|synthetic|siteimprove|ips-agent|analy[sz]er|linkdex|zgrab|nmap|nikto|sqlmap"
    r"|masscan|censys|openvas|inspector|optimi[sz]er|watcher|\baudit|(?<!developer)preview|screenshot|webhook"
    r"|metadata|retriever|classifi|transcoder|weblight|page ?speed|\bptst/|search console|\bsplash\b|catchpoint"
    r"|[a-z]agent\b|-agent\b| agent\)|-user/\d|mediapartners|duplexweb-google|googleother|thousandeyes"
    r"|\(via [^)]*proxy",
    re.IGNORECASE,
)
# What each of these patterns cannot match without. Looking for plain text takes a twentieth of the time, and most user
# agents hold none of it.
_WORD_MARKS = (
    *(
        "bot",
        "crawl",
        "spider",
        "slurp",
        "scrap",
        "archiv",
        "validat",
        "monitor",
        "uptime",
        "pingdom",
        "check",
        "fetch",
    ),
    *("harvest", "feed", "subscriber", "rss", "scan", "httpclient", "http-client", "httrack", "lighthouse"),
    *("synthetic", "siteimprove", "agent", "analy", "linkdex", "zgrab", "nmap", "nikto", "sqlmap", "censys", "openvas"),
    *("inspector", "optimi", "watcher", "audit", "preview", "screenshot", "webhook", "metadata", "retriever"),
    *("classifi", "transcoder", "weblight", "page speed", "pagespeed", "ptst/", "search console", "splash"),
    *("catchpoint", "-user/", "mediapartners", "duplexweb-google", "googleother", "thousandeyes", "proxy"),
)
_CARD_MARKS = (
    *(
        "http",
        "www.",
        "@",
        "+",
        "(at)",
        ".com",
        ".net",
        ".org",
        ".io",
        ".co",
        ".ai",
        ".app",
        ".dev",
        ".me",
        ".gy",
        ".ly",
    ),
    *(".eu", ".us", ".uk", ".de", ".fr", ".nl", ".ru", ".ua", ".cz", ".pl", ".it", ".es"),
)
# A calling card: an address, a site, or a host's name. `ASP.NET` is none, and neither is what follows `.NET`.
_CARD = re.compile(
    r"https?://|\bwww\.|[@+][a-z0-9-]+\.[a-z]{2,}|\(at\)"
    r"|(?<![\w./-])(?!asp\.net)(?:[a-z0-9-]+\.)+(?:com|net|org|io|co|ai|app|dev|me|gy|ly|eu|us|uk|de|fr|nl|ru|ua|cz|pl|it|es)\b(?!\.)",
    re.IGNORECASE,
)
# The old `Mozilla/5.0 (compatible; …)` around anything but an Internet Explorer and its kind.
_COMPATIBLE = re.compile(
    r"^Mozilla/\d\.\d+ \(compatible; ?+(?!MSIE|ms-office|Konqueror|U;|Windows|Linux|Macintosh|Android|IBrowse|Lotus)"
)
# Every engine since WebKit boasts in the same words; what stands behind them in the brackets was put there.
_BOAST = re.compile(r"\(KHTML, like Gecko[;,](?! ?Safari)")
# A browser on a desktop whose string ends in a word without a version, unless that calls itself a browser.
_TRAILING = re.compile(
    r"(?:Safari|Firefox|Edg)/[\d.]+;? (?![A-Z]+$|Viber$|[A-Za-z]*Browser$)"
    r"[A-Za-z][A-Za-z-]*(?: [A-Z][a-z]+)?;?(?: \([0-9a-f]+\))?$"
)
# What people read on, also what they read on once.
_PLATFORM = re.compile(
    r"windows|win32|win\d\d|macintosh|mac ?os|x11|linux|android|iphone|ipad|ipod|\bios\b|cros|mobile|playstation"
    r"|\bps[345]\b|nintendo|xbox|symb|blackberry|bb10|tizen|web0s|webos|smart-?tv|series|j2me|midp|haiku|bsd|sunos"
    r"|amiga|beos|os/2|darwin|cfnetwork|dalvik|okhttp|kaios|msie|trident|morphos|roku|upnp|microsoft office"
    r"|applewebkit|scale/|nokia|samsung|arm64|lynx|links|w3m|up\.browser|opera mini|brew|netfront|obigo|docomo"
    r"|hbbtv|mqqbrowser|watchos|tvos|fban/|quicktime",
    re.IGNORECASE,
)


def machine_of(user_agent: str, *, named: bool) -> Machine | None:
    """Return what sort of machine a user agent that our table does not know belongs to by its shape, if to any.

    `named` says that a wider table knows it as something more special than one of the large browsers.
    """
    folded = user_agent.casefold()
    if any(mark in folded for mark in _WORD_MARKS) and _WORDS.search(user_agent):
        return Machine.CRAWLER
    if any(mark in folded for mark in _CARD_MARKS) and _CARD.search(user_agent):
        return Machine.CRAWLER
    if _BOAST.search(user_agent) or _COMPATIBLE.search(user_agent):
        return Machine.CRAWLER
    if _PLATFORM.search(user_agent):
        copied = not named and "Mobile" not in user_agent and _TRAILING.search(user_agent) is not None
        return Machine.CRAWLER if copied else None
    return Machine.PROGRAM if _names_only_itself(user_agent) else None


def _names_only_itself(user_agent: str) -> bool:
    """No platform, no engine: a program that says its name at most. Mail clients do so too, but say what they are."""
    return user_agent.strip() != "Mozilla/5.0" and "mail" not in user_agent.lower()
