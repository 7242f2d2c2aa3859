"""The one way out to other people's web servers: HTTPS, never into a private network, bounded in size and time. What
may be otherwise is said in `Rules`, for servers that an operator has named.

A name is resolved once and the connection goes to an address that was checked, so that a name that answers differently
the second time (DNS rebinding) gains nothing. Certificates are verified against the name. Redirects are followed a few
times, each under the same rules; proxies named in the environment are not used.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, Self

from resonanz.model import InvalidInput, TemporaryFailure, TooLarge

if TYPE_CHECKING:
    import httpx2  # at run time where it is used: most processes never ask

Address = IPv4Address | IPv6Address

_MAX_REDIRECTS = 3
_USER_AGENT = "Resonanz"
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))  # NAT64, RFC 6052 and RFC 8215
_SIX_TO_FOUR = IPv6Network("2002::/16")  # RFC 3056


def is_public(address: Address) -> bool:
    """Return whether an address is one of the open Internet, also once the IPv4 address inside it is unwrapped."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped
        if inner is None and any(address in network for network in _TRANSLATED):
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None and address in _SIX_TO_FOUR:
            inner = IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


@dataclass(frozen=True, slots=True)
class Rules:
    """How far out one may go. `allowed` says which addresses, `trusted` whose certificates (None: the system's), and
    `plain` that a server may be asked by http, too."""

    limit_bytes: int = 20_000_000
    seconds: float = 60.0
    allowed: Callable[[Address], bool] = is_public
    trusted: ssl.SSLContext | None = None
    plain: bool = False


def fetch(url: str, rules: Rules | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    """Return the body that GET of an https address gives.

    Raises InvalidInput for an address that may not be asked, TooLarge for a body over the limit, TemporaryFailure for
    everything that may be different another time: names, connections, certificates, statuses other than 200.
    """
    import httpx2

    rules = rules or Rules()
    deadline = time.monotonic() + rules.seconds
    context = rules.trusted or ssl.create_default_context()
    with httpx2.Client(verify=context, trust_env=False, follow_redirects=False) as client:
        for _ in range(_MAX_REDIRECTS + 1):
            answer = _ask(client, url, rules, deadline, headers or {})
            if isinstance(answer, bytes):
                return answer
            url = answer.url
    raise TemporaryFailure("redirects again and again", where=url)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: the status, and the body."""

    status: int
    body: bytes


def post(url: str, form: Mapping[str, str], rules: Rules | None = None) -> Answer:
    """Return the answer, of whatever status, that POST of a form to an https address gives. No redirect is followed:
    what is posted is for nobody else.

    Raises InvalidInput, TooLarge and TemporaryFailure as `fetch` does, but for statuses.
    """
    import httpx2

    rules = rules or Rules()
    deadline = time.monotonic() + rules.seconds
    context = rules.trusted or ssl.create_default_context()
    with httpx2.Client(verify=context, trust_env=False, follow_redirects=False) as client:
        request = _request(client, "POST", url, rules, deadline, {}, form)
        try:
            response = client.send(request, stream=True)
            try:
                return Answer(response.status_code, _body(response, rules, deadline, url))
            finally:
                response.close()
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise TemporaryFailure(f"could not be asked: {error}", where=url) from error


# ── Posting many things to one server ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said to a post: the status, its headers by lower-case name, and how its body begins."""

    status: int
    headers: Mapping[str, str]
    beginning: bytes


class Poster:
    """Posts to one server after the other's answer, over one connection as long as that lasts. Not for two threads."""

    def __init__(self, rules: Rules) -> None:
        import httpx2

        self._rules = rules
        context = rules.trusted or _system_trust()
        self._client = httpx2.Client(verify=context, trust_env=False, follow_redirects=False)
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Return the answer, of whatever status; no redirect is followed. Of its body `limit_bytes` are read.

        Raises InvalidInput for an address that may not be asked, TemporaryFailure when there is no answer in time.
        """
        import httpx2

        rules = self._rules
        deadline = time.monotonic() + rules.seconds
        asked = {"Accept-Encoding": "identity", **headers}
        request = _request(self._client, "POST", url, rules, deadline, asked, content=body)
        request.extensions["trace"] = self._keep_socket
        # Timeouts hold for each read; somebody who answers a byte at a time would never meet one.
        alarm = threading.Timer(rules.seconds, self._hang_up)
        alarm.daemon = True
        alarm.start()
        try:
            response = self._client.send(request, stream=True)
            try:
                return Reply(response.status_code, dict(response.headers), self._beginning(response))
            finally:
                response.close()
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            if time.monotonic() >= deadline:
                raise TemporaryFailure(f"no answer within {rules.seconds:g} seconds", where=url) from error
            raise TemporaryFailure(f"could not be posted to: {error}", where=url) from error
        finally:
            alarm.cancel()

    def _beginning(self, response: httpx2.Response) -> bytes:
        found = b""
        for piece in response.iter_raw():  # as it comes: nobody was asked to compress it
            found += piece
            if len(found) >= self._rules.limit_bytes:
                return found[: self._rules.limit_bytes]
        return found

    def _keep_socket(self, event: str, about: Mapping[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = about["return_value"].get_extra_info("socket")

    def _hang_up(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # it is closed already
                self._socket.shutdown(socket.SHUT_RDWR)


@cache
def _system_trust() -> ssl.SSLContext:
    """Reading the system's certificates takes longer than posting."""
    return ssl.create_default_context()


# ── Beneath ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Redirect:
    url: str


def _request(
    client: httpx2.Client,
    method: str,
    text: str,
    rules: Rules,
    deadline: float,
    headers: Mapping[str, str],
    form: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> httpx2.Request:
    """Make a request to an address that was looked at, under the name that it was looked up by."""
    url = _checked(text, rules)
    address = _resolve(url, rules)
    return client.build_request(
        method,
        url.copy_with(host=str(address)),
        headers={"User-Agent": _USER_AGENT, **headers, "Host": url.netloc.decode("ascii")},
        data=form,
        content=content,
        timeout=max(deadline - time.monotonic(), 0.001),
        extensions={"sni_hostname": url.raw_host.decode("ascii")},
    )


def _ask(
    client: httpx2.Client, text: str, rules: Rules, deadline: float, headers: Mapping[str, str]
) -> bytes | _Redirect:
    import httpx2

    request = _request(client, "GET", text, rules, deadline, headers)
    url = _checked(text, rules)
    try:
        response = client.send(request, stream=True)
        try:
            if response.has_redirect_location:
                return _Redirect(str(url.join(response.headers["location"])))
            if response.status_code != 200:
                raise TemporaryFailure(f"answered {response.status_code}", where=text)
            return _body(response, rules, deadline, text)
        finally:
            response.close()
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise TemporaryFailure(f"could not be fetched: {error}", where=text) from error


def _body(response: httpx2.Response, rules: Rules, deadline: float, where: str) -> bytes:
    """Read the body. What is counted is what it unpacks to, so that a small archive of zeros helps nobody."""
    pieces: list[bytes] = []
    size = 0
    for piece in response.iter_bytes():
        size += len(piece)
        if size > rules.limit_bytes:
            raise TooLarge(f"longer than {rules.limit_bytes:,} bytes", where=where)
        if time.monotonic() > deadline:
            raise TemporaryFailure(f"took longer than {rules.seconds:g} seconds", where=where)
        pieces.append(piece)
    return b"".join(pieces)


def check_url(text: str, rules: Rules | None = None) -> str:
    """Return the host of an address that may be asked, as far as can be told without DNS. Raises InvalidInput."""
    rules = rules or Rules()
    url = _checked(text, rules)
    host = url.raw_host.decode("ascii").strip("[]")
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not rules.allowed(address):
        raise InvalidInput(f"{host} leads into a private network", where=text)
    return host


def _checked(text: str, rules: Rules) -> httpx2.URL:
    import httpx2

    try:
        url = httpx2.URL(text)
    except (httpx2.InvalidURL, ValueError) as error:
        raise InvalidInput(f"not an address: {error}", where=text) from None
    if (url.scheme != "https" and not (rules.plain and url.scheme == "http")) or not url.host:
        raise InvalidInput("only https addresses are asked", where=text)
    if url.userinfo:
        raise InvalidInput("an address with a user's name in it is not asked", where=text)
    return url


def _resolve(url: httpx2.URL, rules: Rules) -> Address:
    """Return the first address of a host, if all of them may be asked: one private one among them is no accident."""
    host = url.raw_host.decode("ascii").strip("[]")
    try:
        found = socket.getaddrinfo(host, url.port or (80 if url.scheme == "http" else 443), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TemporaryFailure(f"{host} has no address: {error}", where=str(url)) from error
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    refused = [address for address in addresses if not rules.allowed(address)]
    if refused or not addresses:
        raise InvalidInput(f"{host} leads into a private network", where=str(url))
    return addresses[0]
