"""What of one mail will be measurable, foreseen from the mail, its recipient's provider, and what was seen before.

It changes nothing about the mail: it tells, beside the figures, why nothing may be seen where somebody reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from resonanz.model import Coverage
from resonanz.store.opens import Past

# Providers that take tracking images out before anybody sees the mail, by the domains of their addresses.
# Proton: https://proton.me/support/email-tracker-protection; HEY: https://www.hey.com/spy-trackers/;
# DuckDuckGo: https://duckduckgo.com/duckduckgo-help-pages/email-protection/what-is-duckduckgo-email-protection/
STRIPPING_DOMAINS = frozenset({"proton.me", "protonmail.com", "protonmail.ch", "pm.me", "hey.com", "duck.com"})

# Who takes mail in for a domain, by the end of its MX hosts: those who strip, and security gateways.
_STRIPPING_HOSTS = (".protonmail.ch", ".hey.com")
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


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who takes in the mail of a domain: whether they remove tracking images, and which gateway scans it, if one."""

    strips: bool = False
    gateway: str = ""


NOBODY_SPECIAL = Receiver()


def receiver_of(hosts: Iterable[str]) -> Receiver:
    """Return who is behind the MX hosts of a domain (lower case, without a final dot)."""
    gateway, strips = "", False
    for host in hosts:
        dotted = f".{host}"
        strips = strips or dotted.endswith(_STRIPPING_HOSTS)
        gateway = gateway or next((name for end, name in _GATEWAY_HOSTS if dotted.endswith(end)), "")
    return Receiver(strips, gateway)


def foresee(built: Coverage, domain: str, receiver: Receiver, past: Past) -> Coverage:
    """Return the one thing that limits most what can be measured of a copy.

    `built` is what the mail itself tells, `domain` the recipient's, `past` what was seen of them in earlier mails.
    """
    if built in (Coverage.NOT_TRACKED, Coverage.TEXT_ONLY):
        return built
    if receiver.strips or domain in STRIPPING_DOMAINS:
        return Coverage.STRIPPING_DOMAIN
    if past.private and not past.opened:
        return Coverage.PRIVACY_CLIENT
    if past.blind >= BLIND_CLICKS and not past.opened and not past.private:
        return Coverage.IMAGES_LIKELY_BLOCKED
    if built is Coverage.TRACKABLE and receiver.gateway:
        return Coverage.GATEWAY_SCANNED
    return built


BLIND_CLICKS = 2  # mails of which a link was followed and no image fetched; one may be chance
