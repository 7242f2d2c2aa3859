"""Tokens: what was signed comes back exactly, and nothing else is ever accepted."""

import os
import stat
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resonanz.model import InvalidInput
from resonanz.tokens import (
    BadToken,
    Key,
    Keys,
    Token,
    TokenKind,
    create_keys,
    load_keys,
    mint,
    mint_return_path,
    read,
    read_return_path,
    save_keys,
)

KEYS = Keys([Key(7, bytes(range(32)))])
OTHER = Keys([Key(7, bytes(32))])

uuids = st.uuids()
plain_kinds = st.sampled_from([TokenKind.OPEN, TokenKind.UNSUBSCRIBE, TokenKind.PREFERENCES, TokenKind.VIEW])
destinations = st.text(st.characters(exclude_categories=()), max_size=300)


@given(plain_kinds, uuids, st.booleans())
def test_a_plain_token_comes_back(kind: TokenKind, id: UUID, anonymous: bool) -> None:
    """Kind, id and anonymity survive the trip."""
    token = Token(kind, id, anonymous)
    assert read(KEYS, mint(KEYS, token)) == token


@given(uuids, st.integers(0, 2**32 - 1), destinations)
@example(UUID(int=0), 128, "https://example.org/?a=1&timestamp=2#ä")
@example(UUID(int=0), 0, "\ud800")
def test_a_link_token_carries_its_destination_exactly(id: UUID, link: int, destination: str) -> None:
    """Whatever the author wrote comes back to the letter, lone surrogates included."""
    token = Token(TokenKind.CLICK, id, False, link, destination)
    assert read(KEYS, mint(KEYS, token)) == token


@given(uuids, st.data())
def test_any_changed_byte_is_refused(id: UUID, data: st.DataObject) -> None:
    """A token with one character replaced is either refused or, where only unused bits differ, says the same."""
    text = mint(KEYS, Token(TokenKind.CLICK, id, False, 3, "https://example.org/"))
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("ABCXYZabcxyz0189-_"))
    changed = text[:at] + letter + text[at + 1 :]
    try:
        assert read(KEYS, changed) == read(KEYS, text)
    except BadToken:
        assert changed != text


@given(st.text(max_size=200))
def test_garbage_is_refused_without_being_repeated(text: str) -> None:
    """No text raises anything but BadToken, and the error never echoes what was handed in."""
    with pytest.raises(BadToken) as caught:
        read(KEYS, text)
    assert len(text) < 4 or text not in str(caught.value)


def test_another_key_with_the_same_id_is_refused() -> None:
    """The id only finds the key; the tag decides."""
    with pytest.raises(BadToken):
        read(OTHER, mint(KEYS, Token(TokenKind.OPEN, UUID(int=1))))


@given(uuids)
def test_a_return_path_survives_case_folding(id: UUID) -> None:
    """Receivers fold the case of local parts; RFC 5321 allows 64 octets."""
    local = mint_return_path(KEYS, id)
    assert read_return_path(KEYS, local.upper()) == id
    assert len(local) <= 64
    assert local == local.lower()


def test_a_token_of_another_kind_is_no_return_path() -> None:
    """A pixel's token cannot be replayed as a bounce."""
    import base64

    sealed = base64.urlsafe_b64decode(mint(KEYS, Token(TokenKind.OPEN, UUID(int=1))) + "==")
    with pytest.raises(BadToken):
        read_return_path(KEYS, "b+" + base64.b32encode(sealed).decode().rstrip("="))


def test_links_outlive_a_rotation(tmp_path: Path) -> None:
    """After a rotation the fresh key signs and the older one still verifies, also after a restart."""
    path = tmp_path / "keys.json"
    old = create_keys(path)
    link = mint(old, Token(TokenKind.OPEN, UUID(int=5)))
    save_keys(path, old.rotated())
    rotated = load_keys(path)
    assert rotated.signing.id != old.signing.id
    assert read(rotated, link).id == UUID(int=5)
    with pytest.raises(BadToken):
        read(old, mint(rotated, Token(TokenKind.OPEN, UUID(int=5))))


def test_keys_are_on_disk_before_anything_is_signed_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both the file's content and its name are made durable: a power cut right after a rotation kills no link."""
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(stat.S_IFMT(os.fstat(descriptor).st_mode)))
    create_keys(tmp_path / "keys.json")
    assert synced == [stat.S_IFREG, stat.S_IFDIR]


def test_the_key_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """Whoever reads the keys can forge clicks."""
    path = tmp_path / "keys.json"
    create_keys(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert create_keys(path).signing == load_keys(path).signing


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"keys": []}', '{"keys": [{"id": 1}]}', '{"keys": [{"id":1,"secret":"zz"}]}']
)
def test_a_damaged_key_file_is_named(tmp_path: Path, text: str) -> None:
    """The error names the file and the remedy; a fresh key is never made over a damaged file."""
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(InvalidInput):
        create_keys(path)
    assert path.read_text() == text


def test_a_key_never_prints_its_secret() -> None:
    """A key in a log line or a traceback gives nothing away."""
    assert KEYS.signing.secret.hex() not in repr(KEYS.signing)
    assert "secret=…" in repr(KEYS.signing)
