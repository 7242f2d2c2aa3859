"""How fast large mailbox providers are to be sent to, unless the operator says otherwise.

Providers say little about this, and change it. Where one publishes something, the row names the source; where none
does, the figure is a cautious beginning, and says so. Domains of one provider share its limits, because they share its
servers. Smaller domains have no limit of their own until they ask for it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """How many mails at once, and how many a minute; None: no limit."""

    connections: int | None = None
    per_minute: float | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """One worker's part of every limit: it is number `rank`, counted from 0, of `workers` at work on a database."""

    rank: int = 0
    workers: int = 1

    def of(self, limit: Limit) -> Limit:
        """Return this worker's part. Parts add up to the whole, but that each worker has one connection at least: mail
        that it has claimed would else go nowhere."""
        if self.workers == 1:
            return limit
        connections, each = limit.connections, limit.per_minute
        if connections is not None:
            whole, rest = divmod(connections, self.workers)
            connections = max(whole + (self.rank < rest), 1)
        return Limit(connections, each / self.workers if each is not None else None)


@dataclass(frozen=True, slots=True)
class Provider:
    """Domains that share servers, their limit, and where it is from."""

    name: str
    domains: tuple[str, ...]
    limit: Limit
    source: str


_CAUTIOUS = "no figure is published; cautious"

LARGE: tuple[Provider, ...] = (
    Provider("gmail.com", ("gmail.com", "googlemail.com"), Limit(20), _CAUTIOUS),
    Provider(
        "outlook.com",
        ("outlook.com", "outlook.de", "outlook.fr", "hotmail.com", "hotmail.co.uk", "hotmail.de", "hotmail.fr",
         "hotmail.it", "hotmail.es", "live.com", "live.co.uk", "live.de", "live.fr", "live.nl", "msn.com"),
        Limit(20),
        _CAUTIOUS,
    ),
    Provider(
        "yahoo.com",
        ("yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "yahoo.it", "yahoo.es", "yahoo.ca", "yahoo.co.in",
         "yahoo.com.br", "ymail.com", "rocketmail.com", "aol.com", "aim.com"),
        Limit(5),
        "help.yahoo.com SLN3433 asks for few connections at once and names no figure; cautious",
    ),
    Provider("icloud.com", ("icloud.com", "me.com", "mac.com"), Limit(10), _CAUTIOUS),
    Provider("gmx.net", ("gmx.net", "gmx.de", "gmx.at", "gmx.com", "web.de"), Limit(5), _CAUTIOUS),
    Provider("t-online.de", ("t-online.de", "magenta.de"), Limit(5), _CAUTIOUS),
    Provider("orange.fr", ("orange.fr", "wanadoo.fr"), Limit(2), _CAUTIOUS),
    Provider("free.fr", ("free.fr",), Limit(2), _CAUTIOUS),
    Provider("laposte.net", ("laposte.net",), Limit(2), _CAUTIOUS),
    Provider("comcast.net", ("comcast.net",), Limit(5), _CAUTIOUS),
    Provider("libero.it", ("libero.it", "virgilio.it", "inwind.it", "iol.it"), Limit(3), _CAUTIOUS),
    Provider("mail.ru", ("mail.ru", "inbox.ru", "list.ru", "bk.ru"), Limit(5), _CAUTIOUS),
    Provider("yandex.ru", ("yandex.ru", "yandex.com", "ya.ru"), Limit(5), _CAUTIOUS),
    Provider("qq.com", ("qq.com", "foxmail.com"), Limit(3), _CAUTIOUS),
    Provider("163.com", ("163.com", "126.com", "yeah.net"), Limit(3), _CAUTIOUS),
)  # fmt: skip

_BY_DOMAIN = {domain: provider for provider in LARGE for domain in provider.domains}


def destination_of(address: str) -> str:
    """Return whose limits a recipient's mail keeps: its provider's name where it is known, else its domain."""
    domain = address.rpartition("@")[2].lower()
    provider = _BY_DOMAIN.get(domain)
    return provider.name if provider else domain


def default_limit(destination: str) -> Limit:
    """Return the built-in limit of a destination."""
    provider = _BY_DOMAIN.get(destination)
    return provider.limit if provider else Limit()
