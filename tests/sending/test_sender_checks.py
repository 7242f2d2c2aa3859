"""The last look at a sender's domain: kept, told again as it was, and a warning where a campaign is from there."""

from __future__ import annotations

from resonanz.sending import trial
from resonanz.sending.domain_records import Record, State
from resonanz.sending.domains import add_domain
from resonanz.sending.sender_checks import last_look, look
from resonanz.store import Database
from tests.kit.accounts import NOON
from tests.kit.campaigns import add_list, plan

GOOD = Record("spf", "sender.example", "TXT", "", ("v=spf1 -all",), State.OK, "Fine.")
BAD = Record(
    "dkim", "x._domainkey.sender.example", "TXT", "v=DKIM1; p=A", ("v=\0" * 3_000,) * 30, State.WRONG, "Other."
)
SILENT = Record("dmarc", "_dmarc.sender.example", "TXT", "", (), State.UNKNOWN, "DNS does not answer.")


def test_what_was_seen_is_kept_until_the_next_look(database: Database) -> None:
    """It is told again as it was, but for texts too long to keep; the domain is read as DNS does."""
    answers = [GOOD, BAD, SILENT]

    def looked(domain: str) -> None:
        look(database, domain, edge_url="https://t.example", look_up=lambda *_: answers, actor="a@b.example", now=NOON)

    looked("Sender.Example.")
    with database.read() as tx:
        seen = last_look(tx, "sender.example")
    assert seen is not None
    assert (seen.checked_at, seen.checked_by, seen.records[0]) == (NOON, "a@b.example", GOOD)
    assert len(seen.records[1].found) < 30
    assert max(map(len, seen.records[1].found)) < 3_000
    assert [one.purpose for one in seen.failing] == ["dkim"]
    answers = [GOOD]
    looked("sender.example")
    with database.read() as tx:
        again = last_look(tx, "sender.example")
        assert last_look(tx, "other.example") is None
    assert again is not None
    assert again.records == (GOOD,)


def test_links_are_looked_for_where_the_senders_mail_has_them(database: Database) -> None:
    """A sender with a tracking domain of their own has that one checked, others the edge's."""
    asked: list[tuple[str, str]] = []

    def look_up(*question: str) -> list[Record]:
        asked.append((question[0], question[1]))
        return []

    edge = "https://t.example"
    add_domain(database, "go.sender.example", ["sender.example"], edge_url=edge, actor="x", now=NOON, check=None)
    for domain in ("news.sender.example", "other.example"):
        look(database, domain, edge_url=edge, look_up=look_up, actor="x", now=NOON)
    assert asked == [("news.sender.example", "go.sender.example"), ("other.example", "t.example")]


def test_a_campaign_is_warned_and_not_stopped(database: Database) -> None:
    """What is missing or wrong is one finding that stops nothing; silence of DNS and a domain in order are none."""
    what = plan([add_list(database, "Readers")], sender="Shop <news@sender.example>")

    def found() -> list[tuple[str, bool]]:
        with database.read() as tx:
            return [(one.what, one.blocks) for one in trial.findings(tx, what, NOON) if one.field == "sender"]

    assert found() == []
    for records, warnings in (([GOOD, SILENT], 0), ([GOOD, BAD], 1)):
        look(
            database,
            "sender.example",
            edge_url="https://t.example",
            look_up=lambda *_, records=records: records,  # type: ignore[misc]
            actor="x",
            now=NOON,
        )
        assert len(found()) == warnings
    [(told, blocks)] = found()
    assert "DKIM is wrong" in told
    assert not blocks
