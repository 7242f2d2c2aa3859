"""Corrections: the verdict on an event changes, and with it everything that is derived from it.

The event's own verdict is brought up to date, what it repeats is looked at anew, counters move by the difference, and
a fact `corrected` says what changed. Its `detail` holds `event` and `of` (id and kind of the event), `was` (the verdict
before) and `judge`. It counts for nothing itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from resonanz.ingest.judge import JUDGE_VERSION, Judgement, Reason
from resonanz.ingest.judge.folding import fold_side, repeated_by
from resonanz.ingest.judge.network import NetworkKind
from resonanz.ingest.projections import count_buckets, count_for_person
from resonanz.ingest.rebuild import replay
from resonanz.model import Confidence, Event, EventKind, Place, Verdict, Who, to_microseconds
from resonanz.store import Tx, rollup
from resonanz.store import events as store
from resonanz.store.events import First
from resonanz.store.standings import Standing, save_counts, save_standings

SOURCE = "judge"


@dataclass(frozen=True, slots=True)
class Correction:
    """An event as it stands, and what the judge says of it now. `place` is where it came from, if that is known, and
    `network` the class of network, as it is known now."""

    event: Event
    judgement: Judgement
    place: Place | None = None
    network: NetworkKind | None = None

    @property
    def corrected(self) -> Event:
        """The event as it will stand."""
        event, said = self.event, self.judgement
        detail = {**event.detail, "judge": JUDGE_VERSION}
        if self.network is not None:
            detail["network"] = self.network.value
        return Event(  # `replace` takes seven times as long
            event.kind,
            event.occurred_at,
            event.received_at,
            event.source,
            event.source_key,
            event.id,
            event.message_id,
            event.submission_id,
            event.recipient,
            said.verdict,
            said.confidence,
            said.reasons,
            event.client,
            self.place,
            event.link,
            event.url,
            event.repeat_of,
            detail,
        )


def correct(
    tx: Tx, corrections: Collection[Correction], standings: Mapping[UUID, Standing], now: datetime
) -> list[Event]:
    """Write corrections of events on messages whose standings are locked. Returns the facts that tell of them."""
    before = {fix.event.id: fix.event for fix in corrections}
    after = {fix.event.id: fix.corrected for fix in corrections}
    upset = _upset(corrections)
    if upset:
        _fold_again(tx, upset, before, after)
    changed = [event for id, event in after.items() if event != before[id]]
    store.correct(tx, changed)
    store.fold(tx, [event for event in changed if event.repeat_of != before[event.id].repeat_of])
    told = _tell(tx, [(before[event.id], event) for event in changed], now)
    rollup.count(tx, _difference([before[event.id] for event in changed], [*changed, *told]))
    _project(tx, [(before[event.id], event) for event in changed], upset, standings)
    return told


def _upset(corrections: Collection[Correction]) -> set[UUID]:
    """Return the messages for which more changes than that a click turned out to be a person's."""
    return {
        fix.event.message_id
        for fix in corrections
        if fix.event.message_id is not None
        and fix.event.verdict is not fix.judgement.verdict
        and fold_side(fix.event.verdict) != fold_side(fix.judgement.verdict)
    }


def confirm_by_replies(tx: Tx, facts: Sequence[Event], standings: Mapping[UUID, Standing]) -> list[Event]:
    """Correct the clicks before each of these replies: who answers a mail has read it. Returns the facts that tell so.

    It takes no evidence, and works however long ago the click was.
    """
    replies = [fact for fact in facts if fact.kind is EventKind.REPLIED and fact.message_id in standings]
    told: list[Event] = []
    for reply in replies:
        assert reply.message_id is not None
        clicks = store.latest_of(tx, reply.message_id, EventKind.CLICKED)
        confirmed = [
            Correction(click, _confirmed(click), click.place)
            for click in clicks
            if click.verdict is Verdict.HUMAN_LIKELY and click.occurred_at <= reply.occurred_at
        ]
        told += correct(tx, confirmed, standings, reply.received_at)
    return told


def _confirmed(click: Event) -> Judgement:
    known = (Reason(code) for code in click.reasons if code in _CODES)  # a newer version may have written others
    return Judgement(Verdict.HUMAN_CONFIRMED, Confidence.PROBABLE, (*known, Reason.REPLIED))


_CODES = frozenset(Reason)


# ── Folding ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _fold_again(tx: Tx, messages: set[UUID], before: dict[int, Event], after: dict[int, Event]) -> None:
    """Look anew which event repeats which: a machine's first fetch must not hide a person's later one."""
    for facts in store.of_messages(tx, messages).values():
        firsts: list[First] = []
        for fact in facts:
            before.setdefault(fact.id, fact)
            this = after.get(fact.id, fact)
            if fact.message_id is None or this.verdict is None:
                continue
            as_first = First(
                this.id, fact.message_id, this.kind, this.link, this.verdict, to_microseconds(this.occurred_at)
            )
            # A download that goes on repeats its beginning for ever, and only its own hit said so.
            goes_on = this.kind is EventKind.DOWNLOADED and this.repeat_of is not None
            first = repeated_by(as_first, firsts, continues=goes_on)
            if first is None:
                firsts.append(as_first)
            after[this.id] = replace(this, repeat_of=None if first is None else first.id)


def _difference(before: Sequence[Event], after: Sequence[Event]) -> Mapping[tuple[datetime, EventKind, Who], int]:
    """Return by how much the counts of the rollup's buckets change."""
    counts = Counter(count_buckets(after))
    counts.subtract(count_buckets(before))
    return {bucket: amount for bucket, amount in counts.items() if amount}


# ── What is told, and what is derived ───────────────────────────────────────────────────────────────────────────────


def _tell(tx: Tx, pairs: Sequence[tuple[Event, Event]], now: datetime) -> list[Event]:
    """Write a fact for each event that is listed and whose verdict changed."""
    shown = [pair for pair in pairs if pair[0].verdict is not pair[1].verdict and _is_listed(*pair)]
    ids = store.reserve_ids(tx, len(shown))
    told = [_correction(id, before, after, now) for id, (before, after) in zip(ids, shown, strict=True)]
    store.add_events(tx, told)
    return told


def _is_listed(before: Event, after: Event) -> bool:
    return before.repeat_of is None or after.repeat_of is None


def _correction(id: int, before: Event, after: Event, now: datetime) -> Event:
    return Event(
        id=id,
        kind=EventKind.CORRECTED,
        occurred_at=now,
        received_at=now,
        source=SOURCE,
        message_id=after.message_id,
        submission_id=after.submission_id,
        recipient=after.recipient,
        verdict=after.verdict,
        confidence=after.confidence,
        reasons=after.reasons,
        link=after.link,
        detail={
            "event": after.id,
            "of": after.kind.value,
            "was": before.verdict.value if before.verdict is not None else "",
            "judge": JUDGE_VERSION,
        },
    )


def _project(
    tx: Tx, pairs: Sequence[tuple[Event, Event]], upset: set[UUID], standings: Mapping[UUID, Standing]
) -> None:
    counted: dict[UUID, Standing] = {}
    for before, after in pairs:
        id = after.message_id
        if id is None or id in upset or id not in standings:
            continue
        if count_for_person(standings[id], before, after):
            counted[id] = standings[id]
    save_counts(tx, counted.values())
    facts = store.of_messages(tx, upset & standings.keys())
    save_standings(tx, [replay(standings[id], of_message) for id, of_message in facts.items()])
