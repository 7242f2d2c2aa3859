"""Attachments as tracked documents: taken out of the mail, replaced by links.

Nobody can tell whether a real attachment was opened: it is on the reader's own disk. A link to it can be counted.
Chosen attachments leave the message whole, delimiter line included; the caller stores their content under
`Document.key` and serves it at the file route.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import quote

from resonanz.mail.references import escape
from resonanz.mail.structure import Part, Structure
from resonanz.mail.transfer import DamagedEncoding, Splice, open_body

MAX_NAME = 120
_LONGEST_ENDING = 10  # of a name, with its dot: more is no kind of file


@dataclass(frozen=True, slots=True)
class Document:
    """One attachment that was taken out. `key` names its content (BLAKE2b, hexadecimal): equal content, equal key.

    `index` is its place among what can be followed in this mail: documents are counted on behind the links.
    """

    index: int
    key: str
    name: str
    type: str
    content: bytes
    url: str


def choose(structure: Structure, wanted: Callable[[Part], bool]) -> list[tuple[Part, bytes]]:
    """Return the attachments to take out, decoded: parts of a multipart/mixed that readers see as attachments."""
    chosen: list[tuple[Part, bytes]] = []
    for part in structure.leaves:
        if part.parent is None or part.parent.type != "multipart/mixed" or part.type.startswith("message/"):
            continue
        if part.disposition != "attachment" or not wanted(part):
            continue
        if part.end == len(structure.message):
            continue  # no delimiter ends it: without it, whatever stands before would have no end either
        try:
            chosen.append((part, open_body(structure.body(part), part.encoding, structure.eol).decoded))
        except DamagedEncoding:
            continue  # what cannot be read cannot be served: it stays attached
    return chosen


def document(index: int, number: int, part: Part, content: bytes, url_of: Callable[[int, str, str], str]) -> Document:
    """Describe one attachment, the `number`-th (from 1); `url_of` makes its URL of index, key and percent-encoded
    name."""
    key = blake2b(content, digest_size=32).hexdigest()
    name = safe_name(part.filename) or f"document-{number}"
    return Document(index, key, name, part.type, content, url_of(index, key, quote(name, safe="")))


def safe_name(name: str) -> str:
    """Return a file name without folders, controls or anything a header or a path could take amiss."""
    last = name.replace("\\", "/").rpartition("/")[2]
    cleaned = "".join(character for character in last if character.isprintable() and character not in '"<>:|?*')
    return _shortened(cleaned.strip(". ")).strip(". ")


def _shortened(name: str) -> str:
    """Return a name within its length, with its ending: without it nobody's program knows what to do with the file."""
    stem, dot, ending = name.rpartition(".")
    if len(name) <= MAX_NAME or not dot or len(dot + ending) > _LONGEST_ENDING:
        return name[:MAX_NAME]
    return stem[: MAX_NAME - len(dot + ending)] + dot + ending


def removal(structure: Structure, part: Part) -> Splice:
    """Return the splice that takes a part out, from its delimiter line to the next."""
    message, newline = structure.message, structure.eol[-1:]
    start = message.rfind(newline, 0, max(part.start - 1, 0)) + 1
    following = message.find(newline, part.end)
    end = part.end if following < 0 else following + 1
    if part.end == part.body_start and message.startswith(b"--", part.end):
        end = part.end  # nothing between header and delimiter: its line begins right here, not behind a line ending
    return Splice(start, end, message[start:end], b"")


def html_block(documents: Sequence[Document]) -> str:
    """Return the links as HTML, in ASCII."""
    rows = "".join(
        f'<p style="margin:0 0 8px"><a href="{found.url}">{_ascii(found.name)}</a> ({size(len(found.content))})</p>'
        for found in documents
    )
    return f'<div style="margin:16px 0;padding:12px;border:1px solid #cccccc;font-family:sans-serif">{rows}</div>'


def text_block(documents: Sequence[Document], eol: str) -> str:
    """Return the links as text."""
    rows = [f"{found.name} ({size(len(found.content))}):{eol}{found.url}{eol}" for found in documents]
    return eol * 2 + eol.join(rows)


def size(octets: int) -> str:
    """Return a size for people."""
    if octets < 1024:
        return f"{octets} B"
    if octets < 1024 * 1024:
        return f"{round(octets / 1024)} KB"
    return f"{octets / 1024 / 1024:.1f} MB"


def _ascii(text: str) -> str:
    return escape(text).encode("ascii", "xmlcharrefreplace").decode("ascii")
