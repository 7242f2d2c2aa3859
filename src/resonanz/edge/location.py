"""What a browser would make of a link's destination, for the Location header of a redirect.

A destination goes out byte for byte as its author wrote it. Only what a header cannot carry is changed, the way the
WHATWG URL standard (section 4.4, "basic URL parser") changes it when a browser follows the link directly: control
characters and spaces at the ends and tabs and line breaks anywhere are dropped, other controls, spaces and non-ASCII
characters are percent-encoded as UTF-8, and a host with non-ASCII characters becomes its A-label form (UTS 46).
"""

from __future__ import annotations

import re
from urllib.parse import quote

import idna

_PLAIN = re.compile(r"https?://(?![/\\?#])[!-~]+", re.IGNORECASE).fullmatch
_SCHEME = re.compile(r"(https?):", re.IGNORECASE).match
_PARTS = re.compile(r"(https?:[/\\]{2,})([^/\\?#]*)(.*)", re.IGNORECASE | re.DOTALL).fullmatch

_ENDS = "".join(map(chr, range(0x21)))
_DROPPED = {ord(character): None for character in "\t\n\r"}
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f#%/:<>?@\[\\\]^|]").search  # WHATWG URL 3.1: forbidden domain code points
_UNFIT = re.compile(r"[^!-~]+")


def location(destination: str) -> bytes | None:
    """Return the Location value for `destination`, or None when it is not an http(s) address."""
    if _PLAIN(destination):
        return destination.encode("ascii")
    cleaned = destination.strip(_ENDS).translate(_DROPPED)
    scheme = _SCHEME(cleaned)
    if scheme is None:
        return None
    parts = _PARTS(cleaned)
    if parts is None:
        # Without two slashes a browser reads a link in a mail as absolute, but a Location as relative to us.
        parts = _PARTS(f"{scheme[0]}//{cleaned[scheme.end() :].lstrip('/' + chr(92))}")
        assert parts is not None
    start, authority, rest = parts.groups()
    if not authority:
        return None
    return (start + _authority(authority) + _encoded(rest)).encode("ascii")


def _authority(authority: str) -> str:
    """Return user information, host and port fit for a header; ASCII stays as it is."""
    if not _UNFIT.search(authority):
        return authority
    user, at, host_and_port = authority.rpartition("@")
    host, colon, port = host_and_port.partition(":")
    return _encoded(user) + at + _host(host) + colon + _encoded(port)


def _host(host: str) -> str:
    """Return the A-label form of a host. One that no rule can convert is percent-encoded; no browser resolves it."""
    if not _UNFIT.search(host):
        return host
    try:
        mapped = idna.uts46_remap(host, std3_rules=False, transitional=False)
        if not mapped or _FORBIDDEN(mapped):  # soft hyphens alone, say, map to nothing at all
            return _encoded(host)
        return ".".join(map(_label, mapped.split(".")))
    except (UnicodeError, idna.IDNAError):
        return _encoded(host)


def _label(label: str) -> str:
    if label.isascii():
        return label
    try:
        return idna.alabel(label).decode("ascii")
    except idna.IDNAError:
        # Browsers are laxer than IDNA 2008; emoji domains exist.
        return "xn--" + label.encode("punycode").decode("ascii")


def _encoded(text: str) -> str:
    return _UNFIT.sub(lambda found: quote(_without_lone_surrogates(found[0]), safe=""), text)


def _without_lone_surrogates(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
