"""Instrumenting whole mails: what is changed, what is not, and why."""

from __future__ import annotations

import base64
import quopri
import re

import pytest

from resonanz.mail import Caution, Reason, instrument, instrument_html, undo
from resonanz.model import Coverage, TrackingMode
from resonanz.tokens import TokenKind, read
from tests.kit.letters import BASE_URL, CAMPAIGN, HTML_PART, KEYS, MESSAGE, PLAIN_PART, mail, multipart, tracking
from tests.kit.oracle import decoded_leaves, hrefs

HTML = '<html><body><p>Grüße, <a href="https://shop.example/sale?a=1&amp;b=2">zur Aktion</a> – 日本</p></body></html>'


def restored(message: bytes, report_part: object) -> str:
    """The decoded HTML with every listed value put back and the pixel taken out, for UTF-8 mails."""
    html = next(body for kind, body in decoded_leaves(message) if kind == "text/html").decode()
    for link in report_part.links:
        html = html.replace(link.replacement, link.original)
    return html.replace(report_part.pixel or "\0", "")


# ── Transfer encodings ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "encoding",
    [
        "8bit",
        "binary",
        "quoted-printable",
        "base64",
        "8bits",
        '"quoted-printable;"',
        "quoted-printable;",
        "BASE64",
        "text/html",
    ],
)
def test_the_transfer_encoding_stays(encoding: str) -> None:
    """The body stays in its encoding with legal lines; decoded, only the listed values and the pixel differ."""
    data = HTML.encode()
    name = encoding.lower().strip('";')
    body = {"quoted-printable": quopri.encodestring, "base64": base64.encodebytes}.get(name, bytes)(data)
    message = mail(body.replace(b"\n", b"\r\n"), encoding=encoding)
    result = instrument(message, tracking())
    assert result.tracked
    assert result.coverage is Coverage.TRACKABLE
    assert undo(result.message, result.splices) == message
    assert result.message[: message.index(b"\r\n\r\n")] == message[: message.index(b"\r\n\r\n")]
    new = result.message.partition(b"\r\n\r\n")[2]
    decoded = {"quoted-printable": quopri.decodestring, "base64": base64.b64decode}.get(name, bytes)(new)
    (link,) = result.parts[0].links
    put_back = decoded.decode().replace(link.replacement, link.original).replace(result.parts[0].pixel, "")
    assert put_back.replace("\r\n", "\n") == HTML
    if name in ("quoted-printable", "base64"):
        assert max(map(len, new.split(b"\r\n"))) <= 76


@pytest.mark.parametrize("eol", [b"\n", b"\r\n"])
def test_quoted_printable_keeps_its_own_soft_breaks(eol: bytes) -> None:
    """Lines without a change keep their exact bytes, lower-case escapes and odd breaks included."""
    first = b"<p>gr=c3=bc=c3=9fe aus=20=" + eol + b"M=C3=BCnchen</p>" + eol
    body = first + b'<a href=3D"https://a.example/?x=3D1=' + eol + b'&amp;y=3D2">x</a>' + eol + b"<p>end</p>" + eol
    message = mail(body, encoding="quoted-printable").replace(b"\r\n", eol)
    result = instrument(message, tracking())
    assert first in result.message
    assert [link.destination for link in result.links.values()] == ["https://a.example/?x=1&y=2"]
    assert undo(result.message, result.splices) == message
    assert restored(result.message, result.parts[0]).encode() == quopri.decodestring(body)


def test_a_full_quoted_printable_line_gets_room() -> None:
    """A pixel behind a line of 76 characters moves its last character on instead of making the line illegal."""
    for filler in (b"x" * 71, b"x" * 68 + b"=C3=BC"[:3] + b""):
        line = b"<p>" + filler
        message = mail(line + b"xx"[: 76 - len(line)] + b"\r\n", encoding="quoted-printable")
        result = instrument(message, tracking())
        assert result.tracked
        assert max(map(len, result.message.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76


def test_base64_keeps_its_line_length_and_what_came_before() -> None:
    """Lines of another length than 76 stay so, and lines before the first change are the same bytes."""
    data = b"<p>" + b"word " * 60 + b'<a href="https://a.example/">x</a></p>'
    letters = base64.b64encode(data)
    body = b"\r\n".join(letters[i : i + 60] for i in range(0, len(letters), 60)) + b"\r\n"
    message = mail(body, encoding="base64")
    result = instrument(message, tracking())
    new = result.message.partition(b"\r\n\r\n")[2]
    assert new[: 62 * 6] == body[: 62 * 6]
    assert {len(line) for line in new.split(b"\r\n")[:-2]} == {60}
    assert undo(result.message, result.splices) == message


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"PGEgaHJlZj0iaHR0cDovL2EuZXhhbXBsZSI+eDwvYT4", "base64"),
        (b"PGEgaHJlZj0i==aHR0cDovL2EuZXhhbXBsZSI+eDwvYT4=", "base64"),
        (b"PGEgaHJlZj0iaHR0cDovL2EuZXhhbXBsZSI+eDwvYT4=\r\n-- \r\nlist footer!", "base64"),
        (b"begin 644 x\r\n#86)C\r\nend", "x-uuencode"),
    ],
)
def test_a_damaged_encoding_is_left_alone(body: bytes, encoding: str) -> None:
    """What programs would decode in different ways goes out as it came, and says so."""
    message = mail(body, encoding=encoding)
    result = instrument(message, tracking())
    assert (result.message, result.tracked, result.reason) == (message, False, Reason.DAMAGED_ENCODING)


def test_lines_sent_as_they_stand_never_grow_too_long() -> None:
    """A line within 998 octets stays within them: the URL gets lines of its own inside its quotes."""
    line = b"<p>" + b"x" * 800 + b'<a href="https://a.example/' + b"y" * 60 + b'">z</a></p>'
    message = mail(line + b"\r\n", encoding="7bit")
    result = instrument(message, tracking())
    assert max(map(len, result.message.split(b"\r\n"))) <= 998
    (link,) = result.parts[0].links
    assert link.replacement == f"\r\n{link.url}\r\n"
    assert hrefs(result.message.decode())[0].strip() == link.url
    assert undo(result.message, result.splices) == message


def test_a_link_no_line_can_hold_stays_untracked() -> None:
    """A URL longer than a line, or unquoted where there is no room, is listed as too long; the mail is tracked."""
    message = mail(b'<p><a href="https://a.example/' + b"y" * 800 + b'">z</a></p>\r\n<p>\r\n</p>', encoding="7bit")
    result = instrument(message, tracking())
    assert [left.reason.value for left in result.parts[0].untracked] == ["too_long"]
    assert result.tracked
    assert max(map(len, result.message.split(b"\r\n"))) <= 998


# ── Charsets ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("utf-8", "utf-8"),
        ("iso-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-16-be"),
        ("utf-16le", "utf-16-le"),
        ("UTF-16BE", "utf-16-be"),
    ],
)
def test_western_charsets_keep_their_bytes(declared: str, codec: str) -> None:
    """A link with an umlaut is read in the part's charset, and everything around it keeps its bytes."""
    html = '<body><p>Grüße</p><a href="https://a.example/grün?x=1&amp;y">x</a></body>'
    message = mail(
        base64.encodebytes(html.encode(codec)).replace(b"\n", b"\r\n"),
        type=f"text/html; charset={declared}",
        encoding="base64",
    )
    result = instrument(message, tracking())
    (link,) = result.parts[0].links
    assert link.destination == "https://a.example/grün?x=1&y"
    new = base64.b64decode(result.message.partition(b"\r\n\r\n")[2]).decode(codec)
    assert new.replace(link.replacement, link.original).replace(result.parts[0].pixel, "") == html
    assert undo(result.message, result.splices) == message


@pytest.mark.parametrize("codec", ["iso2022_jp", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "koi8-r", "hz"])
def test_multibyte_charsets_hide_no_markup(codec: str) -> None:
    """Bytes of a character that look like markup or quotes are never taken for it."""
    text = {
        "koi8-r": "Привет, мир",
        "euc_kr": "안녕하세요",
        "big5": "許功蓋 歡迎",
        "gb18030": "你好，世界",
        "hz": "你好",
    }.get(codec, "表示ソ能 十ポ暴 「＜Ａ」日本語")
    html = f'<body><p title="{text}">{text}</p><a href="https://a.example/?q={text}">{text}</a>{text}</body>'
    message = mail(html.encode(codec), type=f'text/html; charset="{codec}"', encoding="8bit")
    result = instrument(message, tracking())
    (link,) = result.parts[0].links
    assert link.destination == f"https://a.example/?q={text}"
    new = result.message.partition(b"\r\n\r\n")[2].decode(codec)
    assert new.replace(link.replacement, link.original).replace(result.parts[0].pixel, "") == html


LINK = '<a href="https://a.example/ü">x</a>'


@pytest.mark.parametrize(
    ("type", "body", "destination"),
    [
        ("text/html", LINK.encode(), "https://a.example/ü"),
        ("text/html", LINK.encode("cp1252"), "https://a.example/ü"),
        ("text/html", b'<meta charset="koi8-r"><a href="https://a.example/\xc1">x</a>', "https://a.example/а"),
        ("text/html; charset=utf-8", b'<meta charset="latin1">' + LINK.encode(), "https://a.example/ü"),
        ("text/html; charset=uft-8", LINK.encode(), "https://a.example/ü"),
        ("text/html; charset=utf-16", b'<a href="https://a.example/">x</a>', "https://a.example/"),
        ("text/html; charset=us-ascii", LINK.encode("cp1252"), "https://a.example/ü"),
        ("text/html; charset=latin1", b"\xef\xbb\xbf" + LINK.encode(), "https://a.example/ü"),
    ],
)
def test_undeclared_and_contradicting_charsets(type: str, body: bytes, destination: str) -> None:
    """Byte order mark, declaration, meta and a guess are asked in a browser's order."""
    message = mail(body, type=type, encoding="8bit")
    result = instrument(message, tracking())
    assert [link.destination for link in result.links.values()] == [destination]
    assert undo(result.message, result.splices) == message


def test_bytes_invalid_in_their_charset_cost_one_link_only() -> None:
    """A link that cannot be decoded is listed; the others are tracked and the broken bytes stay."""
    body = b'<p>\xff</p><a href="https://a.example/\xff">x</a><a href="https://b.example/">y</a>'
    result = instrument(mail(body, encoding="8bit"), tracking())
    assert [left.reason.value for left in result.parts[0].untracked] == ["undecodable"]
    assert [link.destination for link in result.links.values()] == ["https://b.example/"]
    assert b'<p>\xff</p><a href="https://a.example/\xff">' in result.message


def test_a_charset_that_hides_markup_is_left_alone() -> None:
    """UTF-7 writes `<` as letters; such a part goes out as it came."""
    message = mail(b'+ADw-a href="https://a.example"+AD4-x+ADw-/a+AD4-', type="text/html; charset=utf-7")
    assert instrument(message, tracking()).reason is Reason.UNUSABLE_CHARSET


# ── What is never touched ───────────────────────────────────────────────────────────────────────────────────────────

SIGNATURE = b"Content-Type: application/pgp-signature; name=signature.asc\r\n\r\n-----BEGIN PGP SIGNATURE-----"
SIGNED_PART = multipart(HTML_PART, SIGNATURE, kind="signed", boundary="inner").partition(b"1.0\r\n")[2]
TWO_ENCODINGS = b"Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 8bit\r\n"
ATTACHED = b"\r\nContent-Disposition: attachment; filename=offer.html\r\n\r\n"
PGP_HTML = b"<html><body><p>Hello</p><pre>%b\nHash: SHA256</pre> <a href=https://a.example/>x</a></body></html>"
DKIM = b"DKIM-Signature: v=1; a=rsa-sha256; d=shop.example;\r\n\ts=k1; h=from:to; bh=abc=; b=def=\r\n"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (multipart(HTML_PART, SIGNATURE, kind="signed"), Reason.SIGNED),
        (multipart(SIGNED_PART, PLAIN_PART), Reason.SIGNED),
        (
            multipart(HTML_PART, b"Content-Type: application/x-pkcs7-signature; name=smime.p7s\r\n\r\nMII="),
            Reason.SIGNED,
        ),
        (multipart(PLAIN_PART, HTML_PART, kind="encrypted"), Reason.ENCRYPTED),
        (mail(b"MIIB", type="application/pkcs7-mime; smime-type=enveloped-data", encoding="base64"), Reason.ENCRYPTED),
        (mail(b"MIIB", type="application/x-pkcs7-mime; smime-type=signed-data", encoding="base64"), Reason.SIGNED),
        (mail(b"Hi\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQ", type="text/plain"), Reason.ENCRYPTED),
        (mail(b"-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\nhttps://a.example", type="text/plain"), Reason.SIGNED),
        (
            mail(base64.encodebytes(b"Hi\n -----BEGIN PGP MESSAGE-----\nhQ"), type="text/plain", encoding="base64"),
            Reason.ENCRYPTED,
        ),
        (mail(PGP_HTML % b"-----BEGIN PGP SIGNED MESSAGE-----"), Reason.SIGNED),
        (mail(PGP_HTML % b"-----BEGIN PGP MESSAGE-----"), Reason.ENCRYPTED),
        (mail(PGP_HTML % b"&#45;&#45;---BEGIN&nbsp;PGP MESSAGE-----"), Reason.ENCRYPTED),
        (mail(PGP_HTML.replace(b"pre>", b"p>") % b"\n &#45;----BEGIN PGP SIGNED MESSAGE-----"), Reason.SIGNED),
        (mail(PGP_HTML % b"=2D----BEGIN P=\r\nGP MESSAGE-----", encoding="quoted-printable"), Reason.ENCRYPTED),
        (mail(base64.encodebytes(PGP_HTML % b"-----BEGIN PGP SIGNED MESSAGE-----"), encoding="base64"), Reason.SIGNED),
        (multipart(PLAIN_PART, HTML_PART, kind="report"), Reason.REPORT),
        (mail(HTML.encode(), extra=DKIM), Reason.DKIM_SIGNED),
        (mail(HTML.encode(), extra=b"ARC-Seal: i=1; a=rsa-sha256; d=relay.example; b=x\r\n"), Reason.ARC_SEALED),
        (mail(HTML.encode(), extra=b"X-No-Track: yes\r\n"), Reason.OPTED_OUT),
        (mail(b"no markup", type="text/plain"), Reason.NOTHING_TO_TRACK),
        (mail(HTML.encode(), extra=b"Content-Type: text/plain\r\n"), Reason.AMBIGUOUS),
        (mail(HTML.encode(), extra=TWO_ENCODINGS), Reason.AMBIGUOUS),
        (mail(b"--a\r\n\r\nx", type="multipart/mixed"), Reason.AMBIGUOUS),
        (multipart(HTML_PART.replace(b"<p>", b"<p>\r\n--frame-like\r\n")), Reason.AMBIGUOUS),
    ],
)
def test_mail_that_must_not_change_goes_out_as_it_came(message: bytes, reason: Reason) -> None:
    """Signed, encrypted, sealed, reported, opted out or ambiguous: same bytes, and the reason is told."""
    result = instrument(message, tracking(text_links=True))
    assert (result.message, result.tracked, result.reason) == (message, False, reason)
    assert result.coverage is Coverage.NOT_TRACKED
    assert result.splices == ()


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (HTML_PART.replace(b"\r\n\r\n", ATTACHED, 1), Reason.ATTACHMENT),
        (HTML_PART.replace(b"charset=utf-8", b'charset=utf-8; name="offer.html"'), Reason.ATTACHMENT),
        (b"Content-Type: message/rfc822\r\n\r\n" + mail(HTML.encode()), Reason.NESTED_MESSAGE),
        (b"Content-Type: text/calendar; method=REQUEST\r\n\r\nURL:https://a.example/", Reason.CALENDAR),
        (b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA", Reason.NOT_SHOWN),
        (b"Content-Type: text/x-amp-html\r\n\r\n<a href=https://a.example>x</a>", Reason.NOT_SHOWN),
    ],
)
def test_a_part_that_must_not_change_stays_beside_one_that_does(part: bytes, reason: Reason) -> None:
    """Attachments, nested mail and calendars keep every byte while the letter itself is tracked."""
    message = multipart(HTML_PART, part)
    result = instrument(message, tracking(text_links=True))
    assert result.tracked
    assert [report.reason for report in result.parts] == [None, reason]
    assert part in result.message
    assert undo(result.message, result.splices) == message


def test_dkim_of_a_domain_we_sign_for_is_taken_off() -> None:
    """Who signs anew gets the mail without the old signature, which would be broken; undoing brings it back."""
    message = mail(HTML.encode(), extra=DKIM)
    result = instrument(message, tracking(resigned_domains=frozenset({"shop.example"})))
    assert result.tracked
    assert b"DKIM-Signature" not in result.message
    assert undo(result.message, result.splices) == message
    two = mail(HTML.encode(), extra=DKIM + DKIM.replace(b"shop.example", b"esp.example"))
    assert instrument(two, tracking(resigned_domains=frozenset({"shop.example"}))).reason is Reason.DKIM_SIGNED
    plain = mail(b"nothing", type="text/plain", extra=DKIM)
    assert instrument(plain, tracking(resigned_domains=frozenset({"shop.example"}))).message == plain


def test_tracking_off_changes_nothing() -> None:
    """With opens and clicks off the mail is the same bytes."""
    message = multipart(PLAIN_PART, HTML_PART, kind="alternative")
    result = instrument(message, tracking(opens=TrackingMode.OFF, clicks=TrackingMode.OFF))
    assert (result.message, result.tracked, result.reason) == (message, False, Reason.TRACKING_OFF)


# ── Modes, text, pixel ──────────────────────────────────────────────────────────────────────────────────────────────


def test_opens_and_clicks_are_switched_apart() -> None:
    """Clicks alone add no pixel; opens alone rewrite no link."""
    message = mail(HTML.encode())
    clicks_only = instrument(message, tracking(opens=TrackingMode.OFF))
    assert clicks_only.parts[0].pixel is None
    assert len(clicks_only.links) == 1
    opens_only = instrument(message, tracking(clicks=TrackingMode.OFF))
    assert opens_only.parts[0].pixel
    assert opens_only.links == {}


def test_anonymous_tokens_hold_the_campaign_and_no_person() -> None:
    """Where a mode is anonymous the id is the campaign's, for every recipient the same URL."""
    settings = tracking(campaign=CAMPAIGN, opens=TrackingMode.ANONYMOUS, clicks=TrackingMode.INDIVIDUAL)
    result = instrument(mail(HTML.encode()), settings)
    pixel_url = re.search(r'src="([^"]+)\.gif"', result.parts[0].pixel)[1]
    opened, clicked = (read(KEYS, url.rpartition("/")[2]) for url in (pixel_url, result.links[0].url))
    assert (opened.kind, opened.id, opened.anonymous) == (TokenKind.OPEN, CAMPAIGN, True)
    assert (clicked.kind, clicked.id, clicked.anonymous) == (TokenKind.CLICK, MESSAGE, False)


def test_links_in_text_parts_are_an_option_with_tokens_of_their_own() -> None:
    """Off by default; on, the same address gets another index, so that a click tells which part was read."""
    message = multipart(PLAIN_PART, HTML_PART, kind="alternative")
    default = instrument(message, tracking())
    assert PLAIN_PART in default.message
    result = instrument(message, tracking(text_links=True))
    text, html = result.parts
    assert (html.links[0].index, text.links[0].index) == (0, 1)
    assert text.links[0].destination == html.links[0].destination == "https://shop.example/sale"
    assert b"See " + text.links[0].url.encode() + b" today." in result.message
    assert undo(result.message, result.splices) == message


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("(see https://a.example/x).", "https://a.example/x"),
        ("<https://a.example/x>", "https://a.example/x"),
        ("https://a.example/x_(y)!", "https://a.example/x_(y)"),
        ("https://a.example/?a=1&b=2&copy=3, ok", "https://a.example/?a=1&b=2&copy=3"),
        ('"https://a.example/x"', "https://a.example/x"),
    ],
)
def test_a_url_in_text_ends_where_a_reader_says_so(text: str, url: str) -> None:
    """Punctuation and brackets around a URL are not part of it; an ampersand means itself."""
    result = instrument(mail(text.encode(), type="text/plain"), tracking(text_links=True))
    assert [(link.original, link.destination) for link in result.links.values()] == [(url, url)]
    assert result.coverage is Coverage.TEXT_ONLY


def test_the_pixel_is_one_small_image_that_is_never_hidden() -> None:
    """Width, height and empty alternative text; no display:none, which Gmail does not load."""
    result = instrument(multipart(HTML_PART, HTML_PART), tracking())
    pixels = [part.pixel for part in result.parts if part.pixel]
    assert len(pixels) == 1
    assert re.match(r'<img src="https://t\.example\.org/o/[\w-]{40}\.gif" width="1" height="1" alt="" ', pixels[0])
    assert "none" not in pixels[0]
    assert result.message.count(b"/o/") == 1


def test_of_two_html_alternatives_the_last_carries_the_pixel() -> None:
    """A client shows the last alternative it can (RFC 2046 section 5.1.4)."""
    result = instrument(multipart(PLAIN_PART, HTML_PART, HTML_PART, kind="alternative"), tracking())
    assert [bool(part.pixel) for part in result.parts] == [False, False, True]


def test_a_mail_gmail_would_clip_carries_the_pixel_near_the_top() -> None:
    """Over 102 KB the end is hidden behind a link: the pixel moves up and the sender is warned."""
    html = b"<html><head><title>x</title></head><body class=a><p>" + b"word " * 21_000 + b"</p></body></html>"
    result = instrument(mail(html.replace(b"word word", b"word\r\nword")), tracking())
    assert result.warnings == (Caution.CLIPPED,)
    assert result.coverage is Coverage.CLIPPED_RISK
    assert b"<body class=a>" + result.parts[0].pixel.encode() in result.message


def test_a_logo_can_carry_the_token_instead() -> None:
    """The author's image is fetched through us instead of a pixel; where it is missing, a pixel and a warning."""
    html = b'<body><img alt=Logo src="https://a.example/logo.png?a=1&amp;b=2"><p>x</p></body>'
    result = instrument_html(html, tracking(logo="https://a.example/logo.png?a=1&b=2"))
    source = result.parts[0].pixel
    token = read(KEYS, source.rpartition("/")[2])
    assert source.startswith(f"{BASE_URL}/i/")
    assert token.destination == "https://a.example/logo.png?a=1&b=2"
    assert result.message.count(b"<img") == 1
    missing = instrument_html(html, tracking(logo="https://a.example/other.png"))
    assert missing.warnings == (Caution.LOGO_NOT_FOUND,)
    assert missing.message.count(b"<img") == 2


def test_the_root_of_a_related_part_is_the_letter() -> None:
    """Images and other documents inside multipart/related are not shown as the mail; its root is."""
    inner = multipart(HTML_PART, HTML_PART, kind="related", boundary="rel").partition(b"1.0\r\n")[2]
    result = instrument(multipart(inner), tracking())
    assert [part.reason for part in result.parts] == [None, Reason.NOT_SHOWN]


def test_everything_else_in_the_document_stays() -> None:
    """Stylesheets, microdata, JSON-LD, scripts, comments and forms are not links and keep every byte."""
    html = (
        b'<link href="https://a.example/x.css"><script type="application/ld+json">{"url":"https://a.example"}</script>'
        b'<meta itemprop="url" content="https://a.example"><!-- <a href="https://a.example">x</a> -->'
        b'<form action="https://a.example"></form><p data-x="<a href=https://a.example>">https://a.example</p>'
    )
    result = instrument_html(html, tracking())
    assert result.parts[0].links == ()
    assert result.message == html + result.parts[0].pixel.encode()


def test_more_than_any_letter_holds_is_left_alone() -> None:
    """Markup of many megabytes or links by the ten thousand cost no more than looking at them."""
    for body in (b"<a href=https://a.example>x</a>" * 11_000, b"<p>" + b"x" * 10_000_001):
        message = mail(body, encoding="binary")
        result = instrument(message, tracking())
        assert (result.message, result.reason) == (message, Reason.TOO_LARGE)
    text = mail(b"https://a.example\r\n" * 11_000, type="text/plain")
    assert instrument(text, tracking(text_links=True)).reason is Reason.TOO_LARGE


def test_the_address_in_list_unsubscribe_is_known_by_it() -> None:
    """A link that neither looks nor reads like leaving is one when the header says so."""
    header = b"List-Unsubscribe: <mailto:x@a.example>,\r\n <https://a.example/q/9?k=1>\r\n"
    message = mail(b'<a href="https://a.example/q/9?k=1">here</a><a href="https://a.example/q/8">x</a>', extra=header)
    part = instrument(message, tracking()).parts[0]
    assert [(left.href, left.reason.value) for left in part.untracked] == [("https://a.example/q/9?k=1", "unsubscribe")]
    assert [link.destination for link in part.links] == ["https://a.example/q/8"]


def test_a_bare_equals_sign_before_a_change_stays_one() -> None:
    """Quoted-printable written carelessly: `href=` unescaped before the address does not swallow what we write."""
    body = b"<p>" + b"x" * 60 + b"</p><a href=https://a.example/?x>x</a> <b title==3Dq>y</b>\r\n"
    message = mail(body, encoding="quoted-printable")
    result = instrument(message, tracking())
    assert [link.destination for link in result.links.values()] == ["https://a.example/?x"]
    assert hrefs(quopri.decodestring(result.message.partition(b"\r\n\r\n")[2]).decode()) == [result.links[0].url]
