"""Whether a custom tracking domain leads to this instance, by what DNS says about it and about the edge's own host."""

from __future__ import annotations

from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

from resonanz.model import InvalidInput, TemporaryFailure
from resonanz.outbound import Resolver
from resonanz.sending.domains import Check, Checked


def dns_check(resolver: Resolver, edge_url: str) -> Check:
    """Return the check for an edge that recipients reach at `edge_url`."""
    return partial(_look, resolver, urlsplit(edge_url).hostname or "")


def _look(resolver: Resolver, edge_host: str, name: str) -> Checked:
    try:
        return _compare(resolver, edge_host, name)
    except TemporaryFailure as failure:
        return Checked(None, f"could not be found out: {failure.what}; check again later")
    except InvalidInput as error:
        return Checked(False, error.what)


def _compare(resolver: Resolver, edge_host: str, name: str) -> Checked:
    remedy = f"publish: {name}. CNAME {edge_host}."
    if resolver.alias(name) == edge_host:
        return Checked(True, f"CNAME {edge_host}")
    found = set(resolver.addresses(name))
    if not found:
        return Checked(False, f"has no address; {remedy}")
    ours = {edge_host} if _is_address(edge_host) else set(resolver.addresses(edge_host))
    shown = ", ".join(sorted(found))
    if not ours:
        return Checked(None, f"leads to {shown}; {edge_host} has no address to compare with")
    if found <= ours:
        return Checked(True, f"leads to {shown}, as {edge_host} does")
    return Checked(False, f"leads to {shown}, {edge_host} to {', '.join(sorted(ours))}; {remedy}")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
