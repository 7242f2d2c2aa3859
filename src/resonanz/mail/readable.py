"""Text a person reads out of HTML: what a link says, and the text alternative of a mail that has none."""

from __future__ import annotations

import html
import re

from resonanz.mail.markup import attributes
from resonanz.mail.references import resolve_references

_TAG_OR_TEXT = re.compile(
    r"""<!--(?:-?>|.*?(?:-->|\Z))|<(/?)([A-Za-z][^\s/>]*)((?:"[^"]*"|'[^']*'|[^"'>])*+)>|<[!?/][^>]*+>?|[^<]+|<""",
    re.DOTALL,
)
_HIDDEN = re.compile(r"(?is)<(style|script|title|head|template|select|textarea)\b.*?(?:</\1\s*>|\Z)")
_CONDITIONAL = re.compile(r"(?is)<!--\s*\[if\b.*?(?:-->|\Z)")
_BLOCKS = {"address", "article", "blockquote", "center", "dd", "div", "dl", "dt", "footer", "form", "header", "main",
           "section", "table", "tr", "tbody"}  # fmt: skip
_PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre"}
_WEB = re.compile(r"https?://|mailto:|\{\{|\*\|", re.IGNORECASE)


def text_of(markup: str) -> str:
    """Return the text between tags on one line; an image counts as its alternative text."""
    if "<" not in markup:
        return " ".join(html.unescape(markup).split())
    pieces = []
    for match in _TAG_OR_TEXT.finditer(markup):
        if match.group(2) is None:
            pieces.append("" if match.group().startswith("<") and len(match.group()) > 1 else match.group())
        elif match.group(2).lower() == "img":
            pieces.append(_attribute(match.group(3), "alt"))
        elif match.group(2).lower() in _BLOCKS | _PARAGRAPHS | {"br", "td", "li"}:
            pieces.append(" ")
    return " ".join(html.unescape("".join(pieces)).split())


def text_from_html(markup: str) -> str:
    """Return a readable text version of an HTML mail: paragraphs, lists, and links with their addresses."""
    return _Writer().write(_HIDDEN.sub(" ", _CONDITIONAL.sub("", markup)))


def _attribute(text: str, name: str) -> str:
    raw = text.encode("utf-8", "replace")
    span = attributes(raw, 0, len(raw)).get(name.encode("ascii"))
    return resolve_references(raw[span[0] : span[1]].decode("utf-8", "replace")) if span else ""


class _Writer:
    """Collects lines while the tags go by."""

    def __init__(self) -> None:
        self.lines: list[str] = [""]
        self.numbers: list[int | None] = []
        self.links: list[tuple[str, int, int]] = []
        self.is_preformatted = False

    def write(self, markup: str) -> str:
        for match in _TAG_OR_TEXT.finditer(markup):
            if match.group(2) is not None:
                self._tag(match.group(2).lower(), bool(match.group(1)), match.group(3))
            elif not match.group().startswith("<") or match.group() == "<":
                self._text(html.unescape(match.group()))
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

    def _tag(self, name: str, is_end: bool, attribute_text: str) -> None:
        if name in _PARAGRAPHS:
            self._paragraph()
            self._list(name, is_end)
            self.is_preformatted = name == "pre" and not is_end
        elif name == "br":
            self.lines.append("")
        elif name in _BLOCKS:
            self._break()
        elif name == "li" and not is_end:
            self._break()
            self.lines[-1] = self._bullet()
        elif name in ("td", "th") and is_end:
            self._text(" ")
        elif name == "hr":
            self._break()
            self.lines += ["-" * 24, ""]
        elif name == "img":
            self._text(_attribute(attribute_text, "alt"))
        elif name == "a":
            self._link(is_end, attribute_text)

    def _link(self, is_end: bool, attribute_text: str) -> None:
        if not is_end:
            self.links.append((_attribute(attribute_text, "href").strip(), len(self.lines) - 1, len(self.lines[-1])))
        elif self.links:
            address, line, column = self.links.pop()
            said = "\n".join((self.lines[line][column:], *self.lines[line + 1 :])).strip()
            if _WEB.match(address) and said and address.removeprefix("mailto:") != said:
                self.lines[-1] = self.lines[-1].rstrip() + f" ({address.removeprefix('mailto:')})"
            elif _WEB.match(address) and not said:
                self._text(address)

    def _list(self, name: str, is_end: bool) -> None:
        if name in ("ul", "ol"):
            if is_end and self.numbers:
                self.numbers.pop()
            elif not is_end:
                self.numbers.append(1 if name == "ol" else None)

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
