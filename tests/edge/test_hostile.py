"""Requests made to do harm: no 5xx, no redirect that was not signed, nothing of the request repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonanz.tokens import TokenKind
from tests.kit.edges import Edge, Reply, running_edge

# Starting a process for every example would test nothing more.
hostile = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

MARK = "zq7mark"
SIGNED = "https://signed.example/"

DOORS = ["/o/", "/c/", "/f/", "/i/", "/u/", "/p/", "/v/"]

junk = st.text(st.characters(max_codepoint=0xFF), max_size=40)
line = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=40)
tricks = st.sampled_from(
    [
        "//evil.example",
        "https://evil.example/",
        "%2f%2fevil.example",
        "..%2f..%2fetc/passwd",
        "../",
        "%00",
        "%ff",
        "%0d%0aX: y",
        "\\",
        f"<script>{MARK}</script>",
        f"%3Cb%3E{MARK}",
        "?url=https://evil.example",
        "#",
        ";",
        "{{7*7}}",
        "é",
    ]
)
doors = st.sampled_from(
    ["/", *DOORS, "/b", "/s.js", "/O/", "//c/", "/c/c/", "/metrics", "/healthz", "/robots.txt", "*"]
)
methods = st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS", "CONNECT", "get", "G<T", "PRI", "X" * 300])
names = st.sampled_from(
    [
        "Host",
        "User-Agent",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Original-URL",
        "X-HTTP-Method-Override",
        "Forwarded",
        "Range",
        "Referer",
        "Purpose",
        "Accept",
        "Cookie",
        "Content-Length",
        "Transfer-Encoding",
        "Expect",
        "Upgrade",
    ]
)


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An edge that believes its peer to be a proxy, so that forwarded addresses are read too."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    with running_edge(folder, trusted_proxies=["127.0.0.1"]) as edge:
        yield edge


def check(edge: Edge, reply: Reply | None) -> None:
    """Hold an answer against what no request may bring about."""
    if reply is None:  # it was no HTTP, or not all of a request
        return
    assert reply.status < 500, edge.log()
    assert reply.header("location") in (None, SIGNED)
    assert reply.header("set-cookie") is None
    assert MARK.encode() not in reply.body
    assert b"evil" not in reply.body
    assert all(MARK not in value and "evil" not in value for _, value in reply.headers)


@hostile
@given(methods, doors, st.lists(st.one_of(junk, tricks), max_size=4), st.dictionaries(names, line | tricks, max_size=4))
def test_hostile_requests(edge: Edge, method: str, door: str, parts: list[str], headers: dict[str, str]) -> None:
    """Methods, paths and headers of any kind."""
    request = [f"{method} {door}{''.join(parts)} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    raw = "\r\n".join([*request, "Connection: close", "", ""]).encode("latin-1", "replace")
    check(edge, edge.exchange(raw, patience=0.3))


@hostile
@given(st.data())
def test_tampered_tokens(edge: Edge, data: st.DataObject) -> None:
    """A token cut, extended or changed anywhere leads to the signed destination or nowhere."""
    kind = data.draw(st.sampled_from([TokenKind.OPEN, TokenKind.CLICK, TokenKind.UNSUBSCRIBE, TokenKind.PREFERENCES]))
    path = edge.path(kind, id=UUID(int=5), destination=SIGNED if kind is TokenKind.CLICK else "")
    at = data.draw(st.integers(3, len(path)))
    cut = data.draw(st.integers(0, 10))
    inserted = data.draw(st.text("ABab09-_.~%+/=", max_size=6))
    door = data.draw(st.sampled_from(DOORS))
    raw = f"GET {door}{path[3:at]}{inserted}{path[at + cut :]} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"
    check(edge, edge.exchange(raw.encode(), patience=0.3))


@hostile
@given(
    st.sampled_from([TokenKind.UNSUBSCRIBE, TokenKind.PREFERENCES]),
    st.binary(max_size=200) | st.sampled_from([b"tracking=off", b"tracking=off&x", b"tracking=\xff"]),
    st.sampled_from(["", "chunked"]),
    st.integers(-1, 300),
)
def test_hostile_bodies(edge: Edge, kind: TokenKind, body: bytes, encoding: str, length: int) -> None:
    """Bodies that lie about their length, and chunks that are none, change nothing."""
    id = uuid4()  # of its own: what was asked before may still be on its way to the disk
    framing = f"Transfer-Encoding: {encoding}" if encoding else f"Content-Length: {min(length, len(body))}"
    head = f"POST {edge.path(kind, id=id)} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n{framing}\r\n\r\n"
    raw = head.encode() + body
    if encoding:
        raw += b"\r\n0\r\n\r\n"
    check(edge, edge.exchange(raw, patience=0.3))
    if not re.search(rb"One-Click|confirm=unsubscribe|tracking=o(ff|n)", body):
        assert id not in {hit.id for hit in edge.hits()}


@hostile
@given(st.binary(max_size=300))
def test_no_http_at_all(edge: Edge, raw: bytes) -> None:
    """Bytes that are no request end the connection or get an error."""
    check(edge, edge.exchange(raw + b"\r\n\r\n\r\n", patience=0.3))


def test_it_still_answers(edge: Edge) -> None:
    """After all that the edge serves as before, and nothing went wrong inside."""
    assert edge.ask("GET", edge.path(TokenKind.CLICK, destination=SIGNED)).header("location") == SIGNED
    assert "edge.failed" not in edge.log()
    assert "Traceback" not in edge.log()
