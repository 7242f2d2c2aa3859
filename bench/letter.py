"""The letter: mails instrumented per second, from a compiled campaign and from scratch, and hostile documents.

    python -m bench letter [--rounds 30]

Each figure is the best of several rounds on one core, printed beside what it is compared with in the same run: copying
the bytes and making 41 tags (the least any tracker with signed links must do), and pytracking (`pip install pytracking
lxml` in whatever environment runs this; left out when it is missing).
"""

from __future__ import annotations

import argparse
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from resonanz.mail import Tracking, compile_campaign, compose, instrument, instrument_html
from resonanz.tokens import Key, Keys, TokenKind, sealed_prefix

KEYS = Keys([Key(1, bytes(range(32)))])
BASE_URL = "https://t.example.org"
LINKS = 40
WORDS = ("offer", "season", "garden", "light", "quiet", "morning", "river", "paper", "summer", "letter", "winter")
CELL = (
    '<tr><td class="col" align="left" valign="top" style="padding:12px 24px;font-family:Arial,Helvetica,sans-serif;'
    'font-size:15px;line-height:22px;color:#333333">{}</td></tr>\n'
)
HOSTILE = {
    "a million <": b"<",
    "open tags": b"<x",
    "unclosed comments": b"<!--",
    "closed comments": b"<!-- x -->",
    "deep nesting": b"<div>",
    "unclosed quotes": b"<a href='",
    "links": b"<a href=http://x.example>",
    "conditional comments": b"<!--[if mso]><a href=http://x>-->",
    "scripts": b"<script>",
    "foreign content": b"<svg><style>",
    "selects and strays": b"<select></template>",
}


def newsletter(size: int = 100 * 1024) -> str:
    """Return an HTML mail of about `size` bytes in the shape newsletters have: tables, inline styles, 40 links."""
    chance = random.Random(7)
    head = (
        '<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml"><head><meta charset="utf-8"><title>News</title>'
        "<style>@media only screen and (max-width:600px){.col{width:100%!important}}</style></head>\n"
        '<body style="margin:0;padding:0;background:#f4f4f4"><table role="presentation" width="100%">\n'
    )
    rows = []
    for number in range(LINKS):
        url = f"https://shop.example.com/{chance.choice(WORDS)}?id={chance.randrange(10**6)}&amp;pos={number}"
        row = CELL.format(f'<a href="{url}" style="color:#0066cc">{chance.choice(WORDS)} {number}</a>')
        while len(row) < (size - len(head)) // LINKS - 150:
            row += CELL.format(" ".join(chance.choices(WORDS, k=25)) + " grüße")
        rows.append(row)
    return head + "".join(rows) + "</table></body></html>\n"


def main(arguments: Sequence[str] = ()) -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(prog="bench letter")
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args(arguments).rounds
    html = newsletter()
    message = compose(
        sender="Mara <mara@shop.example>", to="", subject="News", text="News", html=html, message_id=None,
        date=datetime(2026, 3, 4, tzinfo=UTC),
    )  # fmt: skip
    print(f"content: {len(html.encode()) / 1024:.0f} KB of HTML, {LINKS} links, {len(message) / 1024:.0f} KB as a mail")
    compiled = _compiled(message, rounds)
    _print_pytracking(html, compiled, rounds)
    _print_from_scratch(message, html, rounds)
    _print_hostile()


def _best(work: Callable[[], object], rounds: int, repeat: int = 1) -> float:
    """Return the seconds of the fastest round, per repetition."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(repeat):
            work()
        best = min(best, (time.perf_counter() - start) / repeat)
    return best


def _tracking(number: int = 7) -> Tracking:
    return Tracking(BASE_URL, KEYS, UUID(int=number))


def _compiled(message: bytes, rounds: int) -> float:
    campaign = compile_campaign(message, _tracking())
    ids = [UUID(int=number) for number in range(100)]
    headers = {
        "To": "Ivo <ivo@mail.example>",
        "Message-ID": "<x@shop.example>",
        "List-Unsubscribe": f"<{BASE_URL}/u/x>",
    }
    bare = _best(lambda: deque(map(campaign.render, ids), maxlen=0), rounds) / len(ids)
    full = _best(lambda: deque((campaign.render(id, headers=headers) for id in ids), maxlen=0), rounds) / len(ids)
    copy = campaign.render(ids[0])
    key, prefix = KEYS.signing, sealed_prefix(KEYS.signing, TokenKind.CLICK, ids[0])
    suffixes = [b"\x01https://shop.example.com/offer?id=123456&pos=%d" % number for number in range(LINKS + 1)]
    least = _best(lambda: ([key.tag(prefix + suffix) for suffix in suffixes], bytes(bytearray(copy))), rounds, 100)
    print(f"compiled campaign, per recipient:  {bare * 1e6:8.1f} µs  {1 / bare:9,.0f} mails/s  ({len(copy):,} bytes)")
    print(f"  with three headers of its own:   {full * 1e6:8.1f} µs  {1 / full:9,.0f} mails/s")
    print(f"  copying and 41 tags alone:       {least * 1e6:8.1f} µs  (ours takes {bare / least:.1f} times that)")
    return bare


def _print_pytracking(html: str, compiled: float, rounds: int) -> None:
    try:
        from pytracking import Configuration
        from pytracking.html import adapt_html
    except ImportError as missing:
        print(f"  pytracking:                      not compared, {missing.name} is not installed")
        return
    settings = Configuration(base_open_tracking_url=f"{BASE_URL}/o/", base_click_tracking_url=f"{BASE_URL}/c/")
    theirs = _best(lambda: adapt_html(html, {"id": 7}, configuration=settings), max(rounds // 5, 3))
    print(f"  pytracking (links unsigned):     {theirs * 1e6:8.1f} µs  {theirs / compiled:9.0f} times ours")


def _print_from_scratch(message: bytes, html: str, rounds: int) -> None:
    data, settings = html.encode(), _tracking()
    assert instrument(message, settings).tracked
    document = _best(lambda: instrument_html(data, settings), rounds)
    mail = _best(lambda: instrument(message, settings), rounds)
    unverified = replace(settings, verify=False)
    document_alone = _best(lambda: instrument_html(data, unverified), rounds)
    mail_alone = _best(lambda: instrument(message, unverified), rounds)
    print("from scratch:                      parsed and instrumented   and verified")
    print(f"  document                         {document_alone * 1e3:8.2f} ms         {document * 1e3:16.2f} ms")
    print(f"  whole mail, quoted-printable     {mail_alone * 1e3:8.2f} ms         {mail * 1e3:16.2f} ms")


def _print_hostile() -> None:
    print("hostile documents:                    1 MB     8 MB    ratio    20 MB    ratio")
    for name, unit in HOSTILE.items():
        seconds = {size: _hostile(unit, size) for size in (1, 8, 20)}
        one, eight, twenty = (seconds[size] for size in (1, 8, 20))
        figures = f"{one:8.3f} {eight:8.3f} {eight / one:8.1f} {twenty:8.3f} {twenty / one:8.1f}"
        print(f"  {name:<30} {figures}")


def _hostile(unit: bytes, megabytes: int) -> float:
    document = (unit * (megabytes * 1_000_000 // len(unit) + 1))[: megabytes * 1_000_000]
    return _best(lambda: instrument_html(document, _tracking()), 3)


if __name__ == "__main__":
    main()
