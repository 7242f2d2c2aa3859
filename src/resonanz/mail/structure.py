"""The structure of a message, as byte ranges: headers, boundaries, leaf parts (RFC 5322, RFC 2046).

One pass over the delimiter lines, linear in the size of the message, and nothing is decoded: a part knows where it
lies, so that whoever changes one changes nothing else. Hostile or torn input never raises; what could be read in two
ways is marked `ambiguous`, and nobody should touch such a mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from resonanz.mail.headers import Block, Header, read_block, read_parameters

MAX_DEPTH = 30
MAX_PARTS = 2_000
IDENTITY = frozenset({"7bit", "8bit", "binary"})

_ENCODING_NAMES = {"": "7bit", "7-bit": "7bit", "8-bit": "8bit", "7bits": "7bit", "8bits": "8bit"}
_NOT_IN_A_NAME = "\"'`;:.,<>[]() \t"
_MEDIA_TYPE = re.compile(r"[!#$&^_.+\-*'`~%|A-Za-z0-9]+/[!#$&^_.+\-*'`~%|A-Za-z0-9]+")


@dataclass(slots=True)
class Part:
    """One part. `start` is where its headers begin, `body_start` and `end` frame its body, without the line ending
    that belongs to the delimiter after it. `path` is its IMAP section number (RFC 9051 section 6.4.5.1)."""

    path: str
    block: Block
    start: int
    end: int
    type: str = "text/plain"
    parameters: dict[str, str] = field(default_factory=dict)
    encoding: str = "7bit"
    disposition: str = ""
    filename: str = ""
    ambiguous: bool = False
    parent: Part | None = None
    children: list[Part] = field(default_factory=list)

    @property
    def body_start(self) -> int:
        """Where the body begins."""
        return self.block.body_start

    @property
    def charset(self) -> str | None:
        """The declared charset, as written; None when there is none."""
        return self.parameters.get("charset") or None

    @property
    def is_multipart(self) -> bool:
        """Whether this part holds others."""
        return self.type.startswith("multipart/")

    def ancestors(self) -> Iterator[Part]:
        """Yield the parts around this one, the nearest first."""
        part = self.parent
        while part is not None:
            yield part
            part = part.parent


@dataclass(frozen=True, slots=True)
class Structure:
    """A message taken apart. `leaves` are the parts that hold content, in order."""

    message: bytes
    root: Part
    leaves: tuple[Part, ...]
    ambiguous: bool
    eol: bytes
    is_document: bool = False  # one document without a message around it

    @property
    def headers(self) -> tuple[Header, ...]:
        """The message's own header fields, in order."""
        return self.root.block.fields

    def header(self, name: str) -> str | None:
        """Return the first field of this name, decoded; None when there is none."""
        found = self.root.block.first(name)
        return None if found is None else found.decoded

    def header_all(self, name: str) -> list[str]:
        """Return every field of this name, decoded, in order."""
        return [found.decoded for found in self.root.block.all(name)]

    def header_texts(self, name: str) -> list[str]:
        """Return every field of this name, in order, its encoded words as they stand. Addresses are read from these:
        a comma that an encoded word holds separates nothing (RFC 2047 section 5)."""
        return [found.text for found in self.root.block.all(name)]

    def body(self, part: Part) -> bytes:
        """Return a part's body as it stands, still in its transfer encoding."""
        return self.message[part.body_start : part.end]

    def walk(self) -> Iterator[Part]:
        """Yield every part, a parent before its children."""
        pending = [self.root]
        while pending:
            part = pending.pop()
            yield part
            pending.extend(reversed(part.children))


def parse(message: bytes) -> Structure:
    """Take a message apart. Never raises."""
    return _Parser(message).run()


class _Parser:
    """The state of one pass: which multiparts are open, by their delimiters, and which leaf is being passed."""

    def __init__(self, message: bytes) -> None:
        self.message = message
        self.eol = b"\n" if b"\n" in message or b"\r" not in message else b"\r"
        self.open: list[tuple[bytes, Part]] = []
        self.leaf: Part | None = None
        self.leaves: list[Part] = []
        self.ambiguous = False
        self.count = 0

    def run(self) -> Structure:
        root = self._begin(0, None, "")
        position = max(root.body_start - len(self.eol), 0)
        while self.open and self.count < MAX_PARTS:
            found = self.message.find(self.eol + b"--", position)
            if found < 0:
                break
            position = self._pass_delimiter(found + len(self.eol))
        if self.count >= MAX_PARTS:
            self.ambiguous = True
        eol = b"\r\n" if self.eol == b"\n" and b"\r\n" in self.message else self.eol
        return Structure(self.message, root, tuple(self.leaves), self.ambiguous, eol)

    def _pass_delimiter(self, start: int) -> int:
        """Act on the line at `start`, which begins with two dashes; return where to go on."""
        found = self.message.find(self.eol, start)
        end = len(self.message) if found < 0 else found
        depth, closes = self._meaning(self.message[start:end])
        if depth is None:
            return end
        self._close_down_to(depth, self._before_line_ending(start))
        multipart = self.open[depth][1]
        if closes:
            self.open.pop()
            return end
        begin = min(end + len(self.eol), len(self.message))
        number = str(len(multipart.children) + 1)
        path = number if multipart.parent is None else f"{multipart.path}.{number}"
        return max(self._begin(begin, multipart, path).body_start - len(self.eol), end)

    def _begin(self, start: int, parent: Part | None, path: str) -> Part:
        """Read a part's headers and make it the open leaf, or push it as an open multipart."""
        self.count += 1
        block = read_block(self.message, start, len(self.message), self.eol, self._is_delimiter)
        part = Part(path, block, start, len(self.message), parent=parent)
        _describe(part)
        if parent is not None:
            parent.children.append(part)
        boundary = part.parameters.get("boundary", "").rstrip()
        self.leaf = None
        if not part.is_multipart:
            part.path = path or "1"
            self.leaf = part
            self.leaves.append(part)
        elif not boundary or len(self.open) >= MAX_DEPTH or boundary.encode("utf-8", "replace") in self._boundaries():
            part.ambiguous = True
        else:
            self.open.append((boundary.encode("utf-8", "replace"), part))
        self.ambiguous = self.ambiguous or part.ambiguous
        return part

    def _boundaries(self) -> list[bytes]:
        return [boundary for boundary, _ in self.open]

    def _is_delimiter(self, line: bytes) -> bool:
        return self._meaning(line)[0] is not None

    def _meaning(self, line: bytes) -> tuple[int | None, bool]:
        """Return which open multipart a line delimits, and whether it closes it. The innermost is asked first."""
        text = line[2:].rstrip(b" \t\r")
        for depth in range(len(self.open) - 1, -1, -1):
            boundary = self.open[depth][0]
            if text == boundary:
                return depth, False
            if text == boundary + b"--":
                return depth, True
        if any(text.startswith(boundary) for boundary, _ in self.open):
            self.ambiguous = True  # some programs go by the beginning of the line alone
        return None, False

    def _close_down_to(self, depth: int, end: int) -> None:
        if self.leaf is not None:
            self.leaf.end = max(end, self.leaf.body_start)
            self.leaf = None
        while len(self.open) > depth + 1:
            inner = self.open.pop()[1]
            inner.end = max(end, inner.body_start)
        current = self.open[depth][1]
        current.end = max(end, current.body_start)

    def _before_line_ending(self, start: int) -> int:
        if self.message.endswith(b"\r\n", 0, start):
            return start - 2
        return start - 1


def _describe(part: Part) -> None:
    """Fill in what a part's headers say about it."""
    block = part.block
    declared = block.first("Content-Type")
    if declared is not None:
        part.type, part.parameters, part.ambiguous = read_parameters(declared.text)
        part.type = "".join(part.type.split())
        if not _MEDIA_TYPE.fullmatch(part.type):
            part.type = "text/plain" if not part.type else part.type
    elif part.parent is not None and part.parent.type == "multipart/digest":
        part.type = "message/rfc822"
    encoding = block.first("Content-Transfer-Encoding")
    part.encoding = read_encoding(encoding.text if encoding else "")
    disposition = block.first("Content-Disposition")
    if disposition is not None:
        part.disposition, parameters, _ = read_parameters(disposition.text)
        part.filename = parameters.get("filename", "")
    part.filename = part.filename or part.parameters.get("name", "")
    contradicts = any(_contradict(block.all(name)) for name in ("Content-Type", "Content-Transfer-Encoding"))
    part.ambiguous = part.ambiguous or contradicts or (block.has_junk and declared is not None)


def _contradict(fields: list[Header]) -> bool:
    return len(fields) > 1 and len({" ".join(found.text.lower().split()) for found in fields}) > 1


def read_encoding(text: str) -> str:
    """Return a transfer encoding by its right name: case, quotes, comments and trailing punctuation do not matter."""
    name = read_parameters(text)[0].strip(_NOT_IN_A_NAME)
    return _ENCODING_NAMES.get(name, name)
