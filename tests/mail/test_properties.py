"""What holds for every mail: undoing, identity when off, faithful decoding, no exception. Generated HTML and MIME."""

from __future__ import annotations

import base64
import quopri

from hypothesis import given, settings
from hypothesis import strategies as st

from resonanz.mail import Reason, instrument, instrument_html, readable_text, undo
from resonanz.mail.readable import text_from_html
from resonanz.model import TrackingMode
from tests.kit.letters import mail, multipart, tracking
from tests.kit.oracle import decoded_leaves, hrefs, is_web
from tests.mail.test_markup import MSO, PIECES

HTML = st.lists(st.sampled_from(PIECES + MSO + ["grüße ", "</p>", "日本", "\n\n", "x" * 90]), max_size=20).map("".join)
HEADERS = st.sampled_from(
    [b"", b"X-No-Track: 0\r\n", b"DKIM-Signature: d=a.example\r\n", b"List-Unsubscribe: <http://b.example>\r\n"]
)

CHARSETS = ["utf-8", "utf-16", "iso-2022-jp", "windows-1252", "gb18030", "shift_jis", "nonesuch"]


@st.composite
def leaves(draw: st.DrawFn) -> bytes:
    """One part in some charset and transfer encoding, sound or not."""
    charset = draw(
        st.sampled_from(["utf-8", "utf-16", "iso-2022-jp", "windows-1252", "gb18030", "shift_jis", "nonesuch"])
    )
    codec = "utf-8" if charset == "nonesuch" else charset
    data = draw(HTML).encode(codec, "replace")
    encoding = draw(st.sampled_from(["7bit", "8bit", "quoted-printable", "base64", "x-odd", "QUOTED-PRINTABLE;"]))
    if encoding.lower().startswith("quoted"):
        data = quopri.encodestring(data)
    elif encoding == "base64":
        data = base64.encodebytes(data)
    kind = draw(st.sampled_from(["text/html", "text/plain", "text/html; name=a.html", "application/pdf"]))
    disposition = draw(st.sampled_from([b"", b"Content-Disposition: attachment; filename=x.pdf\r\n"]))
    head = f"Content-Type: {kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n".encode()
    return head + disposition + b"\r\n" + data


@st.composite
def mails(draw: st.DrawFn) -> bytes:
    """A message of one or several parts, with one of the three line endings."""
    parts = draw(st.lists(leaves(), min_size=1, max_size=3))
    extra = draw(HEADERS)
    if len(parts) == 1:
        message = b"From: a@b.example\r\n" + extra + parts[0]
    else:
        message = multipart(
            *parts, kind=draw(st.sampled_from(["mixed", "alternative", "related", "signed"])), extra=extra
        )
    return message.replace(b"\r\n", draw(st.sampled_from([b"\r\n", b"\n", b"\r"])))


MODES = st.sampled_from(TrackingMode)


@settings(max_examples=200, deadline=None)
@given(mails(), MODES, MODES, st.booleans(), st.booleans())
def test_undoing_gives_the_input(
    message: bytes, opens: TrackingMode, clicks: TrackingMode, text: bool, files: bool
) -> None:
    """Whatever was done, undoing it is exact, nothing of ours failed, and what is not tracked is the same bytes."""
    wanted = (lambda part: True) if files else None
    result = instrument(message, tracking(opens=opens, clicks=clicks, text_links=text, documents=wanted))
    assert undo(result.message, result.splices) == message
    assert result.reason not in (Reason.INTERNAL_FAILURE, Reason.VERIFICATION_FAILED)
    assert (result.message != message) == bool(result.splices)
    assert result.tracked == bool(result.splices)


@settings(max_examples=100, deadline=None)
@given(mails())
def test_off_is_the_identity(message: bytes) -> None:
    """With tracking off every mail is the same bytes."""
    assert instrument(message, tracking(opens=TrackingMode.OFF, clicks=TrackingMode.OFF)).message == message


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600) | mails().map(lambda message: message[::2]))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    """Torn mail and noise come back undone, as mail and as a document; reading them does not raise either."""
    for result in (instrument(data, tracking(text_links=True)), instrument_html(data, tracking())):
        assert undo(result.message, result.splices) == data
        assert result.reason is not Reason.INTERNAL_FAILURE
    assert isinstance(readable_text(data), str)
    assert isinstance(readable_text(data, is_html=True), str)


@settings(max_examples=200, deadline=None)
@given(HTML)
def test_every_web_link_is_rewritten_or_listed(html: str) -> None:
    """An independent tokenizer finds no web link that the report does not account for, before or after."""
    result = instrument_html(html.encode(), tracking())
    part = result.parts[0]
    told = [link.original for link in part.links] + [left.href for left in part.untracked]
    assert sum(map(is_web, told)) == sum(map(is_web, hrefs(html)))
    after = hrefs(result.message.decode())
    assert all(link.url in after for link in part.links)


@settings(max_examples=100, deadline=None)
@given(HTML, st.sampled_from(["quoted-printable", "base64", "8bit"]))
def test_the_standard_library_decodes_what_we_meant(html: str, encoding: str) -> None:
    """Decoded by another reader, the document with its values put back and its pixel taken out is the input."""
    data = html.replace("\r\n", "\n").encode()  # the standard library reads mixed line endings in its own way
    encoded = {"quoted-printable": quopri.encodestring, "base64": base64.encodebytes}.get(encoding, bytes)(data)
    result = instrument(mail(encoded, encoding=encoding), tracking())
    ((_, decoded),) = decoded_leaves(result.message)
    text, position, pieces = decoded.decode(), 0, []
    for link in result.parts[0].links if result.parts else ():
        found = text.index(link.replacement, position)
        pieces += [text[position:found], link.original]
        position = found + len(link.replacement)
    restored = "".join((*pieces, text[position:]))
    if result.parts and result.parts[0].pixel:
        restored = restored.replace(result.parts[0].pixel, "", 1)
    assert restored.encode() == data


@settings(max_examples=100, deadline=None)
@given(HTML)
def test_any_html_has_a_readable_text(html: str) -> None:
    """The text version ends in one line ending and holds no run of empty lines."""
    text = text_from_html(html)
    assert text.endswith("\n")
    assert "\n\n\n" not in text
