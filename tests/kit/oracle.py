"""Independent readers to hold the letter against: html5lib for HTML, the standard library for MIME."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message

import html5lib
from html5lib._tokenizer import HTMLTokenizer
from html5lib.constants import tokenTypes

_WHITE = " \t\n\f\r"


class _WatchedTokenizer(HTMLTokenizer):
    """Notes every start tag and comment on its way to the tree builder."""

    def __iter__(self) -> Iterator[dict]:
        for token in super().__iter__():
            if token["type"] in (tokenTypes["StartTag"], tokenTypes["EmptyTag"]):
                self.parser.start_tags.append((token["name"], dict(token["data"])))
            elif token["type"] == tokenTypes["Comment"]:
                self.parser.comments.append(token["data"])
            yield token


class _Watching(html5lib.HTMLParser):
    """A parser that remembers what its tokenizer emitted while the tree builder drove it."""

    def __init__(self) -> None:
        super().__init__()
        self.start_tags: list[tuple[str, dict[str, str]]] = []
        self.comments: list[str] = []

    def mainLoop(self) -> None:  # noqa: N802  # html5lib's own name
        self.tokenizer.__class__ = _WatchedTokenizer
        super().mainLoop()


def hrefs(html: str) -> list[str]:
    """Return the href of every `<a>` and `<area>` of a document, MSO comments included, in no particular order."""
    parser = _Watching()
    parser.parse(html)
    found = [values["href"] for name, values in parser.start_tags if name in ("a", "area") and "href" in values]
    for comment in parser.comments:
        if comment.lstrip(_WHITE).lower().startswith("[if") and "]>" in comment:
            inner = _Watching()
            inner.parse(comment.partition("]>")[2])
            found += [values["href"] for _, values in inner.start_tags if "href" in values]
    return found


def is_web(href: str) -> bool:
    """Whether an address begins with http:// or https:// once white space around it is gone."""
    return href.strip(_WHITE).lower().startswith(("http://", "https://"))


def decoded_leaves(message: bytes) -> list[tuple[str, bytes]]:
    """Return type and transfer-decoded bytes of every leaf, as the standard library reads them."""
    leaves: list[tuple[str, bytes]] = []
    pending: list[Message] = [message_from_bytes(message)]
    while pending:
        part = pending.pop(0)
        if part.is_multipart():
            pending = [*part.get_payload(), *pending]
        else:
            _clean_encoding(part)
            leaves.append((part.get_content_type(), part.get_payload(decode=True) or b""))
    return leaves


def _clean_encoding(part: Message) -> None:
    """Take quotes and semicolons off a transfer encoding, as mail programs do and the standard library does not."""
    written = str(part.get("Content-Transfer-Encoding", ""))
    if written.strip("\"'; ") != written:
        part.replace_header("Content-Transfer-Encoding", written.strip("\"'; "))
