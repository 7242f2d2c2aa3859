"""The past judged anew, and what is tried in shadow: what would change, and that nothing does."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from resonanz.ingest import rebuild
from resonanz.ingest.judge import Network, NetworkKind, Windows
from resonanz.ingest.judging import Judging
from resonanz.ingest.rejudge import rejudge
from resonanz.ingest.shadow import RULES, try_shadow
from resonanz.model import HitKind, Verdict
from resonanz.store import Database
from resonanz.store.messages import Message
from resonanz.store.shadows import clear_shadows, list_shadows
from tests.ingest.test_settle import (
    HOME,
    at,
    clock,
    come_in,
    counts,
    follow,
    forget,
    given,
    now_of,
    settle_all,
    verdicts,
)
from tests.kit.cast import GMAIL, OUTLOOK, hit

KEEPING = Judging(keep=timedelta(days=30))
PATIENT = replace(KEEPING, windows=Windows(sweep=5))
GATEWAY = Network(NetworkKind.SCANNER, "New gateway", shadow=True)


def a_sweep(database: Database, judging: Judging = KEEPING) -> Message:
    """Three links within nine seconds, and an open: settled."""
    message = given(database)
    come_in(
        database,
        hit(message, HitKind.OPEN, at=at(-600), user_agent=OUTLOOK, address=HOME),
        seconds=-599,
        judging=judging,
    )
    come_in(database, *(follow(message, link, 4 * link) for link in range(3)), seconds=12, judging=judging)
    settle_all(database, 90, judging)
    return message


def test_other_windows_change_the_past(database: Database) -> None:
    """And the same ones change nothing more; back again, all is as it was."""
    message = a_sweep(database)
    before = verdicts(database)
    assert before == [Verdict.HUMAN_DIRECT, *[Verdict.MACHINE_SCANNER] * 3]
    summary = rejudge(database, PATIENT, at(86_400))
    assert summary.moved == Counter({("machine_scanner", "human_likely"): 3})
    assert (summary.looked_at, summary.forgotten) == (4, 0)
    assert counts(now_of(database, message)) == (1, 0, 0, 3, 0, 0)
    again = rejudge(database, PATIENT, at(86_500))
    assert (again.moved, again.reworded) == (Counter(), 0)
    rejudge(database, KEEPING, at(86_600))
    assert verdicts(database) == before
    mended = rebuild(database)
    assert (mended.messages_changed, mended.buckets_changed) == (0, 0)


def test_since_leaves_what_came_before(database: Database) -> None:
    """Only what came in since is looked at."""
    a_sweep(database)
    summary = rejudge(database, PATIENT, at(86_400), since=at(1_000))
    assert (summary.looked_at, summary.moved, summary.forgotten) == (0, Counter(), 0)


def test_what_is_forgotten_keeps_its_verdict(database: Database) -> None:
    """With "judge, then forget" there is nothing left to judge by, and it is said."""
    a_sweep(database, Judging())
    forget(database, Judging(), now=clock(86_400))
    summary = rejudge(database, Judging(windows=Windows(sweep=5)), at(86_400))
    assert (summary.looked_at, summary.moved, summary.forgotten) == (0, Counter(), 4)


def shadowed(judging: Judging) -> Judging:
    """The same, with a gateway's network in shadow at HOME."""
    tried = replace(judging, classify=lambda address: GATEWAY if address == HOME else judging.classify(address))
    return replace(judging, shadow=lambda: tried)


def test_a_network_in_shadow_is_counted_and_decides_nothing(database: Database) -> None:
    """What settles from now on is counted by what would have been said; the past can be tried as well."""
    judging = shadowed(KEEPING)
    message = given(database)
    come_in(
        database, hit(message, HitKind.OPEN, at=at(0), user_agent=OUTLOOK, address=HOME), seconds=1, judging=judging
    )
    come_in(
        database,
        hit(message, HitKind.OPEN, at=at(0), user_agent=GMAIL, address="66.249.84.1"),
        seconds=1,
        judging=judging,
    )
    come_in(database, follow(message, 0, 5), seconds=6, judging=judging)
    settle_all(database, 90, judging)
    assert verdicts(database) == [Verdict.HUMAN_DIRECT, Verdict.HUMAN_PROXIED, Verdict.HUMAN_LIKELY]
    would = {
        ("New gateway (scanner)", Verdict.HUMAN_DIRECT, Verdict.MACHINE_SCANNER): 1,
        ("New gateway (scanner)", Verdict.HUMAN_LIKELY, Verdict.MACHINE_SCANNER): 1,
    }
    with database.read() as tx:
        assert list_shadows(tx) == would
    assert try_shadow(database, judging, at(100)) == would
    assert try_shadow(database, judging, at(100), since=at(5)) == {
        ("New gateway (scanner)", Verdict.HUMAN_LIKELY, Verdict.MACHINE_SCANNER): 1
    }
    assert try_shadow(database, KEEPING, at(100)) == {}
    with database.write() as tx:
        clear_shadows(tx)
        assert list_shadows(tx) == {}


def test_a_rule_in_shadow_is_not_in_force(database: Database) -> None:
    """It decides nothing and shows what it would."""
    silent = replace(KEEPING, silent=frozenset({"sweep"}), shadow=lambda: KEEPING)
    a_sweep(database, silent)
    assert verdicts(database) == [Verdict.HUMAN_DIRECT, *[Verdict.HUMAN_LIKELY] * 3]
    with database.read() as tx:
        assert list_shadows(tx) == {(RULES, Verdict.HUMAN_LIKELY, Verdict.MACHINE_SCANNER): 3}
