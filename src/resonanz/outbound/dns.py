"""What DNS says about a name. Answers are told from failures: "there is none" is an answer, "nobody answers" is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from resonanz.model import InvalidInput, TemporaryFailure

if TYPE_CHECKING:
    import dns.name  # at run time where it is used: most processes never ask
    import dns.resolver

SECONDS = 4.0


class Resolver:
    """Asks the system's DNS servers, or those given as `host` or `host:port`. May be used by several threads.

    Names are taken with or without a dot at the end and always read as complete: no search list. Every question raises
    TemporaryFailure when no server answers or one reports a failure of its own, and InvalidInput for what is no name.
    A name that does not exist, or has no such record, is an empty answer.
    """

    def __init__(self, servers: Sequence[str] = (), *, seconds: float = SECONDS) -> None:
        """Ask these servers; `seconds` is the time for one question, all servers and attempts together."""
        self._servers = tuple(servers)
        self._seconds = seconds
        self._resolver: dns.resolver.Resolver | None = None

    def texts(self, name: str) -> list[str]:
        """Return the TXT records, each with its strings joined (RFC 7208 section 3.3)."""
        return [b"".join(record.strings).decode("utf-8", "replace") for record in self._ask(name, "TXT")]

    def mail_hosts(self, name: str) -> list[tuple[int, str]]:
        """Return the MX records as (preference, host), the preferred first; the host of a null MX (RFC 7505) is
        empty."""
        return sorted((int(record.preference), _host(record.exchange)) for record in self._ask(name, "MX"))

    def addresses(self, name: str) -> list[str]:
        """Return the IPv4 and IPv6 addresses, aliases followed."""
        return [record.address for kind in ("A", "AAAA") for record in self._ask(name, kind)]

    def alias(self, name: str) -> str:
        """Return the host that a CNAME at this name leads to, or an empty string."""
        return next((_host(record.target) for record in self._ask(name, "CNAME")), "")

    def _ask(self, name: str, kind: str) -> list[dns.resolver.Answer]:
        import dns.exception
        import dns.name
        import dns.resolver

        try:
            asked = dns.name.from_text(name.encode("idna").decode("ascii") if not name.isascii() else name)
        except (dns.exception.DNSException, UnicodeError) as error:
            raise InvalidInput("not a name that DNS can hold", where=name[:100]) from error
        try:
            return list(self._open().resolve(asked, kind, search=False, lifetime=self._seconds))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise TemporaryFailure(
                f"DNS does not answer: {str(error) or type(error).__name__}",
                where=f"{kind} {name}",
                remedy="check this machine's resolver, or set RESONANZ_DNS_SERVERS",
            ) from error

    def _open(self) -> dns.resolver.Resolver:
        """Read the system's configuration at the first question, so that a machine without one can still start."""
        import dns.nameserver
        import dns.resolver

        if self._resolver is None:
            resolver = dns.resolver.Resolver(configure=not self._servers)
            if self._servers:
                parts = [urlsplit(f"//{server}") for server in self._servers]
                resolver.nameservers = [
                    dns.nameserver.Do53Nameserver(part.hostname or "", part.port or 53) for part in parts
                ]
            self._resolver = resolver
        return self._resolver


def _host(name: dns.name.Name) -> str:
    text = name.to_text(omit_final_dot=True).lower()
    return "" if text == "." else text
