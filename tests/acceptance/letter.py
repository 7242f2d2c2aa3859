"""Every link rewritten or listed with a reason; undoing exact; signed mail unchanged; judged by independent readers."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from resonanz.mail import Instrumented, LinkReason, PartReport, Reason, instrument, instrument_html, parse, undo
from tests.acceptance.findings import Findings
from tests.kit.letters import tracking
from tests.kit.oracle import decoded_leaves, hrefs, is_web

_PROTECTED = re.compile(
    rb"^(?:dkim-signature:|content-type:\s*(?:multipart/(?:signed|encrypted)|application/(?:x-)?pkcs7))",
    re.IGNORECASE | re.MULTILINE,
)

Leaf = tuple[str, bytes]


def run(corpus: Path, findings: Findings) -> None:
    """Check html/ and eml/ of a corpus."""
    counted = {row["file"]: row for row in _rows(corpus / "html" / "links.csv")}
    for file in sorted((corpus / "html").glob("*.html")):
        _check_html(file, counted.get(file.name), findings)
    for file in sorted((corpus / "eml").glob("*.eml")):
        _check_mail(file, findings)


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# ── Documents ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_html(file: Path, row: dict[str, str] | None, findings: Findings) -> None:
    data = file.read_bytes()
    result = instrument_html(data, tracking())
    findings.check(result.reason is None, "documents instrumented", file.name, str(result.reason))
    findings.check(undo(result.message, result.splices) == data, "documents undone exactly", file.name)
    if not result.parts:
        return
    part = result.parts[0]
    _count(result, findings)
    _check_values_put_back(data, result, part, file.name, findings)
    _check_reasons(part, file.name, findings)
    codec = part.charset
    expected = sorted(href for href in hrefs(data.decode(codec, "replace")) if is_web(href))
    after = hrefs(result.message.decode(codec, "replace"))
    for link in part.links:
        findings.check(link.replacement in after, "links found again", file.name, link.url)
    seen = len([link for link in part.links if is_web(link.original)])
    seen += len([left for left in part.untracked if is_web(left.href)])
    told = f"{seen}/{len(expected)}"
    findings.check(seen == len(expected), "documents with every link accounted for", file.name, told)
    if row is not None:
        promised = sum(int(row[name]) for name in ("a_http", "area_http", "mso_links"))
        told = f"{seen}/{promised}"
        findings.check(seen == promised, "documents with as many links as links.csv says", file.name, told)


def _check_values_put_back(data: bytes, result: Instrumented, part: PartReport, name: str, findings: Findings) -> None:
    """Put originals for replacements, one after the other, and take the pixel out: the decoded input comes back."""
    text = result.message.decode(part.charset, "surrogateescape" if part.charset == "utf-8" else "strict")
    position, pieces = 0, []
    for link in part.links:
        found = text.find(link.replacement, position)
        if found < 0:
            findings.check(False, "replacements in order", name, link.replacement[:80])
            return
        pieces += [text[position:found], link.original]
        position = found + len(link.replacement)
    restored = "".join((*pieces, text[position:])).replace(part.pixel or "\0", "", 1)
    before = data.decode(part.charset, "surrogateescape" if part.charset == "utf-8" else "strict")
    findings.check(restored == before, "documents equal once values are put back", name)


def _is_hostless(href: str) -> bool:
    return is_web(href) and re.match(r"https?://[^/?#\s]", href.strip(), re.IGNORECASE) is None


# What an address alone can tell about the reason it was left for.
_JUSTIFIED: dict[LinkReason, Callable[[str], bool]] = {
    LinkReason.HOSTLESS: _is_hostless,
    LinkReason.NOT_HTTP: lambda href: not is_web(href) and ":" in href,
    LinkReason.ANCHOR: lambda href: href.strip().startswith("#"),
    LinkReason.EMPTY: lambda href: not href.strip(),
    LinkReason.RELATIVE: lambda href: not is_web(href),
    LinkReason.PLACEHOLDER: lambda href: re.search(r"[{\[*%<|~]", href) is not None,
    LinkReason.MALFORMED: lambda href: "<" in href or ">" in href,
}


def _check_reasons(part: PartReport, name: str, findings: Findings) -> None:
    for left in part.untracked:
        justified = _JUSTIFIED.get(left.reason)
        if justified is not None:
            holds = justified(html.unescape(left.href))
            findings.check(holds, "reasons that are right by the address", name, f"{left.reason} {left.href}")


def _count(result: Instrumented, findings: Findings) -> None:
    findings.counts["links rewritten"] += len(result.links)
    for part in result.parts:
        for left in part.untracked:
            findings.reasons[f"link: {left.reason}"] += 1
        if part.reason:
            findings.reasons[f"part: {part.reason}"] += 1
    if result.reason:
        findings.reasons[f"mail: {result.reason}"] += 1


# ── Mails ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_mail(file: Path, findings: Findings) -> None:
    data = file.read_bytes()
    result = instrument(data, tracking(text_links=True))
    _count(result, findings)
    broken = result.reason in (Reason.INTERNAL_FAILURE, Reason.VERIFICATION_FAILED)
    findings.check(not broken, "mails without a defect of ours", file.name, str(result.reason))
    findings.check(undo(result.message, result.splices) == data, "mails undone exactly", file.name)
    head = data[: parse(data).root.body_start]
    if _PROTECTED.search(head):
        findings.check(result.message == data, "signed or sealed mails unchanged", file.name)
    if result.tracked:
        _check_decoded(data, result, file.name, findings)


def _check_decoded(data: bytes, result: Instrumented, name: str, findings: Findings) -> None:
    """The standard library must see the same parts, and in the HTML the same text once values are put back."""
    before, after = decoded_leaves(data), decoded_leaves(result.message)
    same_shape = [kind for kind, _ in before] == [kind for kind, _ in after]
    findings.check(same_shape, "mails with the same parts for the standard library", name)
    if not same_shape:
        return
    changed = [(part, old, new) for part, (_, old), (_, new) in _pairs(result, before, after) if old != new]
    for part, old, new in changed:
        restored = new
        for link in part.links:
            written, original = (_bytes(value, part.charset) for value in (link.replacement, link.original))
            restored = restored.replace(written, original, 1)
        restored = restored.replace(_bytes(part.pixel or "\0", part.charset), b"", 1)
        findings.check(restored == old, "parts equal once values are put back", name, part.path)


def _pairs(result: Instrumented, before: list[Leaf], after: list[Leaf]) -> Iterator[tuple[PartReport, Leaf, Leaf]]:
    """Match our reports with the standard library's leaves, by type, in order; nested messages have their own."""
    leaves = list(zip(before, after, strict=True))
    for part in result.parts:
        while leaves and leaves[0][0][0] != part.type:
            leaves.pop(0)
        if leaves:
            old, new = leaves.pop(0)
            yield part, old, new


def _bytes(text: str, charset: str) -> bytes:
    return text.encode(charset, "replace")
