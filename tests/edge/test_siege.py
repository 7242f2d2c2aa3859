"""Tens of thousands of requests made to do harm, and what only bytes on a socket can say: the edge bears all of it."""

from __future__ import annotations

import random
import re
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from resonanz.model import document_place
from resonanz.tokens import Token, TokenKind, create_keys, mint
from tests.kit.edges import Edge, running_edge
from tests.kit.ports import free_range
from tests.kit.waiting import wait_for

REQUESTS = 24_000
PIPELINED = 40
GROWTH_KIB = 6_000  # in the second half; one leaked kilobyte a request would be twice that

MARK = "zq7mark"  # stands in everything that is sent, and in nothing that comes back
SIGNED = "https://signed.example/"
DOCUMENT = b"%PDF-1.7 " + bytes(range(256)) * 8
KEY = "ab" * 32

HOME = {
    TokenKind.OPEN: "/o/",
    TokenKind.CLICK: "/c/",
    TokenKind.FILE: "/f/",
    TokenKind.UNSUBSCRIBE: "/u/",
    TokenKind.PREFERENCES: "/p/",
    TokenKind.VIEW: "/v/",
}
DOORS = ["/o/", "/c/", "/f/", "/i/", "/u/", "/p/", "/v/", "/b", "/s.js", "/", "/robots.txt", "/healthz", "/metrics"]
METHODS = ["GET"] * 16 + ["HEAD"] * 2 + ["POST"] * 8 + ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", "LINK"]
TRICKS = [
    "../",
    "..%2f..%2f..%2fetc/passwd",
    "%2e%2e/%2e%2e/keys.json",
    "....//",
    "%00",
    "%",
    "%zz",
    "%c0%af",
    "%ff%fe",
    "\\..\\",
    "//evil.example/",
    "/https://evil.example/",
    "?to=https://evil.example/",
    ";jsessionid=1",
    "#x",
    "%0d%0aLocation:%20https://evil.example/",
    "%E2%80%AE",
    f"<script>{MARK}</script>",
    f"{{{{7*7}}}}{MARK}",
    f"%3Cimg%20src=x%20onerror={MARK}%3E",
]
RANGES = [
    "bytes=0-0",
    "bytes=0-",
    "bytes=-1",
    "bytes=-0",
    "bytes=5-2",
    "bytes=99999-",
    "bytes=0-999999999999999999999999",
    "bytes=" + "9" * 400 + "-",
    "bytes=-" + "9" * 400,
    "bytes=0-1,5-6",
    "bytes=" + ",".join(f"{n}-{n}" for n in range(500)),
    "bytes=,",
    "bytes",
    "bytes=--5",
    "bytes=a-b",
    "items=0-5",
    "bytes=0x1-0x2",
    " bytes = 1 - 2 ",
    "bytes=1-2;q=1",
    f"{MARK}=0-1",
]
HEADERS = [
    "Host: evil.example",
    "X-Forwarded-Host: evil.example",
    "X-Original-URL: /keys.json",
    "X-Rewrite-URL: //evil.example",
    "X-HTTP-Method-Override: DELETE",
    f"Referer: https://evil.example/{MARK}",
    f"Cookie: session={MARK}; a=b",
    "Accept: */*" + ", text/html" * 200,
    f"User-Agent: {MARK}" + "x" * 2000,
    "User-Agent: \xff\xfe\x80",
    f"X-Forwarded-For: {MARK}, 1.2.3.4" + ",," * 300,
    'Forwarded: for="[::1]:x";by=_x;' + '"' * 99,
    "If-Range: *",
    f'If-Range: "{KEY}"',
    f'If-None-Match: "{KEY}", W/"{KEY}"',
    "If-Modified-Since: Thu, 32 Foo 9999 99:99:99 GMT",
    "Sec-Purpose: prefetch;anonymous-client-ip",
    "Accept-Encoding: gzip;q=nan, br, *;q=9e999",
    "Connection: Sec-Purpose, X-Forwarded-For",
    "TE: trailers",
    f"{MARK}: {MARK}",
]
BODIES = [
    b"",
    b"List-Unsubscribe=One-Click",
    b"confirm=unsubscribe",
    b"tracking=off",
    b"tracking=" + MARK.encode(),
    b"\xff\xfe\x00" * 30,
    b"a=1&" * 3000,
    b"&" * 8000,
    b"=" * 16_384,
    b"x" * 16_385,
    b'{"a":' * 500,
    b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
    b'List-Unsubscribe"' * 700,
    b"[" * 8000,
]
TYPES = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "application/json", "text/plain", MARK]


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An edge that believes its peer to be a proxy, with one document, and a secret beside its folders."""
    folder: Path = tmp_path_factory.mktemp("siege")
    with running_edge(folder, trusted_proxies=["127.0.0.1"], ops_port=free_range(1)) as edge:
        place(edge)
        yield edge


def place(edge: Edge) -> None:
    """Put the document where the edge finds it."""
    at = edge.documents_folder / document_place(KEY)
    at.parent.mkdir(parents=True)
    at.write_bytes(DOCUMENT)


@pytest.fixture(scope="module", autouse=True)
def silent(edge: Edge) -> Iterator[socket.socket]:
    """A connection on which nothing is ever said, open while the others run."""
    with socket.create_connection(("127.0.0.1", edge.port), timeout=20) as connection:
        yield connection


class Besieger:
    """Makes requests, the same ones every time."""

    def __init__(self, edge: Edge, chance: random.Random, strangers: Path) -> None:
        self._chance = chance
        stranger = create_keys(strangers / "keys.json")
        self._tokens = []
        for keys in (edge.keys, edge.keys, stranger):
            for kind in TokenKind:
                for anonymous in (False, True):
                    links = {TokenKind.CLICK: SIGNED, TokenKind.FILE: chance.choice([KEY, SIGNED, "../keys.json"])}
                    destination = links.get(kind, "")
                    link = 0 if destination else None
                    token = mint(keys, Token(kind, UUID(int=7), anonymous, link, destination))
                    self._tokens.append((HOME.get(kind, "/"), token))
        for other in ("javascript:alert(1)", "//evil.example/", "https:", "data:text/html,x", "../../keys.json", ""):
            self._tokens.append(("/f/", mint(edge.keys, Token(TokenKind.FILE, UUID(int=8), False, 0, other))))

    def request(self) -> bytes:
        """Return a request that a server can tell from the next one, with whatever in it."""
        chance = self._chance
        method = chance.choice(METHODS)
        lines = [f"{method} {self._target()} HTTP/1.1", "Host: t"]
        lines += chance.sample(HEADERS, chance.choice((0, 0, 1, 2, 5)))
        if chance.random() < 0.3:
            lines.append(f"Range: {chance.choice(RANGES)}")
        if chance.random() < 0.02:
            lines += [f"X-{MARK}-{number}: {number}" for number in range(chance.choice((50, 90)))]
        body = chance.choice(BODIES) if method == "POST" else b""
        if method == "POST":
            lines.append(f"Content-Type: {chance.choice(TYPES)}")
            if chance.random() < 0.5:
                lines.append("Transfer-Encoding: chunked")
                body = b"".join(b"%x;%b\r\n%b\r\n" % (len(p), MARK.encode(), p) for p in (body[:7], body[7:]) if p)
                body += b"0\r\n\r\n"
            else:
                lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    def _target(self) -> str:
        chance = self._chance
        home, token = chance.choice(self._tokens)
        if chance.random() < 0.3:
            return home + token
        target = chance.choice((home, chance.choice(DOORS)))
        if chance.random() < 0.8:
            at = chance.randrange(len(token) + 1)
            target += chance.choice(
                [
                    token,
                    token,
                    token[:at],
                    token[:at] + chance.choice("Aa0_-.~%") + token[at + 1 :],
                    token + token,
                    token * 200,
                    token.swapcase(),
                ]
            )
            target += chance.choice(["", ".gif", "/price list.pdf".replace(" ", "%20"), f"?x={MARK}", "=", "//"])
        if chance.random() < 0.5:
            target += chance.choice(TRICKS)
        if chance.random() < 0.03:
            target = (
                chance.choice(["http://evil.example", "https://u:p@evil.example:1", "//evil.example", "/."]) + target
            )
        return target.replace(" ", "")


def exchange(edge: Edge, requests: list[bytes]) -> bytes:
    """Send requests one behind the other on one connection and return all that comes back until its end."""
    last = b"GET /healthz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"
    received = bytearray()
    with socket.create_connection(("127.0.0.1", edge.port), timeout=20) as connection:
        try:
            for request in (*requests, last):
                connection.sendall(request)
                connection.setblocking(False)
                try:
                    while chunk := connection.recv(1 << 20):
                        received += chunk
                except BlockingIOError:
                    pass
                connection.settimeout(20)
            while chunk := connection.recv(1 << 20):
                received += chunk
        except (ConnectionResetError, BrokenPipeError):
            pass  # it had enough of us
    return bytes(received)


STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
NAME = re.compile(rb"\r\ncontent-disposition: attachment; [ -~]*")
LOCATION = re.compile(rb"\r\nlocation: ([^\r]*)", re.IGNORECASE)


def resident(edge: Edge) -> int:
    """The edge's memory, in KiB."""
    assert edge.process is not None
    status = Path(f"/proc/{edge.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])  # type: ignore[index]


def test_a_siege_finds_nothing(edge: Edge, tmp_path: Path) -> None:
    """No 500, no redirect to anything unsigned, nothing repeated, no file but documents, no cookie, no memory kept.

    503 says a page whose maker is away, and nothing else.
    """
    chance = random.Random(1981)
    besieger = Besieger(edge, chance, tmp_path)
    secret = (edge.folder / "keys.json").read_bytes()[:20].lower()
    statuses: Counter[int] = Counter()
    memory = [resident(edge)]
    waiting: list[bytes] = []
    for made in range(0, REQUESTS, PIPELINED):
        if made % (REQUESTS // 4) == 0:
            memory.append(resident(edge))
        waiting += [besieger.request() for _ in range(PIPELINED)]
        while len(waiting) >= PIPELINED:
            received = exchange(edge, waiting)
            found = list(map(int, STATUS.findall(received)))
            statuses.update(found)
            # What a file is saved as stands in its address; made harmless, it is all that ever comes back.
            received = NAME.sub(b"", received)
            for never in (MARK.encode(), b"evil", b"set-cookie", b"root:", secret, b"traceback"):
                at = received.lower().find(never)
                assert at < 0, received[max(at - 300, 0) : at + 100]
            assert set(LOCATION.findall(received)) <= {SIGNED.encode()}, waiting
            del waiting[: max(len(found), 1)]  # behind an answer that ends the connection nothing was read
    memory.append(resident(edge))
    print(statuses, "KiB", memory)
    assert statuses.total() > REQUESTS * 0.9, "most of it was answered"
    assert {200, 206, 302, 404, 405, 413, 416} <= statuses.keys()
    assert {status for status in statuses if status >= 500} <= {503}
    assert memory[5] - memory[3] < GROWTH_KIB, memory
    well(edge)


def well(edge: Edge) -> None:
    """Hold that the edge serves as before, and that nothing went wrong inside."""
    assert edge.ask("GET", edge.path(TokenKind.CLICK, destination=SIGNED)).header("location") == SIGNED
    for alarm in ("edge.failed", "Traceback", "panicked", "Exception"):
        assert alarm not in edge.log()


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: {length}\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: {length}\r\nContent-Length: 0",
        "Content-Length: 0, {length}",
        "Content-Length: +5",
        "Content-Length: 0x5",
        "Transfer-Encoding: xchunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding : chunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked\r\n : folded\r\nContent-Length: 5",
        "Content-Length: 5\r\n 0",
    ],
)
def test_no_request_is_smuggled_past_a_proxy(edge: Edge, framing: str) -> None:
    """A request whose length two readers could take for two things is refused, and nothing behind it is read."""
    hidden = f"GET {edge.path(TokenKind.CLICK, destination=SIGNED)} HTTP/1.1\r\nHost: t\r\n\r\n"
    body = f"0\r\n\r\n{hidden}"
    head = f"POST {edge.path(TokenKind.UNSUBSCRIBE)} HTTP/1.1\r\nHost: t\r\n{framing.format(length=len(body))}\r\n\r\n"
    received = exchange(edge, [(head + body).encode()])
    assert STATUS.findall(received) == [b"400"]


def test_what_stands_in_a_body_is_no_request(edge: Edge) -> None:
    """Neither the body of a GET nor that of a refused POST is taken for the next request."""
    hidden = f"GET {edge.path(TokenKind.CLICK, destination=SIGNED)} HTTP/1.1\r\nHost: t\r\n\r\n"
    for first in ("GET /o/x.gif", "POST /nowhere", f"POST {edge.path(TokenKind.CLICK, destination=SIGNED)}"):
        length = f"Content-Length: {len(hidden)}\r\n\r\n{hidden}"
        chunked = f"Transfer-Encoding: chunked\r\n\r\n{len(hidden):x}\r\n{hidden}\r\n0\r\n\r\n"
        for framing in (length, chunked):
            received = exchange(edge, [f"{first} HTTP/1.1\r\nHost: t\r\n{framing}".encode()])
            assert b"302" not in STATUS.findall(received)


def test_readers_who_leave_at_once_harm_nobody(edge: Edge) -> None:
    """Connections broken off before, within and behind a request, and while its answer is on its way."""
    pdf = edge.path(TokenKind.FILE, link=0, destination=KEY)
    paths = [edge.path(TokenKind.OPEN), edge.path(TokenKind.CLICK, destination=SIGNED), pdf, "/healthz"]
    for number in range(400):
        raw = f"GET {paths[number % 4]} HTTP/1.1\r\nHost: t\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", edge.port)) as connection:
            connection.sendall(raw if number % 3 else raw[: number % len(raw)])
            # Nobody is told good-bye: the connection is reset with whatever is under way (SO_LINGER of no time).
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    well(edge)


def test_slow_ones_keep_nobody_waiting(edge: Edge) -> None:
    """Hundreds of requests that are never finished hinder no other, and cost no place for ever."""
    connections = [socket.create_connection(("127.0.0.1", edge.port)) for _ in range(300)]
    post = f"POST {edge.path(TokenKind.UNSUBSCRIBE)} HTTP/1.1\r\nHost: t\r\nContent-Length: 26\r\n\r\nList"
    try:
        for number, connection in enumerate(connections):
            connection.sendall(post.encode() if number % 2 else b"GET /o/x.gif HTTP/1.1\r\nHost: t\r\nX-Slow: ")
        well(edge)
        for connection in connections[1::2]:
            connection.settimeout(20)
            assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
    finally:
        for connection in connections:
            connection.close()


def test_what_is_not_http_1_is_shut_out(edge: Edge) -> None:
    """HTTP/2 in clear text is spoken by no reader and no proxy of ours: its streams and tables are not to be had."""
    assert exchange(edge, [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])]) == b""


def test_who_says_nothing_is_shown_out(silent: socket.socket) -> None:
    """A connection without a request is ended after a while: thousands of them would take the place of readers."""
    assert silent.recv(1) == b""


def test_with_all_connections_taken_there_is_room_for_documents(tmp_path: Path) -> None:
    """However many connect, those who are let in are served, and when the others leave all is as before."""
    with running_edge(tmp_path, open_files=300) as edge:
        place(edge)
        connections = [socket.create_connection(("127.0.0.1", edge.port), timeout=20) for _ in range(600)]
        path = edge.path(TokenKind.FILE, link=0, destination=KEY)
        for connection in connections[:20]:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
        for connection in connections:
            connection.close()
        well(edge)


def test_heads_too_large_are_refused(edge: Edge) -> None:
    """Too long a line, too many headers and too large ones are answered or cut off, never taken in."""
    for head in (
        f"GET /c/{'A' * 100_000} HTTP/1.1\r\nHost: t",
        "GET / HTTP/1.1\r\nHost: t\r\n" + "\r\n".join(f"X-{number}: 1" for number in range(5000)),
        f"GET / HTTP/1.1\r\nHost: t\r\nX: {'x' * 200_000}",
    ):
        assert set(STATUS.findall(exchange(edge, [f"{head}\r\n\r\n".encode()]))) <= {b"400", b"414", b"431"}
    wait_for(lambda: edge.ask("GET", "/healthz").status == 200, "the edge to answer")
