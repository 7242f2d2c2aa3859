"""Charsets of mail: which one a part is in, and a view of its bytes in which markup can be found.

Markup is ASCII in every charset mail uses, but not every 0x3C byte is a `<`: UTF-16 has two bytes to a character and
ISO-2022-JP shifts into two-byte sets. `Text` hides those bytes behind a mask of the same length (one byte of mask for
`unit` bytes of text), so that a tokenizer over the mask finds markup only where there is some, and an offset in the
mask is an offset in the bytes.

Labels follow the WHATWG Encoding Standard where mail clients do (Latin-1 and ASCII mean Windows-1252).
"""

from __future__ import annotations

import codecs
import re
from array import array
from dataclasses import dataclass
from functools import lru_cache

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_META = re.compile(rb"""<meta[^>]{0,400}?charset[\t-\r ]*=[\t-\r ]*["']?([^"'\t-\r ;/>]{1,40})""", re.IGNORECASE)
_META_WINDOW = 4096
_SAME_AS_WINDOWS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "ks_c-5601-1987": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
}
_SHIFTING = re.compile(r"iso2022_|hz$")
_TWO_BYTES = {"utf-16", "utf-16-le", "utf-16-be"}
# Charsets whose ASCII bytes are not ASCII characters, or that hide markup in ASCII letters: nothing is touched there.
_FOREIGN = re.compile(r"utf-32|utf-7|cp037|cp1026|cp1140|cp273|cp424|cp500|cp875|cp864|utf_7|utf_32")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # what UTF-7 and the like can spell and no database, page or log can hold
# An escape into a set of two-byte characters (or kana), up to the escape that leads back to ASCII or JIS Roman.
_SHIFTED = re.compile(rb"\x1b(?:\$[@AB]|\$\([A-Z@]|\(I|\$\)[A-Z])(?:[^\x1b]|\x1b(?!\([BJH]))*+")
_SHIFTED_SO = re.compile(rb"\x0e[^\x0f\r\n]*+")
_SHIFTED_HZ = re.compile(rb"~\{(?:[^~\n]|~(?!\}))*+")


class UnusableCharset(Exception):
    """The part is in a charset in which markup cannot be found safely."""


@dataclass(frozen=True, slots=True)
class Text:
    """A part's decoded bytes with their charset. `mask` has one byte for every `unit` bytes from `skip` on."""

    data: bytes
    charset: str
    mask: bytes
    unit: int = 1
    skip: int = 0
    is_guess: bool = False  # neither mark nor declaration: a reader's program will guess, too

    def offset(self, position: int) -> int:
        """Turn a position in the mask into an offset in the bytes."""
        return self.skip + position * self.unit

    def read(self, start: int, end: int) -> str | None:
        """Decode the characters between two positions of the mask; None when the bytes are not valid there."""
        try:
            return decode_strictly(self.data[self.offset(start) : self.offset(end)], self.charset)
        except (UnicodeError, ValueError):
            return None

    def read_leniently(self, start: int, end: int) -> str:
        """Decode the characters between two positions, bad bytes replaced."""
        return self.data[self.offset(start) : self.offset(end)].decode(self.charset, "replace")

    def write(self, text: str) -> bytes:
        """Encode text for this part; a character the charset does not have becomes a question mark."""
        return text.encode("ascii" if self.unit == 1 and text.isascii() else self.charset, "replace")


def decode_strictly(data: bytes, charset: str) -> str:
    """Decode bytes; Windows charsets map their holes to C1 controls as browsers do. Raises UnicodeError."""
    if data.isascii() and charset not in _TWO_BYTES and not _SHIFTING.match(charset):
        return data.decode("ascii")
    if charset.startswith("cp125"):
        return data.decode(charset, "resonanz.c1")
    return data.decode(charset)


def decode_leniently(data: bytes, label: str) -> str:
    """Decode bytes of a header or a report: by the label if it is known, else UTF-8 if valid, else Windows-1252.

    NUL and halves of surrogate pairs come out as U+FFFD, like bytes that are not valid.
    """
    if not label and data.isascii() and b"\0" not in data:
        return data.decode("ascii")
    name = codec_name(label)
    if name is None:
        name = "utf-8" if is_valid(data, "utf-8") else "cp1252"
    return _UNSTORABLE.sub("\ufffd", data.decode(name, "replace"))


def is_valid(data: bytes, charset: str) -> bool:
    """Tell whether the bytes are valid in a charset."""
    try:
        data.decode(charset)
    except UnicodeError:
        return False
    return True


@lru_cache(maxsize=512)
def codec_name(label: str | None) -> str | None:
    """Return Python's codec for a charset label as mail writes it; None when nobody knows the label."""
    if not label or len(label) > 60:
        return None
    cleaned = label.strip().strip("\"'").strip().lower()
    try:
        info = codecs.lookup(cleaned)
        if not info._is_text_encoding:  # rot13, hex, zip: no charsets
            return None
        name = info.name
    except (LookupError, ValueError):
        return None
    if name in ("utf-8-sig", "idna", "punycode", "undefined", "mbcs", "oem", "unicode-escape", "raw-unicode-escape"):
        return "utf-8" if name == "utf-8-sig" else None
    return _SAME_AS_WINDOWS.get(name, name)


def open_text(data: bytes, declared: str | None, *, markup: bool = True) -> Text:
    """Find a part's charset and mask its bytes. Raises UnusableCharset.

    The order is a browser's (WHATWG HTML section 13.2.3): byte order mark, declared charset, `<meta>`, and at the end
    UTF-8 when the bytes are valid UTF-8, else Windows-1252. A declared UTF-16 whose bytes are none is not believed.
    """
    for bom, name in _BOMS:
        if data.startswith(bom):
            return _mask(data, name, skip=len(bom))
    known = _declared_charset(data, declared, markup)
    if known is not None:
        return _mask(data, known)
    return Text(data, "utf-8" if is_valid(data, "utf-8") else "cp1252", data, is_guess=True)


def _declared_charset(data: bytes, declared: str | None, markup: bool) -> str | None:
    name = codec_name(declared)
    if name is not None and name.startswith("utf-16"):
        name = _utf16_order(data, name)
    if name is None and markup:
        found = _META.search(data, 0, _META_WINDOW)
        name = codec_name(found.group(1).decode("latin-1")) if found else None
        if name is not None and name.startswith("utf-16"):
            name = "utf-8"
    return name


def _utf16_order(data: bytes, name: str) -> str | None:
    """Return which byte order makes sense of the bytes, or None when they are no UTF-16 at all."""
    sample = data[:4000]
    low_first, high_first = sample[1::2].count(0), sample[0::2].count(0)
    if max(low_first, high_first) * 8 < len(sample) // 2:
        return None if sample.isascii() or b"\x00" not in sample else name.replace("utf-16", "utf-16-le", 1)[:9]
    return "utf-16-le" if low_first >= high_first else "utf-16-be"


def _mask(data: bytes, name: str, *, skip: int = 0) -> Text:
    if _FOREIGN.match(name):
        raise UnusableCharset(name)
    if name in _TWO_BYTES:
        if (len(data) - skip) % 2:
            raise UnusableCharset(f"{name} with half a character")
        units = array("H", data[skip:])
        if (array("H", b"\x01\x00")[0] == 1) != (name == "utf-16-le"):
            units.byteswap()
        return Text(data, name, bytes(unit if unit < 0x80 else 0xFF for unit in units), unit=2, skip=skip)
    if _SHIFTING.match(name):
        mask = _SHIFTED_HZ.sub(_hide, data) if name == "hz" else _SHIFTED_SO.sub(_hide, _SHIFTED.sub(_hide, data))
        return Text(data, name, mask)
    return Text(data, name, data[skip:] if skip else data, skip=skip)


def _hide(match: re.Match[bytes]) -> bytes:
    return b"\xff" * len(match.group())


def _c1_for_holes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("resonanz.c1", _c1_for_holes)
