"""Who stands between a mail and its reader: security gateways that scan it, providers that take tracking out of it.

Told by the MX hosts of the recipient's domain, or by the domain itself; nothing is asked here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# Providers that take tracking images out before anybody sees the mail, by the domains of their addresses.
# Proton: https://proton.me/support/email-tracker-protection; HEY: https://www.hey.com/spy-trackers/;
# DuckDuckGo: https://duckduckgo.com/duckduckgo-help-pages/email-protection/what-is-duckduckgo-email-protection/
_STRIPPING_DOMAINS = {
    "proton.me": "Proton",
    "protonmail.com": "Proton",
    "protonmail.ch": "Proton",
    "pm.me": "Proton",
    "hey.com": "HEY",
    "duck.com": "DuckDuckGo",
}

# Who takes mail in for a domain, by the end of its MX hosts: those who strip, and security gateways.
_STRIPPING_HOSTS = ((".protonmail.ch", "Proton"), (".hey.com", "HEY"))
_GATEWAY_HOSTS = (
    (".pphosted.com", "Proofpoint"),
    (".ppe-hosted.com", "Proofpoint"),
    (".mimecast.com", "Mimecast"),
    (".mimecast.co.za", "Mimecast"),
    (".barracudanetworks.com", "Barracuda"),
    (".cudasvc.com", "Barracuda"),
    (".iphmx.com", "Cisco"),
    (".messagelabs.com", "Symantec"),
    (".trendmicro.com", "Trend Micro"),
    (".trendmicro.eu", "Trend Micro"),
    (".sophos.com", "Sophos"),
    (".reflexion.net", "Sophos"),
    (".mailcontrol.com", "Forcepoint"),
    (".hornetsecurity.com", "Hornetsecurity"),
    (".antispameurope.com", "Hornetsecurity"),
    (".fireeyecloud.com", "Trellix"),
    (".retarus.com", "Retarus"),
    (".antispamcloud.com", "N-able"),
    (".mxthunder.com", "SpamHero"),
    (".zixcorp.com", "Zix"),
    (".arsmtp.com", "AppRiver"),
    (".mail.protection.outlook.com", "Microsoft 365"),
)
_STRIPPERS = frozenset(_STRIPPING_DOMAINS.values())


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who takes in the mail of a domain, by name; empty for nobody that matters to what can be measured."""

    name: str = ""

    @property
    def strips(self) -> bool:
        """Whether they remove tracking images; who has a name and does not, scans."""
        return self.name in _STRIPPERS


NOBODY_SPECIAL = Receiver()


def receiver_of(hosts: Iterable[str]) -> Receiver:
    """Return who is behind the MX hosts of a domain (lower case, without a final dot): who strips before who scans."""
    dotted = [f".{host}" for host in hosts]
    for end, name in (*_STRIPPING_HOSTS, *_GATEWAY_HOSTS):
        if any(host.endswith(end) for host in dotted):
            return Receiver(name)
    return NOBODY_SPECIAL


def receiver_at(domain: str) -> Receiver | None:
    """Return who takes in the mail of a domain (lower case), where its name alone tells."""
    name = _STRIPPING_DOMAINS.get(domain)
    return Receiver(name) if name is not None else None
