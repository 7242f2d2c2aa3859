"""Text a person reads out of HTML: what a link says, and the text alternative of a mail that has none."""

from __future__ import annotations

import html
import re

from resonanz.mail.markup import Tag, attributes, tags
from resonanz.mail.references import resolve_references

_BLOCKS = {b"address", b"article", b"blockquote", b"center", b"dd", b"div", b"dl", b"dt", b"footer", b"form", b"header",
           b"main", b"section", b"table", b"tr", b"tbody"}  # fmt: skip
_PARAGRAPHS = {b"p", b"h1", b"h2", b"h3", b"h4", b"h5", b"h6", b"ul", b"ol", b"pre"}
_SPACED = _BLOCKS | _PARAGRAPHS | {b"br", b"td", b"li"}
_HIDDEN = {b"template", b"select"}  # what stands inside is no text of the mail
_WEB = re.compile(r"https?://|mailto:|\{\{|\*\|", re.IGNORECASE)


def text_of(markup: str) -> str:
    """Return the text between tags on one line; an image counts as its alternative text."""
    if "<" not in markup:
        return " ".join(html.unescape(markup).split())
    mask = _mask(markup)
    pieces = []
    for piece in tags(mask):
        if not isinstance(piece, Tag):
            pieces.append(_read(mask, piece))
        elif piece.name == b"img":
            pieces.append(html.escape(_attribute(mask, piece, b"alt")))
        elif piece.name in _SPACED:
            pieces.append(" ")
    return " ".join(html.unescape("".join(pieces)).split())


def text_from_html(markup: str) -> str:
    """Return a readable text version of an HTML mail: paragraphs, lists, and links with their addresses."""
    return _Writer(_mask(markup)).write()


def _mask(markup: str) -> bytes:
    return markup.encode("utf-8", "surrogatepass")


def _read(mask: bytes, span: tuple[int, int]) -> str:
    return mask[span[0] : span[1]].decode("utf-8", "surrogatepass")


def _attribute(mask: bytes, tag: Tag, name: bytes) -> str:
    span = attributes(mask, *tag.attributes).get(name)
    return resolve_references(_read(mask, span)) if span else ""


class _Writer:
    """Collects lines while the tags go by."""

    def __init__(self, mask: bytes) -> None:
        self.mask = mask
        self.hidden = 0  # how many elements are open whose text is not shown
        self.lines: list[str] = [""]
        self.numbers: list[int | None] = []
        self.links: list[tuple[str, int, int]] = []
        self.is_preformatted = False

    def write(self) -> str:
        for piece in tags(self.mask):
            if isinstance(piece, Tag) and piece.name in _HIDDEN:
                self.hidden = max(self.hidden - 1, 0) if piece.is_end else self.hidden + 1
            elif self.hidden:
                continue
            elif isinstance(piece, Tag):
                self._tag(piece, piece.name, piece.is_end)
            else:
                self._text(html.unescape(_read(self.mask, piece)))
        return self._joined()

    def _text(self, text: str) -> None:
        if self.is_preformatted:
            first, *rest = text.split("\n")
            self.lines[-1] += first
            self.lines += rest
            return
        collapsed = re.sub(r"[\s\u00ad\u034f\u200b-\u200d\u2060\ufeff]+", " ", text)
        if not self.lines[-1] or self.lines[-1].endswith(" "):
            collapsed = collapsed.lstrip(" ")
        self.lines[-1] += collapsed

    def _tag(self, tag: Tag, name: bytes, is_end: bool) -> None:
        if name in _PARAGRAPHS:
            self._paragraph()
            self._list(name, is_end)
            self.is_preformatted = name == b"pre" and not is_end
        elif name == b"br":
            self.lines.append("")
        elif name in _BLOCKS:
            self._break()
        elif name == b"li" and not is_end:
            self._break()
            self.lines[-1] = self._bullet()
        elif name in (b"td", b"th") and is_end:
            self._text(" ")
        elif name == b"hr":
            self._break()
            self.lines += ["-" * 24, ""]
        elif name == b"img":
            self._text(_attribute(self.mask, tag, b"alt"))
        elif name == b"a":
            self._link(tag)

    def _link(self, tag: Tag) -> None:
        if not tag.is_end:
            self.links.append((_attribute(self.mask, tag, b"href").strip(), len(self.lines) - 1, len(self.lines[-1])))
        elif self.links:
            address, line, column = self.links.pop()
            said = "\n".join((self.lines[line][column:], *self.lines[line + 1 :])).strip()
            if _WEB.match(address) and said and address.removeprefix("mailto:") != said:
                self.lines[-1] = self.lines[-1].rstrip() + f" ({address.removeprefix('mailto:')})"
            elif _WEB.match(address) and not said:
                self._text(address)

    def _list(self, name: bytes, is_end: bool) -> None:
        if name in (b"ul", b"ol"):
            if is_end and self.numbers:
                self.numbers.pop()
            elif not is_end:
                self.numbers.append(1 if name == b"ol" else None)

    def _bullet(self) -> str:
        if not self.numbers or self.numbers[-1] is None:
            return "- "
        number = self.numbers[-1]
        self.numbers[-1] = number + 1
        return f"{number}. "

    def _break(self) -> None:
        if self.lines[-1].strip():
            self.lines.append("")

    def _paragraph(self) -> None:
        self._break()
        if len(self.lines) > 1 and self.lines[-2].strip():
            self.lines.append("")

    def _joined(self) -> str:
        text = "\n".join(line.rstrip() for line in self.lines)
        return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
