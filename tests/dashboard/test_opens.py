"""How many opened, on the page of a submission and through the API."""

from __future__ import annotations

from resonanz.ingest import rebuild, record_all
from resonanz.insight import explain_coverage
from resonanz.model import Coverage, EventKind, TrackingMode, Verdict
from resonanz.store.messages import Submission
from resonanz.store.tables import messages as table
from tests.dashboard.test_messages import cast_of, words_of
from tests.kit.cast import NOON, event
from tests.kit.pages import Site


def mailing(site: Site, *, opened: int, both: int, clicked: int, private: int, silent: int) -> Submission:
    """A mailing of which so many were seen: opening only, opening and clicking, clicking only, by Apple, not at all."""
    with site.database.write() as tx:
        submission, rows = cast_of(site).mailing(tx, opened + both + clicked + private + silent, now=NOON)
        events = [event(row, EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT) for row in rows[: opened + both]]
        followed, rest = rows[opened : opened + both + clicked], rows[opened + both + clicked :]
        events += [event(row, EventKind.CLICKED, verdict=Verdict.HUMAN_LIKELY) for row in followed]
        events += [event(row, EventKind.OPENED, verdict=Verdict.PRIVACY_PREFETCH) for row in rest[:private]]
        record_all(tx, events)
    return submission


def test_opens_are_a_range_with_an_estimate_and_its_assumptions(site: Site) -> None:
    """Seen, possible and estimated stand side by side; formula, assumptions and band are one click away."""
    submission = mailing(site, opened=30, both=20, clicked=10, private=40, silent=100)
    text = words_of(site.alice().get(f"/submissions/{submission.id}").text)
    for said in (
        "Opened or clicked60proven, by image or link: 30 % · 24–37 %",
        "Possible100and 40 behind Apple",
        "Estimated7463 to 96, 95 % sure",
    ):
        assert said in text
    for said in ("capture and recapture", "Apple’s readers click like others", "with up to twice the odds"):
        assert said in text
    assert "40 · 20 %Privacy protection" in text


def test_too_little_to_estimate_from_is_said_in_words(site: Site) -> None:
    """No figure where there is none to be had, but the reason."""
    submission = mailing(site, opened=5, both=2, clicked=1, private=0, silent=12)
    text = words_of(site.alice().get(f"/submissions/{submission.id}").text)
    assert "Estimated—no estimate" in text
    assert "There is no estimate: too few people clicked to estimate from: 3 of at least 30." in text
    assert "nothing is undecided" in text


def test_what_cannot_be_measured_is_counted_with_its_reason(site: Site) -> None:
    """Plain text, no tracking, no names: each with how many copies; what came back is in no share."""
    with site.database.write() as tx:
        submission, rows = cast_of(site).mailing(tx, 10, now=NOON)
        for row, changes in zip(
            rows,
            [
                {"coverage": Coverage.TEXT_ONLY},
                {"coverage": Coverage.TEXT_ONLY},
                {"track_opens": TrackingMode.ANONYMOUS},
                {"track_opens": TrackingMode.OFF},
            ],
            strict=False,
        ):
            tx.execute(table.update().where(table.c.id == row.id).values(**changes))
        record_all(tx, [event(rows[9], EventKind.BOUNCED)])
    text = words_of(site.alice().get(f"/submissions/{submission.id}").text)
    for said in ("2 · 22 %Plain text", "1 · 11 %Counted without a name", "1 · 11 %Not tracked", "of 7 whose copy"):
        assert said in text


def test_every_reason_for_not_measuring_stands_with_its_count(site: Site) -> None:
    """Each coverage there is, as often as copies have it; a copy that hides nothing is in none of them."""
    with site.database.write() as tx:
        submission, rows = cast_of(site).mailing(tx, sum(range(1, 9)), now=NOON)
        left = iter(rows)
        for copies, coverage in enumerate(Coverage, 1):
            for row in [next(left) for _ in range(copies)]:
                tx.execute(table.update().where(table.c.id == row.id).values(coverage=coverage))
    rebuild(site.database)
    shown = words_of(site.alice().get(f"/submissions/{submission.id}").text)
    for copies, coverage in enumerate(Coverage, 1):
        title, share = explain_coverage(coverage).title, round(100 * copies / len(rows))
        assert (f"{copies} · {share} %{title}" in shown) is (coverage is not Coverage.TRACKABLE), coverage


def test_who_stands_before_the_recipients_is_named_with_its_share(site: Site) -> None:
    """Gateways and providers that strip, the most first, each with what it means one click away; and how many nobody
    knows of. On the page of one message and through the API likewise."""
    with site.database.write() as tx:
        submission, rows = cast_of(site).mailing(tx, 25, now=NOON)
        names = ["Proofpoint"] * 3 + ["Proton"] + ["Microsoft 365"] * 5 + [""] * 10
        for row, name in zip(rows, names, strict=False):
            tx.execute(table.update().where(table.c.id == row.id).values(gateway=name))
        record_all(tx, [event(rows[0], EventKind.BOUNCED)])
    rebuild(site.database)
    client = site.alice()
    shown = words_of(client.get(f"/submissions/{submission.id}").text)
    found = [shown.index(said) for said in ("5 · 21 %Microsoft 365", "2 · 8 %Proofpoint", "1 · 4 %Proton")]
    assert found == sorted(found)
    assert "They remove tracking images" in shown
    assert "Of 6 it is not known" in shown
    message = words_of(client.get(f"/messages/{rows[3].id}").text)
    assert "At Proton: what this means" in message
    assert "Behind" not in words_of(client.get(f"/messages/{rows[12].id}").text)


def test_a_mail_to_one_has_no_shares(site: Site) -> None:
    """What is known of a single recipient stands on their message."""
    with site.database.write() as tx:
        submission, _ = cast_of(site).mailing(tx, 1, now=NOON)
    text = words_of(site.alice().get(f"/submissions/{submission.id}").text)
    assert "How many opened" not in text


def test_every_rate_has_its_interval_and_names_its_divisor(site: Site) -> None:
    """Arrived and bounced of those tried, opened, clicked and unsubscribed of those that arrived."""
    with site.database.write() as tx:
        submission, rows = cast_of(site).mailing(tx, 40, now=NOON)
        events = [event(row, EventKind.BOUNCED) for row in rows[:4]]
        events += [event(row, EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT) for row in rows[4:13]]
        events += [event(row, EventKind.CLICKED, verdict=Verdict.HUMAN_LIKELY) for row in rows[10:16]]
        events += [event(row, EventKind.UNSUBSCRIBED) for row in (rows[20], rows[20], rows[21])]
        record_all(tx, events)
    text = words_of(site.alice().get(f"/submissions/{submission.id}").text)
    for said in (
        "Arrived3690 % · 76–97 %of 40 sent",
        "Opened925 % · 13–42 %of 36 that arrived",
        "Clicked617 % · 7–32 %of 36 that arrived",
        "Unsubscribed26 % · 1–19 %of 36 that arrived",
        "Bounced410 % · 3–24 %of 40 sent",
    ):
        assert said in text, said
    assert "How these shares are meant" in text  # one click away: the formula, and what it assumes
    assert "It assumes that recipients decide one by one." in text
