"""Who may come in, what every answer carries, and what is shown when something goes wrong."""

from __future__ import annotations

import re

import pytest
from starlette.routing import Route

from resonanz.dashboard.door import build
from resonanz.model import TemporaryFailure
from tests.kit.pages import HOME, Site

SOME_ID = "01a20d07-4218-71f9-b974-e9f76c4c1c3a"
# Live answers a stranger in its own way; a sender address is confirmed by whoever reads mail there.
PUBLIC = {"/set-up", "/set-up/{secret}", "/sign-in", "/live", "/senders/confirm/{secret}"}


def paths_of(site: Site, method: str) -> list[str]:
    """Every path of the dashboard that takes this method, as its routes write it."""
    app = build(site.parts)
    routes = [route for route in app.routes if isinstance(route, Route)]  # type: ignore[attr-defined]
    return sorted({route.path for route in routes if method in (route.methods or ())})


def filled(path: str) -> str:
    """Return the path with something in each of its places."""
    return re.sub(r"\{[^}]+\}", SOME_ID, path)


def test_every_page_is_behind_the_sign_in(site: Site) -> None:
    """A stranger is sent to the door and back to where they wanted to go; a forged cookie changes nothing."""
    paths = [path for path in paths_of(site, "GET") if path not in PUBLIC]
    assert {"/", "/account", "/messages/{message:uuid}"} <= set(paths)
    for path in map(filled, paths):
        for cookie in ("", "resonanz-session=forged", "resonanz-session="):
            answer = site.visitor().get(path, **({"cookie": cookie} if cookie else {}))
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in"), path
            assert answer.headers["cache-control"] == "no-store", path


def test_every_form_without_its_token_is_refused(site: Site) -> None:
    """Without a token, with a made-up one, with another browser's: 403, for Alice and for strangers."""
    paths = paths_of(site, "POST")
    assert {"/compose", "/sign-in", "/sign-out", "/set-up/{secret}"} <= set(paths)
    other, alice, stranger = site.alice().token("/account"), site.alice(), site.visitor()
    for visitor in (alice, stranger):
        visitor.get("/sign-in")
        for path in map(filled, paths):
            for fields in (
                {},
                {"form_token": ""},
                {"form_token": "0" * 64},
                {"form_token": other},
                {"form_token": "ü"},
            ):
                answer = visitor.client.post(path, data=fields)
                assert answer.status_code == 403, (path, fields)
                assert "does not belong to this browser" in answer.text, path


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:8602", "http://localhost:86000"])
def test_a_form_sent_by_another_site_is_refused(site: Site, origin: str) -> None:
    """Even with the right token; the preview's origin is another site too."""
    alice = site.alice()
    answer = alice.submit("/account/keys", {"name": "x"}, page="/account", origin=origin)
    assert answer.status_code == 403
    assert alice.submit("/account/keys", {"name": "x"}, page="/account", origin=HOME).status_code == 200


def test_every_answer_carries_the_headers(site: Site) -> None:
    """Pages, redirects, errors and defects alike: no inline script or style, no framing, no sniffing, no caching."""

    def fails() -> list[object]:
        raise RuntimeError("a defect")

    broken = site.with_parts(examine=fails)
    alice = broken.alice()
    answers = [alice.get(path) for path in ("/", "/nothing", "/status?run=yes", f"/messages/{SOME_ID}")]
    answers += [site.visitor().get("/"), alice.client.post("/account/keys"), alice.client.put("/")]
    assert [answer.status_code for answer in answers] == [200, 404, 500, 404, 303, 403, 405]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_a_defect_shows_no_secret(site: Site) -> None:
    """The page of an error 500 says where to look, not what went wrong inside."""

    def fails() -> list[object]:
        raise RuntimeError("password=hunter2")

    answer = site.with_parts(examine=fails).alice().get("/status?run=yes")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "Something went wrong on our side" in answer.text


def test_a_database_that_is_away_is_said_plainly(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 in the look of the other pages, never a bare error."""
    alice = site.alice()

    def away() -> None:
        raise TemporaryFailure("the database cannot be used right now", remedy="is it running?")

    monkeypatch.setattr(site.database, "read", away, raising=False)
    answer = alice.get("/")
    assert answer.status_code == 503
    assert "Not available right now" in answer.text


def test_pages_hold_no_inline_script_or_style(site: Site) -> None:
    """What the policy would block is not there to begin with."""
    alice = site.alice()
    mail = site.put_mail(b"From: a@example.org\r\nSubject: x\r\n\r\nHi\r\n")
    paths = ["/", "/messages", "/compose", "/compose?kind=file", "/outbox", f"/outbox/{mail}", f"/outbox/{mail}/source"]
    for path in [*paths, "/account", "/status", "/limits", "/nothing"]:
        text = alice.get(path).text
        assert "<style" not in text
        assert " style=" not in text
        assert text.count("<script") == text.count("<script src=")
        assert " onclick" not in text
        assert "hx-on" not in text


def test_the_static_files_are_served_and_nothing_else_is(site: Site) -> None:
    """Our own files, with a lasting address where it carries their version; no way out of the folder."""
    visitor = site.visitor()
    assert "immutable" in visitor.get("/static/app.css?v=1").headers["cache-control"]
    assert "immutable" not in visitor.get("/static/app.css").headers["cache-control"]
    for path in ("/static/../door.py", "/static/%2e%2e/door.py", "/static/", "/static/nothing.js"):
        assert visitor.get(path).status_code == 404


def test_cookies_are_bound_to_https_where_there_is_https(site: Site) -> None:
    """HttpOnly and SameSite always; over https Secure and with the prefix that no other host can write."""
    plain = site.visitor().get("/sign-in").headers["set-cookie"]
    assert "HttpOnly" in plain
    assert "SameSite=lax" in plain
    assert "Secure" not in plain
    secure = site.with_parts(dashboard_url="https://mail.example.org").visitor().get("/sign-in")
    assert secure.headers["set-cookie"].startswith("__Host-resonanz-form=")
    assert "Secure" in secure.headers["set-cookie"]
    assert "max-age" in secure.headers["strict-transport-security"]


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"=&=&=", b"a" * 70_000, b"form_token=%ff%fe&x"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain", "", "a; b"])
def test_what_is_no_form_is_refused_and_never_a_defect(site: Site, body: bytes, kind: str) -> None:
    """400, 403 or 413; no body makes the page answer 500."""
    answer = site.alice().client.post("/account/keys", content=body, headers={"content-type": kind})
    assert answer.status_code in (400, 403, 413)


@pytest.mark.parametrize(
    "path",
    [
        "/messages?before=&state=&search=%00%ff",
        f"/messages?before={SOME_ID}",
        "/messages?search=" + "%25" * 300,
        "/outbox?before=",
        "/?part=nothing",
        "/live?after=-1",
        "/compose?to=%22%3E%3Cscript%3E",
    ],
)
def test_no_address_is_a_defect(site: Site, path: str) -> None:
    """What an address leaves open, or says about nothing that there is, is left out of the question."""
    alice = site.alice()
    if path.startswith("/live"):
        assert site.visitor().get(path).status_code == 204
    else:
        assert alice.get(path).status_code == 200
        assert "<script>" not in alice.get(path).text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/messages?state=foo", "`foo` is no state of a message"),
        ("/messages?state=%3Cb%3E", "`&lt;b&gt;` is no state"),
        ("/messages?before=zzz", "`zzz` is no place in this list"),
        ("/outbox?before=zzz", "`zzz` is no place in this list"),
    ],
)
def test_a_filter_that_cannot_be_is_said(site: Site, path: str, said: str) -> None:
    """Nobody is shown a list of something else than what the address asks for."""
    answer = site.alice().get(path)
    assert answer.status_code == 400
    assert said in answer.text


def test_a_fragment_asked_for_without_a_session_leads_to_the_door(site: Site) -> None:
    """htmx is told to go there, instead of swapping the sign-in page into a corner of the page."""
    answer = site.visitor().get("/?part=feed", **{"hx-request": "true"})
    assert (answer.status_code, answer.text) == (204, "")
    assert answer.headers["hx-redirect"].startswith("/sign-in")
