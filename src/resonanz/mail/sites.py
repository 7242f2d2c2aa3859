"""The sender's own sites: hosts, each with all below it, as a person writes them down."""

from __future__ import annotations

import re
from collections.abc import Collection

import idna

from resonanz.mail.links import host_of
from resonanz.model import InvalidInput

MAX_SITES = 50

_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*").fullmatch


def is_of(host: str, sites: Collection[str]) -> bool:
    """Return whether a host (lower case, without port) is one of these sites, or lies below one."""
    return any(host == site or host.endswith(f".{site}") for site in sites)


def read_sites(text: str) -> tuple[str, ...]:
    """Return the hosts in a text of hosts or addresses, separated by spaces, commas or lines. Raises InvalidInput."""
    found: dict[str, None] = {}
    for word in re.split(r"[\s,]+", text.strip()):
        if word:
            found[_site(word)] = None
    if len(found) > MAX_SITES:
        raise InvalidInput(f"are more than {MAX_SITES} sites", where="sites", remedy="name the host above them all")
    return tuple(found)


def _site(word: str) -> str:
    host = host_of(word if "://" in word else f"http://{word}")
    try:
        host = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        host = ""
    if not _HOST(host):
        remedy = "write a host such as shop.example, or its address"
        raise InvalidInput(f"`{word[:80]}` is no site", where="sites", remedy=remedy)
    return host
