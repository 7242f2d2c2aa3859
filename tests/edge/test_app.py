"""What recipients get from the edge, asked over real sockets, and what is recorded of it."""

from __future__ import annotations

import re
import time
from hashlib import sha256
from uuid import UUID, uuid4

import pytest

from resonanz.model import Hit, HitKind
from resonanz.tokens import Key, Keys, Token, TokenKind, mint
from tests.kit.edges import Edge, Reply

GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
PIXEL_HEADERS = (
    ("content-type", "image/gif"),
    ("cache-control", "no-store, no-cache, must-revalidate, max-age=0, private"),
    ("pragma", "no-cache"),
    ("expires", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ("content-length", "43"),
)
STRANGERS = Keys([Key(1, bytes(32))])
ONE_CLICK = b"List-Unsubscribe=One-Click"


def hits_of(edge: Edge, id: UUID) -> list[Hit]:
    return [hit for hit in edge.hits() if hit.id == id]


def foreign(kind: TokenKind) -> str:
    return mint(STRANGERS, Token(kind, uuid4(), destination="https://evil.example/"))


# ── Pixels ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pixel_and_its_headers(edge: Edge) -> None:
    """A pixel is a 43-byte GIF no cache may keep, and nothing else stands in its headers."""
    reply = edge.ask("GET", edge.path(TokenKind.OPEN))
    assert reply == Reply(200, PIXEL_HEADERS, GIF)
    assert len(GIF) == 43


def test_an_open_is_recorded_before_it_is_answered(edge: Edge) -> None:
    """The hit is in the journal when the answer is here, with who asked and when."""
    id = uuid4()
    before = time.time_ns() // 1000
    edge.ask(
        "GET", edge.path(TokenKind.OPEN, id=id), {"User-Agent": "Mail/1", "Accept-Language": "de", "Cookie": "a=b"}
    )
    (hit,) = hits_of(edge, id)
    assert before <= hit.occurred_us <= time.time_ns() // 1000
    assert hit == Hit(
        HitKind.OPEN,
        id,
        hit.occurred_us,
        address="127.0.0.1",
        user_agent="Mail/1",
        headers={"accept-language": "de"},
    )


def test_head_gets_the_same_headers_and_is_marked(edge: Edge) -> None:
    """HEAD answers like GET without the body; the hit says that it was one."""
    for kind in (TokenKind.OPEN, TokenKind.CLICK):
        id = uuid4()
        path = edge.path(kind, id=id, destination="https://example.org/" if kind is TokenKind.CLICK else "")
        head, get = edge.ask("HEAD", path), edge.ask("GET", path)
        assert (head.status, head.headers, head.body) == (get.status, get.headers, b"")
        assert [hit.method for hit in hits_of(edge, id)] == ["HEAD", "GET"]


@pytest.mark.parametrize("name", ["Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"])
@pytest.mark.parametrize("anonymous", [False, True])
def test_prefetching_is_marked(edge: Edge, name: str, anonymous: bool) -> None:
    """A fetch ahead of time gets the same answer; the header that says so is kept, of anonymous hits too."""
    id = uuid4()
    path = edge.path(TokenKind.OPEN, id=id, anonymous=anonymous)
    assert edge.ask("GET", path, {name: "prefetch;prerender"}).body == GIF
    assert hits_of(edge, id)[0].headers == {name.lower(): "prefetch;prerender"}


@pytest.mark.parametrize("text", ["", "x", "x.gif", "%00", "ä", "A" * 39 + ".gif", "../../etc/passwd", "?a=1"])
def test_unknown_pixels_get_the_same_answer(edge: Edge, text: str) -> None:
    """Nothing can be probed: an unknown token gets the same bytes, and nothing is recorded."""
    before = len(edge.hits())
    path = "/o/" + text.encode("utf-8").decode("latin-1")
    assert edge.ask("GET", path) == Reply(200, PIXEL_HEADERS, GIF)
    assert edge.ask("GET", f"/o/{foreign(TokenKind.OPEN)}.gif") == Reply(200, PIXEL_HEADERS, GIF)
    assert edge.ask("GET", edge.path(TokenKind.CLICK).replace("/c/", "/o/")) == Reply(200, PIXEL_HEADERS, GIF)
    assert len(edge.hits()) == before


# ── Clicks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_redirect_and_its_headers(edge: Edge) -> None:
    """A click leads to the signed destination; no cache keeps it, no Referer leaks the token, no engine lists it."""
    id = uuid4()
    reply = edge.ask("GET", edge.path(TokenKind.CLICK, id=id, link=3, destination="https://example.org/?a=1&b=<2>"))
    shown = "https://example.org/?a=1&amp;b=&lt;2&gt;"
    body = f'<!doctype html><title>Moved</title><a href="{shown}">Go on</a>\n'.encode()
    assert reply == Reply(
        302,
        (
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-robots-tag", "noindex, nofollow"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'"),
            ("content-type", "text/html; charset=utf-8"),
            ("location", "https://example.org/?a=1&b=<2>"),
            ("content-length", str(len(body))),
        ),
        body,
    )
    (hit,) = hits_of(edge, id)
    assert (hit.kind, hit.link, hit.destination) == (HitKind.CLICK, 3, "https://example.org/?a=1&b=<2>")


@pytest.mark.parametrize(
    "destination",
    [
        "https://example.org/%7Euser/%2F?q=a+b%20c&&=;#frag%",
        "https://example.org/[x]{y}|z^`\"'<>\\",
        "HTTPS://Example.ORG:443/./a/../b",
        "https://example.org/" + "x" * 8000,
    ],
)
def test_destinations_are_not_touched(edge: Edge, destination: str) -> None:
    """What the author wrote is what the Location says, to the byte."""
    assert edge.ask("GET", edge.path(TokenKind.CLICK, destination=destination)).header("location") == destination


def test_the_author_gets_recorded_what_the_author_wrote(edge: Edge) -> None:
    """A destination that had to be made fit for a header is recorded as it was written."""
    id = uuid4()
    written = "https://münchen.example/ü b\ud800"
    reply = edge.ask("GET", edge.path(TokenKind.CLICK, id=id, destination=written))
    assert reply.header("location") == "https://xn--mnchen-3ya.example/%C3%BC%20b%EF%BF%BD"
    assert hits_of(edge, id)[0].destination == written


@pytest.mark.parametrize(
    "destination", ["javascript:alert(1)", "mailto:a@example.org", "//evil.example", "", "data:,x"]
)
def test_only_http_destinations_are_redirected_to(edge: Edge, destination: str) -> None:
    """Even a signed destination is refused when it is not http(s)."""
    reply = edge.ask("GET", edge.path(TokenKind.CLICK, destination=destination))
    assert (reply.status, reply.header("location")) == (404, None)


def test_bad_clicks_get_one_static_page(edge: Edge) -> None:
    """An unknown, foreign, damaged or misplaced token gives the same 404 page, never a redirect, never an echo."""
    good = edge.path(TokenKind.CLICK, destination="https://example.org/")
    bad = [
        "/c/",
        "/c/evil.example",
        "/c/https://evil.example/",
        "/c//evil.example",
        f"/c/{foreign(TokenKind.CLICK)}",
        good[:-3],
        good[:9] + ("A" if good[9] != "A" else "B") + good[10:],
        edge.path(TokenKind.OPEN).replace("/o/", "/c/"),
        "/c/x?url=https://evil.example/",
        "/elsewhere",
    ]
    replies = {edge.ask("GET", path) for path in bad}
    assert len(replies) == 1
    (reply,) = replies
    assert (reply.status, reply.header("location")) == (404, None)
    assert b"evil" not in reply.body


@pytest.mark.parametrize("behind", [".", ")", "%29", ">", "%3E", "/", "/x", ",", "?utm_source=x", "?a=b&c", "%20"])
def test_what_programs_add_behind_a_link_does_no_harm(edge: Edge, behind: str) -> None:
    """Punctuation that linkifiers swallow and parameters that mail programs add are ignored."""
    path = edge.path(TokenKind.CLICK, destination="https://example.org/x") + behind
    raw = f"GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".encode()
    reply = edge.exchange(raw)
    assert reply is not None
    if reply.status == 400 and behind == ">":  # the server's own answer to a bare ">"
        return
    assert (reply.status, reply.header("location")) == (302, "https://example.org/x")


def test_anonymous_means_no_person(edge: Edge) -> None:
    """Of a hit on a shared token neither address nor language is kept; the program's name is, to be judged."""
    campaign = uuid4()
    headers = {"User-Agent": "Mail/1", "Accept-Language": "de", "Referer": "https://mail.example/", "DNT": "1"}
    edge.ask("GET", edge.path(TokenKind.OPEN, id=campaign, anonymous=True), headers)
    edge.ask(
        "GET", edge.path(TokenKind.CLICK, id=campaign, anonymous=True, destination="https://example.org/"), headers
    )
    for hit in hits_of(edge, campaign):
        assert hit.anonymous
        assert (hit.address, hit.user_agent, hit.headers) == ("", "Mail/1", {"dnt": "1"})


# ── Unsubscribing ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_unsubscribe_get_changes_nothing(edge: Edge) -> None:
    """GET and HEAD show a page with a button; scanners that follow links unsubscribe nobody."""
    id = uuid4()
    path = edge.path(TokenKind.UNSUBSCRIBE, id=id)
    page = edge.ask("GET", path)
    assert page.status == 200
    assert b'<form method="post">' in page.body
    assert edge.ask("HEAD", path).status == 200
    assert hits_of(edge, id) == []


MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
NAMED = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"'
MULTIPARTS = [
    NAMED + b"\r\n\r\nOne-Click\r\n--b--\r\n",
    NAMED + b"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 9\r\n\r\nOne-Click\r\n--b--\r\n",
    NAMED.replace(b'"', b"") + b"\r\n\r\nOne-Click\r\n--b--",
    NAMED.replace(b"\r\n", b"\n") + b"\n\nOne-Click\n--b--\n",
]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("body", "headers", "wish"),
    [
        (ONE_CLICK, FORM, "one-click"),
        (b"List%2DUnsubscribe=One%2dClick", FORM, "one-click"),
        (ONE_CLICK + b"\r\n", {}, "one-click"),
        *((form, MULTIPART, "one-click") for form in MULTIPARTS),
        (b"confirm=unsubscribe", FORM, "page"),
    ],
)
def test_unsubscribe_post_acts(edge: Edge, body: bytes, headers: dict[str, str], wish: str) -> None:
    """One click (RFC 8058, both form encodings) and the page's button act at once: no cookie, no redirect."""
    id = uuid4()
    reply = edge.ask("POST", edge.path(TokenKind.UNSUBSCRIBE, id=id), headers, body)
    assert reply.status == 200
    assert reply.header("set-cookie") is None
    (hit,) = hits_of(edge, id)
    assert (hit.kind, hit.method, hit.body) == (HitKind.UNSUBSCRIBE, "POST", wish)


@pytest.mark.parametrize("body", [b"", b"x=y", b"List-Unsubscribe", b"One-Click", b"\x00" * 100])
def test_unsubscribe_post_without_the_wish_changes_nothing(edge: Edge, body: bytes) -> None:
    """A POST that does not say what it wants is told so."""
    id = uuid4()
    assert edge.ask("POST", edge.path(TokenKind.UNSUBSCRIBE, id=id), FORM, body).status == 400
    assert hits_of(edge, id) == []


def test_unsubscribe_with_a_bad_token(edge: Edge) -> None:
    """A foreign token finds nothing, whether asked or told."""
    for method in ("GET", "POST"):
        assert edge.ask(method, f"/u/{foreign(TokenKind.UNSUBSCRIBE)}", FORM, ONE_CLICK).status == 404


# ── Preferences ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_preferences_get_changes_nothing(edge: Edge) -> None:
    """GET and HEAD show a page that stands by itself, with a button for each choice; scanners choose nothing."""
    id = uuid4()
    path = edge.path(TokenKind.PREFERENCES, id=id)
    page = edge.ask("GET", path)
    assert page.status == 200
    for button in (
        b'name="tracking" value="off"',
        b'name="tracking" value="on"',
        b'name="confirm" value="unsubscribe"',
    ):
        assert page.body.count(button) == 1
    assert not re.search(rb"(?:src|href|action)=|<script|https?:", page.body)
    assert page.header("content-security-policy") == edge.ask("GET", "/").header("content-security-policy")
    assert (page.header("cache-control") or "").startswith("no-store")
    head = edge.ask("HEAD", path)
    assert (head.status, head.headers, head.body) == (200, page.headers, b"")
    assert hits_of(edge, id) == []


@pytest.mark.parametrize("choice", ["off", "on"])
def test_a_choice_about_tracking_is_recorded_before_it_is_confirmed(edge: Edge, choice: str) -> None:
    """The hit says what was chosen and before which wording; no cookie, no redirect, and the way back at hand."""
    id = uuid4()
    path = edge.path(TokenKind.PREFERENCES, id=id)
    reply = edge.ask("POST", path, FORM, f"tracking={choice}".encode())
    (hit,) = hits_of(edge, id)
    chosen, wording = hit.body.split(" ")
    assert (hit.kind, hit.method, chosen) == (HitKind.PREFERENCES, "POST", choice)
    # The wording is that of the page without what was recorded of one mail.
    shown = re.sub(rb"<h2>What was recorded.*(?=</main>)", b"", edge.ask("GET", path).body, flags=re.DOTALL)
    assert wording == sha256(shown).hexdigest()[:12]
    assert (reply.status, reply.header("set-cookie"), reply.header("location")) == (200, None, None)
    back = {"off": b'value="on"', "on": b'value="off"'}[choice]
    assert back in reply.body
    assert f'value="{choice}"'.encode() not in reply.body


def test_leaving_on_the_preference_page_is_unsubscribing(edge: Edge) -> None:
    """The same hit and the same answer as on the page for it."""
    one, other = uuid4(), uuid4()
    here = edge.ask("POST", edge.path(TokenKind.PREFERENCES, id=one), FORM, b"confirm=unsubscribe")
    there = edge.ask("POST", edge.path(TokenKind.UNSUBSCRIBE, id=other), FORM, b"confirm=unsubscribe")
    assert here == there
    assert [hit.kind for id in (one, other) for hit in hits_of(edge, id)] == [HitKind.UNSUBSCRIBE] * 2


@pytest.mark.parametrize(
    "body",
    [b"", b"tracking", b"tracking=", b"tracking=maybe", b"tracking=off&tracking=on", b"x=tracking=off", ONE_CLICK],
)
def test_a_choice_that_is_none_changes_nothing(edge: Edge, body: bytes) -> None:
    """Only what a button sends is a choice; anything else is told so, with the buttons, and none of it repeated."""
    id = uuid4()
    reply = edge.ask("POST", edge.path(TokenKind.PREFERENCES, id=id), FORM, body)
    assert reply.status == 400
    assert b'value="off"' in reply.body
    assert b"maybe" not in reply.body
    assert hits_of(edge, id) == []


@pytest.mark.parametrize("body", [ONE_CLICK, b"confirm=unsubscribe", b""])
def test_who_cannot_be_unsubscribed_is_told_so(edge: Edge, body: bytes) -> None:
    """A link that names nobody takes nobody off: it says what to do instead, and no mail program takes it for done."""
    id = uuid4()
    path = edge.path(TokenKind.UNSUBSCRIBE, id=id, anonymous=True)
    shown, asked = edge.ask("GET", path), edge.ask("POST", path, FORM, body)
    assert (shown.status, asked.status) == (200, 409)
    for reply in (shown, asked):
        assert b"You are still getting this mail" in reply.body
        assert b"Answer the mail instead" in reply.body
        assert b"<form" not in reply.body
    assert hits_of(edge, id) == []


def test_an_anonymous_mail_has_nothing_to_switch(edge: Edge) -> None:
    """Where no id of a person is in the mail there is nobody to choose for: the page says so and offers nothing."""
    id = uuid4()
    path = edge.path(TokenKind.PREFERENCES, id=id, anonymous=True)
    page = edge.ask("GET", path)
    assert (page.status, b"<button" in page.body) == (200, False)
    for body in (b"tracking=off", b"confirm=unsubscribe", b"x"):
        refused = edge.ask("POST", path, FORM, body)
        assert (refused.status, refused.body) == (409, page.body)
    assert hits_of(edge, id) == []


def test_preferences_with_a_bad_token_or_method(edge: Edge) -> None:
    """A foreign token, or one of another kind, finds nothing; other methods are refused."""
    unsubscribe = edge.path(TokenKind.UNSUBSCRIBE).replace("/u/", "/p/")
    for path in (f"/p/{foreign(TokenKind.PREFERENCES)}", unsubscribe, "/p/", "/p/x"):
        for method in ("GET", "POST"):
            assert edge.ask(method, path, FORM, b"tracking=off").status == 404
    refused = edge.ask("DELETE", edge.path(TokenKind.PREFERENCES))
    assert (refused.status, refused.header("allow")) == (405, "GET, HEAD, POST")


# ── Limits ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "ET", "G", "HEADX"])
@pytest.mark.parametrize("kind", [TokenKind.OPEN, TokenKind.CLICK])
def test_other_methods_are_refused(edge: Edge, method: str, kind: TokenKind) -> None:
    """Only GET and HEAD; nothing is recorded."""
    id = uuid4()
    path = edge.path(kind, id=id, destination="https://example.org/" if kind is TokenKind.CLICK else "")
    reply = edge.ask(method, path)
    assert (reply.status, reply.header("allow")) == (405, "GET, HEAD")
    assert hits_of(edge, id) == []


def test_sizes_are_limited(edge: Edge) -> None:
    """Too long a path, too large a body, too many or too large headers get the answer that says so."""
    assert edge.ask("GET", "/c/" + "A" * 20_000).status == 414
    unsubscribe = edge.path(TokenKind.UNSUBSCRIBE)
    assert edge.ask("POST", unsubscribe, FORM, b"x" * 20_000).status == 413
    assert edge.ask("POST", edge.path(TokenKind.PREFERENCES), FORM, b"x" * 20_000).status == 413
    assert edge.ask("GET", "/", {f"X-{n}": "y" for n in range(200)}).status == 431
    assert edge.ask("GET", "/", {"X": "y" * 200_000}).status == 431


def test_small_pages(edge: Edge) -> None:
    """The bare host, robots.txt and the health check answer; nothing sets a cookie."""
    assert edge.ask("GET", "/").status == 200
    assert edge.ask("GET", "/robots.txt").body == b"User-agent: *\nDisallow: /\n"
    assert edge.ask("GET", "/healthz").body == b"ok\n"
    for path in ("/", "/nothing", edge.path(TokenKind.OPEN), edge.path(TokenKind.UNSUBSCRIBE)):
        assert edge.ask("GET", path).header("set-cookie") is None


def test_metrics_are_not_public(edge: Edge) -> None:
    """The public listener has no metrics."""
    assert edge.ask("GET", "/metrics").status == 404
