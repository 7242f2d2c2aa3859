"""Published user agents: mail programs by their names, no mail proxy a bot, crawlers told from readers."""

from __future__ import annotations

import json
from pathlib import Path

from resonanz.ingest.judge.clients import identify
from resonanz.model import ClientKind
from tests.acceptance.findings import Findings

CRAWLERS_KNOWN = 0.97  # of crawler-user-agents
READERS_KEPT = 0.95  # of the strings that isbot collects as no bots; it lists crackers' attempts among them

# Where our name for a program is not the one under which it was published.
_OUR_NAMES = {
    "macoutlook": "outlookmac",
    "google": "gmailimageproxy",
    "googleimageproxy": "gmailimageproxy",
    "outlookexpress": "windowslivemail",
    "outlookmail": "outlook",
    "microsoftoutlook": "outlook",
}


def run(corpus: Path, findings: Findings) -> None:
    """Check ua/ of a corpus."""
    rows = {name: _published(corpus / "ua" / f"{name}.jsonl") for name in ("uap-core", "isbot", "crawler-user-agents")}
    for row in (row for published in rows.values() for row in published):
        if row["expected_kind"] in ("mail_client", "mail_proxy"):
            client = identify(row["ua"]).client
            findings.check(client.kind == row["expected_kind"], "mail programs of their kind", row["ua"], client.kind)
            findings.check(_is_named(client.name, row["expected_name"]), "mail programs named", row["ua"], client.name)
    crawlers = [row for row in rows["crawler-user-agents"] if row["expected_kind"] == "bot"]
    known = sum(identify(row["ua"]).client.kind is ClientKind.BOT for row in crawlers)
    _check_share(known, len(crawlers), CRAWLERS_KNOWN, "crawlers known as such", findings)
    readers = [row for row in rows["isbot"] if row["expected_kind"] == "not_bot"]
    kept = sum(identify(row["ua"]).client.kind is not ClientKind.BOT for row in readers)
    _check_share(kept, len(readers), READERS_KEPT, "readers not taken for machines", findings)


def _check_share(found: int, of: int, least: float, name: str, findings: Findings) -> None:
    findings.counts[name] += found
    findings.counts[f"{name}, of"] += of
    findings.check(found >= least * of, f"{name}, at least {least:.0%}", "ua", f"{found} of {of}")


def _published(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def _is_named(ours: str, published: str) -> bool:
    one, other = (_letters(name) for name in (ours, published))
    other = _OUR_NAMES.get(other, other)
    return one in other or other in one


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
