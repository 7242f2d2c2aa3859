"""Campaigns compiled once: each copy says what instrumenting the same mail would say."""

from __future__ import annotations

import re
from email import message_from_bytes
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonanz.mail import Caution, Reason, compile_campaign, compose, instrument, parse
from resonanz.model import InvalidInput, TrackingMode
from resonanz.tokens import TokenKind, read
from tests.kit.letters import CAMPAIGN, KEYS, NOON, mail, tracking
from tests.kit.oracle import decoded_leaves

HTML = (
    "<html><body><p>Liebe {{name}}, <a href='https://a.example/?u={{id}}&amp;x=1'>Ihr Angebot</a></p>"
    '<a href="https://b.example/lang?q=1">mehr</a> <a href="{{unsubscribe_url}}">abmelden</a> '
    '<a href="{{browser_url}}">im Browser</a> {{other}}</body></html>'
)
PIECES = [
    '<a href="{{browser_url}}">b</a>',
    "<p>",
    "</p>",
    "wörter ",
    "x" * 70,
    '<a href="https://a.example/?{}">t</a>',
    "\n",
    "=",
    ".",
]
VALUES = {"name": "Jürgen & <b>Söhne</b>", "id": "a b/ü=1"}
OTHER = UUID("018f0000-0000-7000-8000-000000000002")


def content(html: str = HTML, **changes: object) -> bytes:
    fields = {
        "sender": "mara@shop.example",
        "to": "",
        "subject": "Für {{name}}",
        "text": None,
        "html": html,
        "message_id": None,
        "date": NOON,
    }
    return compose(**{**fields, **changes})


def html_of(message: bytes) -> str:
    return next(body for kind, body in decoded_leaves(message) if kind == "text/html").decode()


def said(html: str) -> list[object]:
    """What the tokens of a document say, in order."""
    urls = re.findall(r"https://t\.example\.org/\w/([\w-]+)", html)
    return [read(KEYS, url) for url in urls]


def test_personal_fields_work_in_headers_text_and_links() -> None:
    """A field is plain in a header, escaped in HTML, percent-encoded in a link; what is no field stays."""
    compiled = compile_campaign(content(), tracking(), fields=["name", "id"])
    assert compiled.reason is None
    assert compiled.fields == {"name", "id"}
    message = compiled.render(OTHER, values=VALUES, headers={"To": "Ivo <ivo@mail.example>"})
    structure = parse(message)
    assert structure.header("Subject") == "Für Jürgen & <b>Söhne</b>"
    assert structure.header_all("To") == ["Ivo <ivo@mail.example>"]
    html = html_of(message)
    assert "Liebe Jürgen &amp; &lt;b&gt;Söhne&lt;/b&gt;, " in html
    assert "{{other}}" in html
    first, second, leave, shown, opened = said(html)
    assert (first.destination, first.link) == ("https://a.example/?u=a%20b%2F%C3%BC%3D1&x=1", 0)
    assert (second.destination, second.link, second.id) == ("https://b.example/lang?q=1", 1, OTHER)
    assert (leave.kind, leave.id, opened.kind, opened.id) == (TokenKind.UNSUBSCRIBE, OTHER, TokenKind.OPEN, OTHER)
    assert (shown.kind, shown.id) == (TokenKind.VIEW, OTHER)
    text = decoded_leaves(message)[0][1].decode()
    assert "Jürgen & <b>Söhne</b>" in text
    assert max(map(len, message.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=25),
    st.sampled_from([TrackingMode.OFF, TrackingMode.INDIVIDUAL, TrackingMode.ANONYMOUS]),
    st.sampled_from([TrackingMode.OFF, TrackingMode.INDIVIDUAL, TrackingMode.ANONYMOUS]),
)
def test_a_copy_says_what_instrumenting_says(pieces: list[str], opens: TrackingMode, clicks: TrackingMode) -> None:
    """For any content and modes, a compiled copy decodes to the same text as the mail instrumented alone."""
    html = "".join(piece.replace("{}", str(number)) for number, piece in enumerate(pieces)) or "x"
    message = content(html, subject="News", text="t")
    settings = tracking(campaign=CAMPAIGN, opens=opens, clicks=clicks)
    copy = compile_campaign(message, settings).render(settings.message)
    assert decoded_leaves(copy) == decoded_leaves(instrument(message, settings).message)
    assert max(map(len, copy.split(b"\r\n"))) <= 78


def test_a_copy_can_be_tracked_less_than_the_campaign() -> None:
    """Consent differs between recipients: modes are chosen per copy, and off means the author's own links."""
    compiled = compile_campaign(content(), tracking(campaign=CAMPAIGN), fields=["name", "id"])
    off = html_of(compiled.render(OTHER, values=VALUES, opens=TrackingMode.OFF, clicks=TrackingMode.OFF))
    assert "https://b.example/lang?q=1" in off
    assert "/o/" not in off
    assert "href='https://a.example/?u=" in off
    assert [token.kind for token in said(off)] == [TokenKind.UNSUBSCRIBE, TokenKind.VIEW]
    mode = TrackingMode.ANONYMOUS
    anonymous = html_of(compiled.render(OTHER, values=VALUES, opens=mode, clicks=mode))
    kinds = {token.kind: token for token in said(anonymous)}
    assert (kinds[TokenKind.OPEN].id, kinds[TokenKind.OPEN].anonymous) == (CAMPAIGN, True)
    assert (kinds[TokenKind.CLICK].id, kinds[TokenKind.CLICK].anonymous) == (CAMPAIGN, True)


def test_a_field_can_be_a_whole_address() -> None:
    """A field that brings its own URL is tracked when it is one, and left as it is when it is not."""
    compiled = compile_campaign(content('<a href="{{url}}">x</a>', subject="s"), tracking(), fields=["url"])
    web = html_of(compiled.render(OTHER, values={"url": "https://a.example/?x=1&y=2"}))
    assert said(web)[0].destination == "https://a.example/?x=1&y=2"
    other = html_of(compiled.render(OTHER, values={"url": "mailto:a@b.example?x&y"}))
    assert 'href="mailto:a@b.example?x&amp;y"' in other


def test_a_missing_value_is_refused() -> None:
    """A copy with a hole in it never goes out."""
    compiled = compile_campaign(content(), tracking(), fields=["name", "id"])
    with pytest.raises(InvalidInput, match="name"):
        compiled.render(OTHER, values={"id": "1"})


def test_values_cannot_inject_a_header() -> None:
    """A name with a line break is refused where it would reach a header."""
    compiled = compile_campaign(content("<p>x</p>"), tracking(), fields=["name"])
    with pytest.raises(InvalidInput):
        compiled.render(OTHER, values={"name": "x\r\nBcc: y@z.example"})


def test_what_must_not_be_tracked_is_compiled_untracked() -> None:
    """A campaign that opted out is sent with the author's links and says why."""
    compiled = compile_campaign(content("<a href='https://a.example'>x</a>", headers={"X-No-Track": "yes"}), tracking())
    assert compiled.reason is Reason.OPTED_OUT
    assert "href='https://a.example'" in html_of(compiled.render(OTHER))


def test_only_mail_that_compose_makes_is_compiled() -> None:
    """Other encodings have no slots that keep lines legal."""
    for message in (mail(b"<p>x</p>", encoding="8bit"), content().replace(b"\r\n", b"\n")):
        with pytest.raises(InvalidInput):
            compile_campaign(message, tracking())


def test_a_campaign_gmail_would_clip_warns() -> None:
    """The pixel of a large campaign stands near the top."""
    html = "<body><p>" + "wort " * 22_000 + "</p></body>"
    compiled = compile_campaign(content(html, subject="s", text="t"), tracking())
    compiled.render(OTHER)
    assert compiled.warnings == (Caution.CLIPPED,)
    assert html_of(compiled.render(OTHER)).startswith("<body><img ")


def test_an_attachment_travels_along_unchanged() -> None:
    """Parts without slots are constant."""
    message = content("<p>{{name}}</p>")
    boundary = message_from_bytes(message).get_boundary()
    head = "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64"
    attached = f"--{boundary}\r\n{head}\r\n\r\nJVBERi0=\r\n".encode()
    message = message.replace(f"--{boundary}--".encode(), attached + f"--{boundary}--".encode())
    copy = compile_campaign(message, tracking(), fields=["name"]).render(OTHER, values={"name": "x"})
    assert attached in copy
