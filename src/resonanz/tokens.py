"""Signed tokens: the strings in tracking URLs and return paths, and the only thing a recipient's program hands back.

A token is ``base64url(head · key id · payload · tag)``: one byte of version, anonymity and kind, one byte naming the
signing key, the payload, and a 12-byte keyed BLAKE2b tag over everything before it (RFC 7693; 96 bits, so that guessing
is hopeless while URLs stay short). The payload is a 16-byte id and, for links, a varint index and the destination
itself: a redirect needs no database and cannot be pointed anywhere that was not signed.

Return-path tokens, and those of the addresses to unsubscribe by mail and to answer to, are base32 (RFC 4648 section 6)
because receivers fold the case of local parts; 50 characters stay within the 64 octets that RFC 5321 section 4.5.3.1.1
allows.

    >>> keys = Keys([Key(1, bytes(32))])
    >>> text = mint(keys, Token(TokenKind.OPEN, UUID(int=7)))
    >>> read(keys, text).kind
    <TokenKind.OPEN: 1>
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from uuid import UUID

from resonanz.model import InvalidInput

VERSION = 1
TAG_BYTES = 12
KEY_BYTES = 32
MAX_TOKEN_CHARACTERS = 16_384
LINK_START = 18  # where index and destination begin in the signed bytes of a link's token
RETURN_PATH_PREFIX = "b+"
UNSUBSCRIBE_PREFIX = "u+"
REPLY_PREFIX = "r+"

_PERSON_INSIDE = b"resonanz.inside"
_PERSON = b"resonanz.token"  # BLAKE2b personalisation: a key shared by mistake with another use signs nothing here


class TokenKind(IntEnum):
    """What a token may be used for; a token of one kind is refused at every other door."""

    OPEN = 1
    CLICK = 2
    FILE = 3
    UNSUBSCRIBE = 4
    PREFERENCES = 5
    VIEW = 6
    RETURN_PATH = 7
    VISIT = 8
    REPLY = 9


_WITH_LINK = {TokenKind.CLICK, TokenKind.FILE, TokenKind.VISIT}


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says. `destination` is the author's URL, exactly; `link` its index in the mail (0-based).

    A visit's token names the link that was followed; in place of a URL it has the second of the click, in digits.
    """

    kind: TokenKind
    id: UUID
    anonymous: bool = False
    link: int | None = None
    destination: str = ""


class BadToken(InvalidInput):
    """Not one of our tokens: malformed, of another kind, or signed by nobody we know."""


@dataclass(frozen=True, slots=True)
class Key:
    """One signing key. `id` (0–255) travels in the token; `secret` never leaves this process."""

    id: int
    secret: bytes

    def __repr__(self) -> str:
        return f"Key(id={self.id}, secret=…)"

    def tag(self, message: bytes) -> bytes:
        """Return the 12-byte tag of `message`."""
        state = _keyed(self.secret).copy()
        state.update(message)
        return state.digest()


@lru_cache(maxsize=256)
def _keyed(secret: bytes) -> blake2b:
    """Return BLAKE2b after it has taken the key in, which is half of what a tag costs; it is copied, never changed."""
    return blake2b(digest_size=TAG_BYTES, key=secret, person=_PERSON)


class Keys:
    """The signing keys: the first signs, all verify, so that links outlive a rotation."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = tuple(keys)
        if not self._keys:
            raise InvalidInput("no signing key", where="keys", remedy="create one with `resonanz keys rotate`")
        self._by_id = {key.id: key for key in self._keys}
        self._states = {key.id: _keyed(key.secret) for key in self._keys}
        self._first_state = _keyed(self._keys[0].secret)
        if len(self._by_id) != len(self._keys):
            raise InvalidInput("two signing keys share an id", where="keys")

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    @property
    def signing(self) -> Key:
        """The key that signs new tokens."""
        return self._keys[0]

    def find(self, key_id: int) -> Key | None:
        """Return the key with this id, or None."""
        return self._by_id.get(key_id)

    def check(self, signed: bytes, tag: bytes) -> bool:
        """Tell whether `tag` is the tag of `signed` by the key that it names.

        The tag of an unknown key's message is made and compared all the same, with the first key: so it takes as long.
        """
        known = self._states.get(signed[1])
        state = (known or self._first_state).copy()
        state.update(signed)
        return hmac.compare_digest(state.digest(), tag) and known is not None

    def rotated(self) -> Keys:
        """Return the same keys with a fresh one in front. Raises InvalidInput when all 256 ids are taken."""
        free = next((number for number in range(1, 256) if number not in self._by_id), None)
        if free is None:
            raise InvalidInput("all key ids are taken", where="keys")
        return Keys((Key(free, secrets.token_bytes(KEY_BYTES)), *self._keys))


# ── Minting and reading ─────────────────────────────────────────────────────────────────────────────────────────────


def mint(keys: Keys, token: Token) -> str:
    """Return the signed text of `token`, for the path of a URL."""
    return base64.urlsafe_b64encode(_seal(keys.signing, token)).rstrip(b"=").decode("ascii")


def mint_return_path(keys: Keys, message: UUID) -> str:
    """Return the local part of the return path for `message`: 50 characters, lower case, safe to be folded."""
    return RETURN_PATH_PREFIX + _local_part(keys, TokenKind.RETURN_PATH, message)


def mint_unsubscribe_path(keys: Keys, message: UUID) -> str:
    """Return the local part of the address that unsubscribes the recipient of `message` when mail comes to it."""
    return UNSUBSCRIBE_PREFIX + _local_part(keys, TokenKind.UNSUBSCRIBE, message)


def mint_reply_path(keys: Keys, message: UUID) -> str:
    """Return the local part of the address that answers to `message` come to."""
    return REPLY_PREFIX + _local_part(keys, TokenKind.REPLY, message)


def _local_part(keys: Keys, kind: TokenKind, message: UUID) -> str:
    return base64.b32encode(_seal(keys.signing, Token(kind, message))).rstrip(b"=").decode("ascii").lower()


def read(keys: Keys, text: str) -> Token:
    """Verify the text of a token and return what it says. Raises BadToken; the message never repeats the input."""
    return _parse(verify(keys, text))


def verify(keys: Keys, text: str) -> bytes:
    """Verify the text of a token and return its signed bytes, for doors that have no time for more. Raises BadToken.

    The first byte equals `head(kind)`, or `head(kind, anonymous=True)`; `link_in` reads the rest of a link's token.
    """
    return _signed(keys, _decode(text))


def read_verified(text: str) -> Token:
    """Return what a token says that was verified before, by whoever stored it. Raises BadToken when it is damaged."""
    sealed = _decode(text)
    if len(sealed) < 2 + 16 + TAG_BYTES:
        raise BadToken("token too short", where="token")
    return _parse(sealed[:-TAG_BYTES])


def head(kind: TokenKind, *, anonymous: bool = False) -> int:
    """Return the first signed byte of tokens of this kind."""
    return VERSION << 5 | anonymous << 4 | kind


def link_in(signed: bytes, at: int = LINK_START) -> tuple[int, str]:
    """Return index and destination in the signed bytes of a link's token, where they begin `at`. Raises BadToken."""
    link, start = _read_varint(signed, at)
    return link, signed[start:].decode("utf-8", "surrogatepass")


def read_return_path(keys: Keys, local_part: str) -> UUID:
    """Verify a return path's local part, in whatever case it came back, and return the message's id."""
    return _read_local_part(keys, local_part, RETURN_PATH_PREFIX, TokenKind.RETURN_PATH)


def read_unsubscribe_path(keys: Keys, local_part: str) -> UUID:
    """Verify the local part of an address to unsubscribe by mail, and return the id of the message it stood in."""
    return _read_local_part(keys, local_part, UNSUBSCRIBE_PREFIX, TokenKind.UNSUBSCRIBE)


def read_reply_path(keys: Keys, local_part: str) -> UUID:
    """Verify the local part of an address for answers, and return the id of the message that they are to."""
    return _read_local_part(keys, local_part, REPLY_PREFIX, TokenKind.REPLY)


def _read_local_part(keys: Keys, local_part: str, prefix: str, kind: TokenKind) -> UUID:
    folded = local_part.lower()
    if not folded.startswith(prefix):
        raise BadToken("not an address of ours", where="local part")
    body = folded.removeprefix(prefix).upper()
    try:
        sealed = base64.b32decode(body + "=" * (-len(body) % 8))
    except (binascii.Error, ValueError):
        raise BadToken("not an address of ours", where="local part") from None
    token = _parse(_signed(keys, sealed))
    if token.kind is not kind:
        raise BadToken("a token of another kind", where="local part")
    return token.id


def sealed_prefix(key: Key, kind: TokenKind, id: UUID, *, anonymous: bool = False) -> bytes:
    """Return head, key id and id: the constant start of every token of one kind for one message."""
    return bytes((head(kind, anonymous=anonymous), key.id)) + id.bytes


def link_suffix(link: int, destination: str) -> bytes:
    """Return index and destination as they stand in a payload: the constant end of one link's token."""
    return _varint(link) + destination.encode("utf-8", "surrogatepass")


def _seal(key: Key, token: Token) -> bytes:
    signed = sealed_prefix(key, token.kind, token.id, anonymous=token.anonymous)
    if token.kind in _WITH_LINK:
        signed += link_suffix(token.link or 0, token.destination)
    return signed + key.tag(signed)


_PADDING = ("", "===", "==", "=")  # by the length's remainder; no base64 has length 1 modulo 4, and its decoder says so


def _decode(text: str) -> bytes:
    if len(text) > MAX_TOKEN_CHARACTERS:
        raise BadToken("token too long", where="token")
    try:
        standard = text.replace("-", "+").replace("_", "/")
        return binascii.a2b_base64(standard + _PADDING[len(text) & 3], strict_mode=True)
    except ValueError:
        raise BadToken("not a token", where="token") from None


def _signed(keys: Keys, sealed: bytes) -> bytes:
    if len(sealed) < 2 + 16 + TAG_BYTES:
        raise BadToken("token too short", where="token")
    signed = sealed[:-TAG_BYTES]
    if not keys.check(signed, sealed[-TAG_BYTES:]):
        raise BadToken("signature does not match", where="token")
    return signed


def _parse(signed: bytes) -> Token:
    first = signed[0]
    if first >> 5 != VERSION:
        raise BadToken("unknown token version", where="token")
    try:
        kind = TokenKind(first & 0x0F)
    except ValueError:
        raise BadToken("unknown token kind", where="token") from None
    id, anonymous = UUID(bytes=signed[2:18]), bool(first & 0x10)
    return Token(kind, id, anonymous, *link_in(signed)) if kind in _WITH_LINK else Token(kind, id, anonymous)


def _varint(number: int) -> bytes:
    """LEB128: seven bits a byte, lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varint(data: bytes, start: int) -> tuple[int, int]:
    number = shift = 0
    for position in range(start, min(start + 5, len(data))):
        number |= (data[position] & 0x7F) << shift
        if data[position] < 0x80:
            return number, position + 1
        shift += 7
    raise BadToken("link index damaged", where="token")


# ── Between our own processes ───────────────────────────────────────────────────────────────────────────────────────


def sign_inside(keys: Keys, path: str) -> str:
    """Return what an edge sends along when it asks the app for a path: that it knows a key, for this path only."""
    key = keys.signing
    return f"{key.id}.{_inside_tag(key, path)}"


def is_from_inside(keys: Keys, path: str, text: str) -> bool:
    """Return whether `text` is what `sign_inside` makes of this path."""
    number, _, tag = text.partition(".")
    key = keys.find(int(number)) if number.isascii() and number.isdigit() and len(number) <= 3 else None
    return key is not None and hmac.compare_digest(_inside_tag(key, path).encode(), tag.encode("utf-8", "replace"))


def _inside_tag(key: Key, path: str) -> str:
    return blake2b(path.encode("utf-8", "replace"), digest_size=32, key=key.secret, person=_PERSON_INSIDE).hexdigest()


# ── The key file ────────────────────────────────────────────────────────────────────────────────────────────────────


def load_keys(path: Path) -> Keys:
    """Read the key file. Raises InvalidInput naming the file when it is missing or damaged."""
    try:
        rows = json.loads(path.read_text("ascii"))["keys"]
        return Keys(Key(int(row["id"]), bytes.fromhex(row["secret"])) for row in rows)
    except FileNotFoundError:
        raise InvalidInput("no key file", where=str(path), remedy="run `resonanz setup`") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput("the key file is damaged", where=str(path), remedy="restore it from a backup") from error


def save_keys(path: Path, keys: Keys) -> None:
    """Write the key file for its owner only, in one step: a crash leaves the old file or the new one, never half.

    When it returns, a power cut leaves the new one: a link signed with a key that is gone would lead nowhere for ever.
    """
    rows = [{"id": key.id, "secret": key.secret.hex()} for key in keys]
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump({"keys": rows}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def create_keys(path: Path) -> Keys:
    """Return the keys in `path`, creating the file with one fresh key when there is none."""
    if not path.exists():
        save_keys(path, Keys([Key(1, secrets.token_bytes(KEY_BYTES))]))
    return load_keys(path)
