"""Site visits at the edge: which redirects carry a token, the script, and what is taken of its reports."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.edge.visits import MAX_REPORTS, read_reports
from resonanz.model import Hit, HitKind
from resonanz.snapshot import IdSet, Snapshot, save_snapshot
from resonanz.tokens import Key, Keys, Token, TokenKind, mint, read
from tests.kit.edges import Edge, running_edge

SILENT = uuid4()
SITES = frozenset({"shop.example", "xn--bcher-kva.example"})
STRANGERS = Keys([Key(1, bytes(32))])
PAGE = {"act": "page", "at": "https://shop.example/prices", "title": "Prices"}


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An edge that knows the sender's own sites."""
    folder = tmp_path_factory.mktemp("edge")
    silent = IdSet.of([SILENT.bytes])
    save_snapshot(folder / "snapshot", Snapshot(time.time_ns() // 1000, silent_clicks=silent, sites=SITES))
    with running_edge(folder) as edge:
        yield edge


def followed(
    edge: Edge, destination: str, method: str = "GET", headers: dict[str, str] | None = None, **token: object
) -> tuple[str, Token | None]:
    """Where a click on this link leads: the address, and what the visit's token in it says (None without one)."""
    about = {"link": 3} | token
    path = edge.path(TokenKind.CLICK, destination=destination, **about)
    to = edge.ask(method, path, headers).header("location")
    assert to is not None
    address, mark, visit = to.partition("#rz=")
    return address, read(edge.keys, visit) if mark else None


def hits_of(edge: Edge, id: UUID) -> list[Hit]:
    return [hit for hit in edge.hits() if hit.id == id]


def report(edge: Edge, token: str, *reports: object, headers: dict[str, str] | None = None) -> int:
    body = json.dumps({"visit": token, "reports": reports}).encode()
    return edge.ask("POST", "/b", headers, body).status


def visit_of(edge: Edge, id: UUID) -> str:
    return mint(edge.keys, Token(TokenKind.VISIT, id, link=3, destination=str(int(time.time()))))


# ── Redirects ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("destination", "address"),
    [
        ("https://shop.example/a?b=1&c=%20", "https://shop.example/a?b=1&c=%20"),
        ("https://www.shop.example", "https://www.shop.example"),
        ("HTTPS://u:p@SHOP.example:8443/ü", "HTTPS://u:p@SHOP.example:8443/%C3%BC"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    ],
)
def test_a_click_to_an_own_site_carries_a_visit_in_the_fragment(edge: Edge, destination: str, address: str) -> None:
    """In front of the fragment stands what the author wrote; the token names message, link and second of the click."""
    id, before = uuid4(), int(time.time())
    to, visit = followed(edge, destination, id=id)
    assert to == address
    assert visit is not None
    assert (visit.kind, visit.id, visit.link, visit.anonymous) == (TokenKind.VISIT, id, 3, False)
    assert before <= int(visit.destination) <= int(time.time())


@pytest.mark.parametrize(
    "destination",
    [
        "https://shop.example/a#part",
        "https://shop.example/#",
        "https://other.example/?shop.example",
        "https://notshop.example/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
    ],
)
def test_any_other_address_stays_byte_for_byte(edge: Edge, destination: str) -> None:
    """Sites of others, look-alikes, and addresses with a fragment of their own are left alone."""
    assert (
        edge.ask("GET", edge.path(TokenKind.CLICK, link=0, destination=destination)).header("location") == destination
    )


def test_no_visit_without_a_name_a_look_or_consent(edge: Edge) -> None:
    """Anonymous copies, HEAD, a browser that objects, and who withdrew consent: the author's address as it is."""
    site = "https://shop.example/"
    assert followed(edge, site, anonymous=True) == (site, None)
    assert followed(edge, site, "HEAD") == (site, None)
    assert followed(edge, site, headers={"Sec-GPC": "1"}) == (site, None)
    assert followed(edge, site, headers={"DNT": "1"}) == (site, None)
    assert followed(edge, site, id=SILENT) == (site, None)
    assert followed(edge, site, headers={"DNT": "0"})[1] is not None


# ── The script ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_script_is_small_and_keeps_nothing(edge: Edge) -> None:
    """A script any site may load; it names no cookie and no lasting storage, and sets none."""
    reply = edge.ask("GET", "/s.js")
    assert (reply.status, reply.header("content-type")) == (200, "text/javascript; charset=utf-8")
    assert reply.header("cross-origin-resource-policy") == "cross-origin"
    assert reply.header("set-cookie") is None
    assert len(reply.body) < 5_000
    for word in (b"document.cookie", b"localStorage", b"indexedDB", b"eval(", b"innerHTML"):
        assert word not in reply.body
    assert edge.ask("POST", "/s.js").status == 405


# ── Reports ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_reports_are_on_disk_before_they_are_acknowledged(edge: Edge) -> None:
    """One hit each, in their order, with the message and link of the token and the fields within their bounds."""
    id = uuid4()
    element = {"act": "element", "at": PAGE["at"], "element": "x" * 500, "evil": "y"}
    assert report(edge, visit_of(edge, id), PAGE, element, headers={"Origin": "https://shop.example"}) == 204
    first, second = hits_of(edge, id)
    assert (first.kind, first.link, first.method, json.loads(first.body)) == (HitKind.BEACON, 3, "POST", PAGE)
    assert json.loads(second.body) == {"act": "element", "at": PAGE["at"], "element": "x" * 60}


def test_what_is_no_report_of_ours_is_answered_alike_and_leaves_no_trace(edge: Edge) -> None:
    """Wrong tokens, wrong shapes, objections, withdrawn consent: 204 as ever, and nothing is recorded."""
    id = uuid4()
    good = visit_of(edge, id)
    before = len(edge.hits())
    assert report(edge, mint(STRANGERS, Token(TokenKind.VISIT, id, link=3, destination="1")), PAGE) == 204
    assert (
        report(edge, mint(edge.keys, Token(TokenKind.CLICK, id, link=3, destination="https://a.example")), PAGE) == 204
    )
    assert report(edge, good) == 204
    assert report(edge, good, {"act": "page"}, {"act": "other", "at": "x"}, [], 7, None) == 204
    assert report(edge, good, PAGE, headers={"Sec-GPC": "1"}) == 204
    assert report(edge, good, PAGE, headers={"DNT": "1"}) == 204
    assert report(edge, visit_of(edge, SILENT), PAGE) == 204
    for body in (b"", b"x", b"[]", b"{}", b"[" * 15_000, b'{"visit":1,"reports":{}}', b"\xff\xfe"):
        reply = edge.ask("POST", "/b", None, body)
        assert (reply.status, reply.body) == (204, b"")
    assert len(edge.hits()) == before


def test_only_small_posts_are_taken(edge: Edge) -> None:
    """Other methods and large bodies are refused; of many reports the first are taken."""
    refused = edge.ask("GET", "/b")
    assert (refused.status, refused.header("allow")) == (405, "POST")
    assert edge.ask("POST", "/b", None, b"x" * 20_000).status == 413
    assert edge.ask("POST", "/b/x", None, b"x").status == 405, "no such door: a page like any other"
    id = uuid4()
    assert report(edge, visit_of(edge, id), *[PAGE] * 50) == 204
    assert len(hits_of(edge, id)) == MAX_REPORTS


def test_what_cannot_be_stored_is_not_acknowledged(tmp_path: Path) -> None:
    """Without a journal a report is refused; a click still leads to the author's address, without a visit."""
    (tmp_path / "journal").write_bytes(b"no folder")
    save_snapshot(tmp_path / "snapshot", Snapshot(time.time_ns() // 1000, sites=SITES))
    with running_edge(tmp_path) as edge:
        assert report(edge, visit_of(edge, uuid4()), PAGE) == 503
        assert followed(edge, "https://shop.example/") == ("https://shop.example/", None)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text() | st.integers() | st.floats(), st.lists).map(
        lambda value: json.dumps({"visit": "x", "reports": value}).encode()
    )
)
def test_no_body_upsets_the_reader(body: bytes) -> None:
    """Whatever is sent, reading it gives a token and bounded reports, and raises nothing."""
    token, reports = read_reports(body)
    assert isinstance(token, str)
    assert len(reports) <= MAX_REPORTS
