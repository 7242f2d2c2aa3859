"""The outbox: sent mail shown safely, as its recipient would see it, on an origin of its own."""

from __future__ import annotations

import base64
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from resonanz.dashboard import build_preview
from resonanz.dashboard.preview import LIFETIME, document_of, preview_token, read_token
from resonanz.mail.structure import parse
from tests.kit.accounts import NOON
from tests.kit.pages import Site

SECRET = bytes(range(32))
PIXEL = base64.b64decode("R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==")
MAIL = (
    b"From: Olga <olga@example.org>\r\nTo: alma@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n"
    b'<!DOCTYPE html><html><body><p>Gr\xfc\xdfe</p><img src="cid:dot@x"><script>alert(1)</script>'
    b'<a href="https://x.example/">Go</a></body></html>\r\n'
    b"--b\r\nContent-Type: image/gif\r\nContent-ID: <dot@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.b64encode(PIXEL)
    + b"\r\n--b--\r\n"
)

HTML_HEAD = b"Content-Type: text/html\r\n\r\n"


def preview(site: Site, token: str):
    """What the preview's listener answers."""
    return TestClient(build_preview(site.parts), "http://localhost:8602").get(f"/{token}")


def test_a_mail_is_shown_in_a_sandbox_on_another_origin(site: Site) -> None:
    """The page frames the preview's origin; the preview runs no script, keeps no cookie, and asks nobody who it is."""
    mail = site.put_mail(MAIL)
    page = site.alice().get(f"/outbox/{mail}").text
    assert "Grüße" in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    url = page.split('<iframe src="')[1].split('"')[0]
    assert url.startswith("http://localhost:8602/")
    answer = preview(site, url.rpartition("/")[2])
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'")
    assert "script" not in policy
    assert "allow-same-origin" not in policy
    assert "frame-ancestors http://localhost:8600" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


def test_the_mail_is_shown_as_it_is_but_for_what_the_frame_needs(site: Site) -> None:
    """Its characters whatever their charset, its own images in place, links in a new tab; the file untouched."""
    mail = site.put_mail(MAIL)
    token = preview_token(SECRET, UUID(mail), NOON, images=True)
    text = preview(site, token).text
    assert "<p>Grüße</p>" in text
    assert text.startswith('<!DOCTYPE html><base target="_blank"><html>')
    assert f'src="data:image/gif;base64,{base64.b64encode(PIXEL).decode()}"' in text
    assert site.alice().client.get(f"/outbox/{mail}/file").content == MAIL


def test_with_images_blocked_nothing_is_fetched(site: Site) -> None:
    """The policy lets no image through, and the link says so in a way that cannot be changed."""
    mail = site.put_mail(MAIL)
    page = site.alice().get(f"/outbox/{mail}?images=off").text
    token = page.split('<iframe src="')[1].split('"')[0].rpartition("/")[2]
    assert "img-src data:;" in preview(site, token).headers["content-security-policy"]


def test_a_preview_link_ends(site: Site) -> None:
    """After ten minutes, and for whoever changes a character of it."""
    mail = site.put_mail(MAIL)
    token = preview_token(SECRET, UUID(mail), NOON, images=True)
    assert preview(site, token).status_code == 200
    assert preview(site, token[:-1] + ("A" if token[-1] != "A" else "B")).status_code == 404
    assert preview(site, "x").status_code == 404
    assert preview(site, preview_token(bytes(32), UUID(mail), NOON, images=True)).status_code == 404
    assert preview(site, preview_token(SECRET, uuid4(), NOON, images=True)).status_code == 404
    site.clock.move(minutes=10)
    ended = preview(site, token)
    assert ended.status_code == 404
    assert "sandbox" in ended.headers["content-security-policy"]


@given(st.uuids(), st.booleans(), st.binary(max_size=60))
def test_only_our_own_links_are_read(mail: UUID, images: bool, junk: bytes) -> None:
    """What was minted is read back; no other text is."""
    ticket = read_token(SECRET, preview_token(SECRET, mail, NOON, images=images), NOON)
    assert ticket is not None
    assert (ticket.mail, ticket.images) == (mail, images)
    assert read_token(SECRET, base64.urlsafe_b64encode(junk).decode(), NOON) is None
    assert read_token(SECRET, preview_token(SECRET, mail, NOON, images=images), NOON + LIFETIME) is None


@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda body: HTML_HEAD + body))
def test_any_mail_can_be_shown(message: bytes) -> None:
    """Torn, empty, in no charset at all: there is always a page."""
    assert document_of(parse(message))


@pytest.mark.parametrize(
    ("markup", "start"),
    [
        ("<p>x", '<base target="_blank"><p>x'),
        ("<!doctype html><p>x", '<!doctype html><base target="_blank"><p>x'),
        ("<!-- a --> \n<!DOCTYPE html PUBLIC 'x'>\n<html>", "<!-- a --> \n<!DOCTYPE html PUBLIC 'x'><base"),
        ("<?xml version='1.0'?><!doctype html><p>", "<?xml version='1.0'?><!doctype html><base"),
    ],
)
def test_standards_mode_is_kept(markup: str, start: str) -> None:
    """What is put in stands behind the document type, or first where there is none."""
    mail = f"Content-Type: text/html; charset=utf-8\r\n\r\n{markup}".encode()
    assert document_of(parse(mail)).startswith(start)


def test_plain_text_is_shown_as_text_with_links() -> None:
    """Escaped, its addresses made links as mail programs do, without what follows them in the sentence."""
    text = "Look <here>: https://x.example/a?b=1&c=2. (https://y.example)\r\n<script>alert(1)</script>"
    page = document_of(parse(f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}".encode()))
    assert '<a href="https://x.example/a?b=1&amp;c=2" rel="noreferrer">' in page
    assert '<a href="https://y.example" rel="noreferrer">' in page
    assert "Look &lt;here&gt;" in page
    assert "<script>" not in page


def test_a_download_is_a_file_and_never_a_page(site: Site) -> None:
    """Nothing in it can run on our origin."""
    answer = site.alice().get(f"/outbox/{site.put_mail(MAIL)}/file")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["content-type"] == "message/rfc822"


def test_what_is_not_in_the_outbox_is_not_found(site: Site) -> None:
    """Nor is there a way to other files."""
    alice = site.alice()
    for path in (f"/outbox/{uuid4()}", f"/outbox/{uuid4()}/file", "/outbox/..%2fsecret", "/outbox/../../etc/passwd"):
        assert alice.get(path).status_code == 404


def test_a_long_outbox_goes_on_page_by_page(site: Site) -> None:
    """Newest first, each mail once."""
    mails = [site.put_mail(MAIL) for _ in range(120)]
    alice = site.alice()
    path, seen = "/outbox", list[str]()
    while path:
        text = alice.get(path).text
        seen += [part.split('"')[0] for part in text.split('class="cell-title" href="/outbox/')[1:]]
        following = text.split('rel="next" href="')
        path = following[1].split('"')[0] if len(following) > 1 else ""
    assert seen == sorted(mails, reverse=True)
