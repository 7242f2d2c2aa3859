"""The one way out over HTTPS, against a real server."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from resonanz.model import InvalidInput, ResonanzError, TemporaryFailure, TooLarge
from resonanz.outbound import Poster, Rules, check_url, fetch, is_public
from tests.kit.certificates import make_certificate


@dataclass
class Site:
    """An HTTPS server on this machine; `asked` has the requests it got."""

    port: int = 0
    certificate: Path = Path()
    asked: list[tuple[str, str]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str, host: str = "localhost") -> str:
        return f"https://{host}:{self.port}{path}"

    def rules(self, **changes: Any) -> Rules:
        trusted = ssl.create_default_context(cafile=str(self.certificate))
        return Rules(**{"allowed": lambda _: True, "trusted": trusted, "seconds": 20.0, **changes})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with one page of each sort."""
    site = Site()
    site.certificate, key = make_certificate(tmp_path_factory.mktemp("site"))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            site.asked.append((self.path, self.headers["Host"]))
            if self.path == "/dribble":  # a byte of the answer at a time: no single read ever takes long
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not site.closing.wait(0.05):
                    self.wfile.write(b"x")
                return
            status, size = {"/moved": (302, 0), "/endless": (500, 1_000_000)}.get(self.path, (200, 0))
            self.send_response(status)
            self.send_header("Location", "/page")
            answer = bytes(size) if size else body
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def do_GET(self) -> None:
            site.asked.append((self.path, self.headers["Host"]))
            answers: dict[str, tuple[int, dict[str, str], bytes]] = {
                "/page": (200, {}, b"a page"),
                "/zipped": (200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(1_000_000))),
                "/moved": (302, {"Location": "/page"}, b""),
                "/round": (302, {"Location": "/round"}, b""),
                "/plain": (302, {"Location": f"http://localhost:{site.port}/page"}, b""),
            }
            status, headers, body = answers.get(self.path, (404, {}, b"nothing"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Callers that hang up on us are what some of these tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(site.certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield site
    site.closing.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("path", ["/page", "/moved"])
def test_a_page_is_fetched(site: Site, path: str) -> None:
    """The body comes back, over a redirect too; the server is asked by its name."""
    assert fetch(site.url(path), site.rules()) == b"a page"
    assert site.asked[-1] == ("/page", f"localhost:{site.port}")


def test_private_networks_are_not_entered(site: Site) -> None:
    """Nothing is even asked there, by name or by address, and no redirect leads in."""
    before = list(site.asked)
    for host in ("localhost", "127.0.0.1"):
        with pytest.raises(InvalidInput, match="private network"):
            fetch(site.url("/page", host), Rules())
    assert site.asked == before


@pytest.mark.parametrize(
    ("path", "changes", "failure", "told"),
    [
        ("/missing", {}, TemporaryFailure, "answered 404"),
        ("/round", {}, TemporaryFailure, "again and again"),
        ("/plain", {}, InvalidInput, "only https"),
        ("/page", {"limit_bytes": 3}, TooLarge, "longer than 3 bytes"),
        ("/zipped", {"limit_bytes": 100_000}, TooLarge, "longer than"),
        ("/page", {"seconds": 0.0}, TemporaryFailure, "timed out|took longer"),
        ("/page", {"trusted": None}, TemporaryFailure, "certificate"),
    ],
)
def test_what_ends_badly_says_so(
    site: Site, path: str, changes: dict[str, Any], failure: type[ResonanzError], told: str
) -> None:
    """Wrong statuses, circles, plain HTTP, size once unpacked, time, and certificates nobody vouches for."""
    with pytest.raises(failure, match=told):
        fetch(site.url(path), site.rules(**changes))


def test_things_are_posted_one_after_the_other(site: Site) -> None:
    """Whatever the status is, the answer comes back: no redirect is followed, and of a long one the beginning."""
    with Poster(site.rules(limit_bytes=100)) as poster:
        replies = [poster.post(site.url(path), b"a body", {"X-Name": "value"}) for path in ("/x", "/moved", "/endless")]
    assert [(reply.status, len(reply.beginning)) for reply in replies] == [(200, 6), (302, 6), (500, 100)]
    assert replies[1].headers["location"] == "/page"
    assert [path for path, _ in site.asked[-3:]] == ["/x", "/moved", "/endless"]


@pytest.mark.parametrize(
    ("path", "changes", "failure", "told"),
    [
        ("/dribble", {"seconds": 1.0}, TemporaryFailure, "no answer within 1 seconds"),
        ("/x", {"trusted": None}, TemporaryFailure, "certificate"),
        ("/x", {"allowed": lambda _: False}, InvalidInput, "private network"),
    ],
)
def test_posts_that_end_badly(
    site: Site, path: str, changes: dict[str, Any], failure: type[ResonanzError], told: str
) -> None:
    """A server that answers for ever, one that nobody vouches for, one in a private network."""
    with Poster(site.rules(**changes)) as poster, pytest.raises(failure, match=told):
        poster.post(site.url(path), b"x", {})


def test_plain_http_only_where_that_is_allowed(site: Site) -> None:
    """An address is looked at before it is stored: its scheme, and whether it is a private one by itself."""
    with pytest.raises(InvalidInput, match="only https"):
        check_url("http://example.org/", Rules())
    assert check_url("http://example.org:8080/x", Rules(plain=True)) == "example.org"
    with pytest.raises(InvalidInput, match="private network"):
        check_url("https://[fd00::1]/", Rules())


@pytest.mark.parametrize(
    "url", ["http://example.org/", "ftp://example.org/", "https://a:b@example.org/", "https:///x", "x", "https://[::1/"]
)
def test_addresses_that_are_not_asked(url: str) -> None:
    """Only https with a host, and no user's name."""
    with pytest.raises(InvalidInput):
        fetch(url)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("9.9.9.9", True),
        ("2620:fe::fe", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),  # 10.0.0.1 behind NAT64
        ("2002:a00:1::", False),  # 10.0.0.1 behind 6to4
        ("64:ff9b::909:909", True),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    """Loopback, private, shared, link-local (where clouds keep their secrets) and multicast addresses are not."""
    assert is_public(ip_address(address)) is public
