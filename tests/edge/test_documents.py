"""Documents and the author's own images, asked over real sockets, and what is recorded of them."""

from __future__ import annotations

import os
import re
import socket
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from urllib.parse import unquote
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.edge.documents import disposition, name_in, type_of
from resonanz.edge.outgoing import PIECE_BYTES
from resonanz.model import CONTINUED, Hit, HitKind, document_place
from resonanz.store.documents import keep
from resonanz.tokens import Key, Keys, Token, TokenKind, mint
from tests.kit.edges import Edge, Reply
from tests.kit.waiting import wait_for

CONTENT = b"%PDF-1.7 " + bytes(range(256)) * 8
SIZE = len(CONTENT)
STRANGERS = Keys([Key(1, bytes(32))])


def stored(edge: Edge, content: bytes = CONTENT) -> str:
    """Store a document as the worker does and return its key."""
    key = blake2b(content, digest_size=32).hexdigest()
    keep(edge.documents_folder, key, content)
    return key


def path(edge: Edge, key: str, name: str = "offer.pdf", **token: object) -> str:
    return f"{edge.path(TokenKind.FILE, destination=key, **{'link': 2, **token})}/{name}"


def ask(edge: Edge, headers: dict[str, str] | None = None, *, content: bytes = CONTENT, method: str = "GET") -> Reply:
    return edge.ask(method, path(edge, stored(edge, content)), headers)


def hits_of(edge: Edge, id: UUID) -> list[Hit]:
    return [hit for hit in edge.hits() if hit.id == id]


# ── Whole documents ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_document_is_offered_for_saving_and_can_do_no_harm(edge: Edge) -> None:
    """The bytes come back as they were stored; no header lets a browser run, sniff, show or keep them."""
    key = stored(edge)
    reply = edge.ask("GET", path(edge, key))
    assert reply == Reply(
        200,
        (
            ("content-type", "application/pdf"),
            ("content-length", str(SIZE)),
            ("content-disposition", "attachment; filename=\"offer.pdf\"; filename*=UTF-8''offer.pdf"),
            ("etag", f'"{key}"'),
            ("cache-control", "private, no-store"),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-robots-tag", "noindex, nofollow"),
            ("accept-ranges", "bytes"),
        ),
        CONTENT,
    )


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, 3 * PIECE_BYTES + 1])
def test_documents_of_every_size_arrive_whole(edge: Edge, size: int) -> None:
    """Empty, one piece exactly, and many pieces with a rest."""
    content = os.urandom(size)
    reply = ask(edge, content=content)
    assert (reply.status, reply.header("content-length"), reply.body) == (200, str(size), content)


def test_a_download_is_recorded_before_it_is_answered(edge: Edge) -> None:
    """The hit names the mail, the link and the document, and who asked."""
    id, key = uuid4(), stored(edge)
    edge.ask("GET", path(edge, key, id=id), {"User-Agent": "Browser/1"})
    (hit,) = hits_of(edge, id)
    assert hit == Hit(
        HitKind.FILE,
        id,
        hit.occurred_us,
        link=2,
        destination=key,
        address="127.0.0.1",
        user_agent="Browser/1",
    )


def test_an_anonymous_download_leaves_no_address(edge: Edge) -> None:
    """Who is only counted is not to be found."""
    id = uuid4()
    edge.ask(
        "GET", path(edge, stored(edge), id=id, anonymous=True), {"User-Agent": "Browser/1", "Accept-Language": "de"}
    )
    (hit,) = hits_of(edge, id)
    assert (hit.anonymous, hit.address, hit.headers) == (True, "", {})


def test_head_gets_the_same_headers_and_no_body(edge: Edge) -> None:
    """RFC 9110 section 9.3.2; a range means nothing to HEAD (section 14.2). It is recorded as what it is."""
    id, key = uuid4(), stored(edge)
    whole = edge.ask("GET", path(edge, key, id=id))
    head = edge.ask("HEAD", path(edge, key, id=id), {"Range": "bytes=5-9"})
    assert (head.status, head.headers, head.body) == (200, whole.headers, b"")
    assert [hit.method for hit in hits_of(edge, id)] == ["GET", "HEAD"]


def test_other_methods_are_refused(edge: Edge) -> None:
    """Documents are read, never written; images likewise."""
    key = stored(edge)
    for place in (path(edge, key), image(edge, "https://shop.example/logo.png")):
        reply = edge.ask("POST", place, body=b"x")
        assert (reply.status, reply.header("allow")) == (405, "GET, HEAD")


def begun(edge: Edge, key: str) -> socket.socket:
    """A download whose reader has taken its first octets and then stops."""
    connection = socket.create_connection(("127.0.0.1", edge.port), timeout=20)
    connection.sendall(f"GET {path(edge, key)} HTTP/1.1\r\nHost: t.example.org\r\n\r\n".encode())
    assert connection.recv(100).startswith(b"HTTP/1.1 200")
    return connection


def open_documents(edge: Edge) -> int:
    assert edge.process is not None
    found = 0
    for entry in Path(f"/proc/{edge.process.pid}/fd").iterdir():
        with suppress(OSError):
            found += str(edge.documents_folder) in str(entry.readlink())
    return found


def test_readers_who_stop_hold_nobody_up_and_are_let_go(edge: Edge) -> None:
    """Others are served meanwhile; once the reader has gone, nothing of the download is left open."""
    key = stored(edge, bytes(40_000_000))
    readers = [begun(edge, key) for _ in range(10)]
    assert open_documents(edge) == 10
    assert edge.ask("GET", path(edge, stored(edge))).body == CONTENT
    for reader in readers:
        reader.close()
    wait_for(lambda: open_documents(edge) == 0, "a document stayed open")


def test_half_a_document_is_never_taken_for_a_whole_one(edge: Edge) -> None:
    """A file that a damaged disk cuts short while it is sent ends its connection before the length it promised."""
    key = stored(edge, bytes(39_000_000))
    reader = begun(edge, key)
    os.truncate(edge.documents_folder / document_place(key), 1_000_000)
    received = 0
    with suppress(ConnectionResetError):
        while chunk := reader.recv(1_000_000):
            received += len(chunk)
    assert received < 39_000_000
    assert edge.ask("GET", "/healthz").status == 200


# ── Parts of documents ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        ("bytes=5-", 5, SIZE),
        ("BYTES=5-9", 5, 10),
        ("bytes=0-999999", 0, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=7-" + "9" * 5000, 7, SIZE),
        ("bytes=-4", SIZE - 4, SIZE),
        ("bytes=-999999", 0, SIZE),
    ],
)
def test_a_single_range_is_answered_in_part(edge: Edge, asked: str, start: int, end: int) -> None:
    """RFC 9110 section 14.1.2: first to last, open-ended, and suffixes; ends behind the file mean its end."""
    reply = ask(edge, {"Range": asked})
    assert reply.status == 206
    assert reply.header("content-range") == f"bytes {start}-{end - 1}/{SIZE}"
    assert (reply.header("content-length"), reply.body) == (str(end - start), CONTENT[start:end])


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=999999-1000000", "bytes=-0", "bytes=" + "9" * 5000 + "-"])
def test_a_range_behind_the_end_is_refused(edge: Edge, asked: str) -> None:
    """416 with the length that is there (RFC 9110 section 15.5.17), and nothing is recorded: nothing was fetched."""
    id = uuid4()
    reply = edge.ask("GET", path(edge, stored(edge), id=id), {"Range": asked})
    assert (reply.status, reply.header("content-range"), reply.body) == (416, f"bytes */{SIZE}", b"")
    assert hits_of(edge, id) == []


@pytest.mark.parametrize(
    "asked",
    ["bytes=9-5", "bytes=0-1,4-5", "bytes=-", "bytes=a-b", "bytes=+1-2", "pages=1-2", "bytes", "", "bytes=1--2"],
)
def test_a_range_that_is_none_is_ignored(edge: Edge, asked: str) -> None:
    """What cannot be read, another unit, or several ranges: the whole document is a right answer to all of them."""
    reply = ask(edge, {"Range": asked})
    assert (reply.status, reply.header("content-range"), reply.body) == (200, None, CONTENT)


def test_no_range_of_an_empty_document_is_there(edge: Edge) -> None:
    """Its first octet does not exist; its last ones are all of it."""
    assert ask(edge, {"Range": "bytes=0-"}, content=b"").status == 416
    assert ask(edge, {"Range": "bytes=-5"}, content=b"").status == 200


def test_a_download_goes_on_only_with_the_same_document(edge: Edge) -> None:
    """If-Range with our strong tag gives the part; any other condition gives the whole (RFC 9110 section 13.1.5)."""
    key = stored(edge)
    same = {"Range": "bytes=5-9", "If-Range": f'"{key}"'}
    assert edge.ask("GET", path(edge, key), same).body == CONTENT[5:10]
    for condition in (f'W/"{key}"', '"another"', "Wed, 21 Oct 2026 07:28:00 GMT", key):
        reply = edge.ask("GET", path(edge, key), {"Range": "bytes=5-9", "If-Range": condition})
        assert (reply.status, reply.body) == (200, CONTENT)


def test_a_download_that_goes_on_says_so(edge: Edge) -> None:
    """Every request is recorded; one that begins later in the file is marked, so that it counts as no second one."""
    id, key = uuid4(), stored(edge)
    for asked in ("bytes=0-9", "bytes=10-", "bytes=-3"):
        edge.ask("GET", path(edge, key, id=id), {"Range": asked})
    assert [hit.body for hit in hits_of(edge, id)] == ["", CONTINUED, CONTINUED]


# ── Nothing to be had ───────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_never_stored_is_not_found(edge: Edge) -> None:
    """A page says so, and nothing is recorded: nothing was fetched."""
    id = uuid4()
    reply = edge.ask("GET", path(edge, "ab" * 32, id=id))
    assert reply.status == 404
    assert b"does not work" in reply.body
    assert hits_of(edge, id) == []


@pytest.mark.parametrize(
    "key",
    [
        "",
        "../keys.json",
        "../../keys.json",
        "/etc/passwd",
        "a" * 63,
        "A" * 64,
        "a" * 64 + "\n",
        "../" + "a" * 61,
        "a" * 63 + "\0",
        "https://evil.example/",
    ],
)
def test_only_a_key_leads_to_a_file(edge: Edge, key: str) -> None:
    """Even signed, what is no key is no path: 64 hexadecimal digits, or nothing is opened."""
    assert edge.ask("GET", path(edge, key)).status == 404


def test_a_link_in_the_folder_leads_nowhere(edge: Edge) -> None:
    """A symbolic link or a folder in the place of a document gives none of what it leads to."""
    key = "cd" * 32
    place = edge.documents_folder / document_place(key)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(edge.folder / "keys.json")
    assert edge.ask("GET", path(edge, key)).status != 200
    (edge.documents_folder / document_place("ce" * 32)).mkdir(parents=True)
    assert edge.ask("GET", path(edge, "ce" * 32)).status != 200


@pytest.mark.parametrize("kind", [TokenKind.CLICK, TokenKind.OPEN, TokenKind.UNSUBSCRIBE])
def test_only_a_token_for_files_opens_a_file(edge: Edge, kind: TokenKind) -> None:
    """A token of another kind, or signed by strangers, is refused at both doors."""
    key = stored(edge)
    for text in (
        mint(edge.keys, Token(kind, uuid4(), destination=key)),
        mint(STRANGERS, Token(TokenKind.FILE, uuid4(), destination=key)),
    ):
        assert edge.ask("GET", f"/f/{text}/offer.pdf").status == 404
        assert edge.ask("GET", f"/i/{text}").status == 404


# ── Names ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "plain", "extended", "type"),
    [
        ("Angebot%20%26%20Preis.pdf", "Angebot & Preis.pdf", "Angebot%20&%20Preis.pdf", "application/pdf"),
        ("%C3%BC%E6%97%A5.PDF", "__.PDF", "%C3%BC%E6%97%A5.PDF", "application/pdf"),
        ("100%25.csv", "100_.csv", "100%25.csv", "text/csv"),
        ("a%22;x=%22.html", "a;x=.html", "a%3Bx%3D.html", "application/octet-stream"),
        ("x%0D%0ASet-Cookie:%20a=b.svg", "xSet-Cookie a=b.svg", "xSet-Cookie%20a%3Db.svg", "application/octet-stream"),
        ("..%2F..%2Fetc%2Fpasswd", "passwd", "passwd", "application/octet-stream"),
        ("..%5C..%5Cboot.exe", "boot.exe", "boot.exe", "application/octet-stream"),
        ("%E2%80%AEfdp.exe", "fdp.exe", "fdp.exe", "application/octet-stream"),
        ("%FF%00.pdf", "_.pdf", "%EF%BF%BD.pdf", "application/pdf"),
        ("n" * 200 + ".pdf", "n" * 116 + ".pdf", "n" * 116 + ".pdf", "application/pdf"),  # shortened, of the same kind
        ("", "document", "document", "application/octet-stream"),
        ("..", "document", "document", "application/octet-stream"),
    ],
)
def test_a_name_cannot_harm_whoever_saves_it(edge: Edge, name: str, plain: str, extended: str, type: str) -> None:
    """Whatever stands behind the token: no folder, no header line, no turned-round letters, no type that runs."""
    key = stored(edge)
    reply = edge.ask("GET", path(edge, key, name))
    assert (reply.status, reply.body) == (200, CONTENT)
    assert reply.header("content-disposition") == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{extended}"
    assert reply.header("content-type") == type
    assert reply.header("set-cookie") is None


@given(st.text(st.characters(), max_size=300))
def test_no_name_gets_out_of_its_header(written: str) -> None:
    """Anybody may write anything behind a token: the header stays one line of two well-formed parameters that give the
    same name, one that leads to no folder, hides nothing, and is of a bearable length."""
    name = name_in(written)
    found = re.fullmatch(rb"attachment; filename=\"([^\"\\\r\n]+)\"; filename\*=UTF-8''([!-~]+)", disposition(name))
    assert found is not None
    assert unquote(found[2].decode()) == name
    assert len(found[1]) == len(name) <= 120
    assert name.isprintable()
    assert not set(name) & set('/\\:"<>|?*')
    assert name == name.strip(". ")
    assert type_of(name) not in ("text/html", "image/svg+xml", "text/javascript", "application/xhtml+xml", "text/xml")


def test_a_document_needs_no_name(edge: Edge) -> None:
    """The token alone is enough, as when a mail program has cut the rest off."""
    text = mint(edge.keys, Token(TokenKind.FILE, uuid4(), link=0, destination=stored(edge)))
    reply = edge.ask("GET", f"/f/{text}")
    assert (reply.status, reply.body) == (200, CONTENT)


# ── Images of the author ────────────────────────────────────────────────────────────────────────────────────────────


def image(edge: Edge, destination: str, **token: object) -> str:
    return edge.path(TokenKind.FILE, link=0, destination=destination, **token).replace("/f/", "/i/")


def test_an_image_of_the_author_is_an_open_and_leads_to_the_image(edge: Edge) -> None:
    """Recorded as an open before the reader's program is sent on to where the image lies."""
    id = uuid4()
    reply = edge.ask("GET", image(edge, "https://shop.example/logo.png?v=2", id=id), {"User-Agent": "Mail/1"})
    assert (reply.status, reply.header("location")) == (302, "https://shop.example/logo.png?v=2")
    assert (reply.header("cache-control"), reply.header("referrer-policy")) == ("no-store", "no-referrer")
    (hit,) = hits_of(edge, id)
    assert (hit.kind, hit.user_agent) == (HitKind.OPEN, "Mail/1")


@pytest.mark.parametrize("destination", ["ab" * 32, "javascript:alert(1)", "file:///etc/passwd", "//evil.example/", ""])
def test_an_image_lies_on_the_web_or_nowhere(edge: Edge, destination: str) -> None:
    """A document's token, and whatever else is no web address, is no image; nothing is recorded."""
    id = uuid4()
    assert edge.ask("GET", image(edge, destination, id=id)).status == 404
    assert hits_of(edge, id) == []
