"""Pages that the app makes, fetched by the edge: shown in a sandbox, and never in the way of anything else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from resonanz.model import Hit, HitKind
from resonanz.tokens import Key, Keys, Token, TokenKind, is_from_inside, mint
from tests.kit.edges import Edge, Reply, running_edge
from tests.kit.insides import StandIn, standing_in
from tests.kit.waiting import wait_for

MAIL = "<!doctype html><p>Grüße <script>alert(1)</script></p>".encode()


@pytest.fixture(scope="module")
def app() -> Iterator[StandIn]:
    """What stands in for the app."""
    with standing_in() as app:
        yield app


@pytest.fixture(scope="module")
def edge(app: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An edge that asks the stand-in."""
    with running_edge(tmp_path_factory.mktemp("edge"), app_url=app.url) as edge:
        yield edge


def hits_of(edge: Edge, id: UUID) -> list[Hit]:
    return [hit for hit in edge.hits() if hit.id == id]


def policy(reply: Reply) -> list[str]:
    return [part.strip() for part in (reply.header("content-security-policy") or "").split(";")]


def test_a_mail_is_shown_in_a_sandbox_and_recorded_as_what_it_is(edge: Edge, app: StandIn) -> None:
    """The page is the app's, its headers are the edge's own: no script, no origin, no frame, no index, no cookie."""
    app.answers(MAIL, more="Set-Cookie: a=b\r\nContent-Security-Policy: script-src *\r\n")
    id = uuid4()
    reply = edge.ask("GET", edge.path(TokenKind.VIEW, id=id), {"User-Agent": "Firefox"})
    assert (reply.status, reply.body) == (200, MAIL)
    assert reply.header("set-cookie") is None
    assert "default-src 'none'" in policy(reply)
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy(reply)
    assert not [part for part in policy(reply) if part.startswith("script-src")]
    assert "frame-ancestors 'none'" in policy(reply)
    assert reply.header("x-robots-tag") == "noindex, nofollow"
    assert reply.header("referrer-policy") == "no-referrer"
    assert [(hit.kind, hit.user_agent) for hit in hits_of(edge, id)] == [(HitKind.VIEW, "Firefox")]


def test_the_app_is_asked_for_one_path_by_somebody_who_knows_a_key(edge: Edge, app: StandIn) -> None:
    """The path is the token's and nothing of the request's; its signature is the edge's."""
    app.answers(MAIL)
    path = edge.path(TokenKind.VIEW)
    edge.ask("GET", f"{path}/../../api/v1/messages?x=1", {"Cookie": "a=b", "Authorization": "Bearer x"})
    line, *headers = app.asked[-1].split("\r\n")
    asked = f"/readers/copy/{path.removeprefix('/v/')}"
    assert line == f"GET {asked} HTTP/1.1"
    (signature,) = [value for value in headers if value.startswith("X-Resonanz-Edge: ")]
    assert is_from_inside(edge.keys, asked, signature.removeprefix("X-Resonanz-Edge: "))
    assert not [value for value in headers if value.lower().startswith(("cookie", "authorization"))]


def test_head_is_answered_like_get(edge: Edge, app: StandIn) -> None:
    """The same headers, its length included, and no body; recorded with its method."""
    app.answers(MAIL)
    id = uuid4()
    path = edge.path(TokenKind.VIEW, id=id)
    head, get = edge.ask("HEAD", path), edge.ask("GET", path)
    assert (head.status, head.headers, head.body) == (200, get.headers, b"")
    assert [hit.method for hit in hits_of(edge, id)] == ["HEAD", "GET"]


def test_a_token_without_a_name_shows_the_mail_and_records_nothing(edge: Edge, app: StandIn) -> None:
    """Where nobody is named, nobody is counted: the page is shown, the journal stays as it was."""
    app.answers(MAIL)
    id = uuid4()
    assert edge.ask("GET", edge.path(TokenKind.VIEW, id=id, anonymous=True)).body == MAIL
    assert hits_of(edge, id) == []


def test_other_tokens_and_methods_are_refused_before_anybody_is_asked(edge: Edge, app: StandIn) -> None:
    """A token of another kind, of another instance, or none at all: 404, and the app never hears of it."""
    before = len(app.asked)
    stranger = mint(Keys([Key(1, bytes(32))]), Token(TokenKind.VIEW, uuid4()))
    other = edge.path(TokenKind.OPEN).replace("/o/", "/v/")
    for path in (f"/v/{stranger}", other, "/v/", "/v/x", "/v/../readers/copy/x"):
        assert edge.ask("GET", path).status == 404
    refused = edge.ask("POST", edge.path(TokenKind.VIEW), body=b"x")
    assert (refused.status, refused.header("allow")) == (405, "GET, HEAD")
    assert len(app.asked) == before


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404),
        (b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n", 503),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 5\r\n\r\nwrong", 503),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 8000001\r\n\r\n", 503),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\ncut off", 503),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 503),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n", 503),
        (b"220 smtp.example ESMTP\r\n\r\n", 503),
        (b"", 503),
    ],
)
def test_what_is_no_page_is_not_passed_on(edge: Edge, app: StandIn, answer: bytes, status: int) -> None:
    """Whatever the app says but a whole page is answered by a page of the edge's own; nothing is recorded."""
    app.answer = answer
    id = uuid4()
    reply = edge.ask("GET", edge.path(TokenKind.VIEW, id=id))
    assert reply.status == status
    assert b"cannot be shown" in reply.body
    assert b"wrong" not in reply.body
    assert "default-src 'none'" in policy(reply)
    assert hits_of(edge, id) == []


def test_a_silent_app_holds_up_nobody_else(edge: Edge, app: StandIn) -> None:
    """While more readers wait for their mail than may ask at once, pixels and links are answered; then it is 503."""
    app.answer = None
    before = len(app.asked)
    with ThreadPoolExecutor(8) as readers:
        waiting = [readers.submit(edge.ask, "GET", edge.path(TokenKind.VIEW)) for _ in range(8)]
        wait_for(lambda: len(app.asked) == before + 4, "as many questions as may be asked at once")
        assert edge.ask("GET", edge.path(TokenKind.OPEN)).status == 200
        assert edge.ask("GET", edge.path(TokenKind.CLICK, link=0, destination="https://a.example/")).status == 302
        assert len(app.asked) == before + 4
        replies = [one.result() for one in waiting]
    assert {(reply.status, reply.header("retry-after")) for reply in replies} == {(503, "60")}


def test_the_preference_page_holds_what_the_app_recorded(edge: Edge, app: StandIn) -> None:
    """The section is fetched for this token and stands beside the choices; looking records nothing."""
    app.answers(b"<h2>What was recorded about this mail</h2><p>Opened on Monday.</p>")
    id = uuid4()
    path = edge.path(TokenKind.PREFERENCES, id=id)
    reply = edge.ask("GET", path)
    assert reply.status == 200
    assert b"Opened on Monday." in reply.body
    assert b'name="tracking" value="off"' in reply.body
    assert app.asked[-1].startswith(f"GET /readers/record/{path.removeprefix('/p/')} HTTP/1.1\r\n")
    assert "script-src" not in (reply.header("content-security-policy") or "script-src")
    assert reply.header("x-robots-tag") == "noindex, nofollow"
    assert hits_of(edge, id) == []


def test_choices_need_no_app(edge: Edge, app: StandIn) -> None:
    """With the app away or without a record the page has its choices and says so; a choice is taken at once."""
    path = edge.path(TokenKind.PREFERENCES)
    app.answers(b"", "404 Not Found")
    gone = edge.ask("GET", path)
    assert (gone.status, b"no record of this mail is kept" in gone.body) == (200, True)
    app.answers(b"", "500 Oh")
    away = edge.ask("GET", path)
    assert (away.status, b"cannot be shown just now" in away.body) == (200, True)
    for reply in (gone, away):
        assert b'name="tracking" value="off"' in reply.body
    before = len(app.asked)
    assert edge.ask("POST", path, body=b"tracking=off").status == 200
    assert edge.ask("GET", edge.path(TokenKind.PREFERENCES, anonymous=True)).status == 200
    assert len(app.asked) == before


def test_without_an_app_there_is_a_page_that_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    """An app that is not there at all is as good as one that does not answer."""
    with standing_in() as gone:
        url = gone.url
    with running_edge(tmp_path_factory.mktemp("alone"), app_url=url) as edge:
        reply = edge.ask("GET", edge.path(TokenKind.VIEW))
        assert (reply.status, reply.header("retry-after")) == (503, "60")
