"""Judging together: the same verdicts in whatever order and portions hits come in, and after they are forgotten."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonanz.ingest.judge import (
    AFTERWARDS,
    RULES,
    WINDOWED,
    Evidence,
    Judgement,
    Mail,
    Network,
    NetworkKind,
    Windows,
    identify,
    judge_all,
    judge_alone,
)
from resonanz.ingest.judge.scene import Scene
from resonanz.ingest.judge.together import find_sweeps
from resonanz.model import HitKind, InvalidInput, Verdict
from tests.kit.traces import AGENTS

SECOND = 1_000_000
WINDOWS = Windows(crowd_clicks=3, crowd_clicks_probable=2, crowd_opens=4)  # small, so that examples reach them
PLACES = [
    ("203.0.113.7", None),
    ("198.51.100.23", None),
    ("3.80.4.4", Network(NetworkKind.HOSTING, "Amazon")),
    ("20.50.7.7", Network(NetworkKind.PROVIDER, "Microsoft")),
    ("148.163.10.5", Network(NetworkKind.SECURITY, "Proofpoint")),
]
MAILS = {
    "a": Mail(sent_at=0, delivered_at=2 * SECOND, links=4),
    "b": Mail(sent_at=0, links=2, replies=(900 * SECOND,)),
    "c": Mail(sent_at=0, delivered_at=400 * SECOND, links=3),
    "d": Mail(sent_at=0),
}

hits = st.builds(
    lambda kind, method, place, agent, at, mail, link: Evidence(
        kind, method, {}, AGENTS[agent], identify(AGENTS[agent]), place[1], place[0], at, 0, mail, link
    ),
    st.sampled_from([HitKind.OPEN, HitKind.CLICK, HitKind.CLICK, HitKind.CLICK, HitKind.UNSUBSCRIBE]),
    st.sampled_from(["GET"] * 8 + ["HEAD", "POST"]),
    st.sampled_from(PLACES),
    st.sampled_from(["chrome", "safari", "outlook", "chrome"]),
    # Close together, and far apart: within one window, around its edges, and beyond every one.
    st.one_of(
        st.integers(0, 90).map(lambda s: s * SECOND),
        st.integers(0, 4000 * SECOND),
        st.sampled_from([30, 60, 300, 600, 720]).map(lambda s: s * SECOND),
    ),
    st.sampled_from(sorted(MAILS)),
    st.integers(0, 4),
)
traces = st.lists(hits, max_size=24).map(lambda some: [replace(hit, id=number) for number, hit in enumerate(some)])


@given(traces, st.randoms(use_true_random=False), st.none() | st.integers(0, 4000 * SECOND))
def test_the_order_in_which_hits_are_told_does_not_matter(
    some: list[Evidence], chance: object, now: int | None
) -> None:
    """The verdicts are a function of the set of hits; each hit gets one, with a reason."""
    shuffled = list(some)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    found = judge_all(some, MAILS, WINDOWS, now)
    assert judge_all(shuffled, MAILS, WINDOWS, now) == found
    assert found.keys() == {hit.id for hit in some}
    assert all(judgement.reasons for judgement in found.values())
    if now is None:
        assert Verdict.PENDING not in {judgement.verdict for judgement in found.values()}


@settings(max_examples=60)
@given(traces, st.lists(st.integers(0, 60), min_size=24, max_size=24))
def test_as_they_come_in_and_are_forgotten_ends_where_all_at_once_does(some: list[Evidence], lags: list[int]) -> None:
    """What came in too long ago is judged no more, and later yet its evidence is gone: nothing changes by that."""
    received = {hit.id: hit.at + lags[number] * SECOND for number, hit in enumerate(some)}
    verdicts: dict[int | str, Judgement] = {}
    for now in sorted({*received.values(), *(moment + WINDOWS.open_for for moment in received.values())}):
        kept = [hit for hit in some if received[hit.id] <= now <= received[hit.id] + WINDOWS.kept_for]
        found = judge_all(kept, MAILS, WINDOWS, now)
        still_open = {hit.id for hit in kept if now <= received[hit.id] + WINDOWS.open_for}
        verdicts.update({id: judgement for id, judgement in found.items() if id in still_open})
    assert verdicts == judge_all(some, MAILS, WINDOWS)


@given(traces, hits)
def test_hits_beyond_reach_do_not_touch_each_other(some: list[Evidence], another: Evidence) -> None:
    """However one more hit looks, it changes no verdict that lies further away than the judge looks."""
    last = max((hit.at for hit in some), default=0)
    far = replace(another, id=99, at=last + WINDOWS.reach + 1)
    found = judge_all([*some, far], MAILS, WINDOWS)
    del found[99]
    assert found == judge_all(some, MAILS, WINDOWS)


@given(traces)
def test_what_a_hit_tells_by_itself_is_final(some: list[Evidence]) -> None:
    """No other hit changes it: hits that tell by themselves are asked nothing more, and their mails neither."""
    found = judge_all(some, MAILS, WINDOWS)
    alone = {hit.id: judge_alone(hit) for hit in some}
    assert {id: said for id, said in alone.items() if said is not None and found[id] != said} == {}


@given(traces)
def test_a_rule_that_is_not_asked_has_nothing_to_say(some: list[Evidence]) -> None:
    """Where a rule says that a scene is none for it, it has nothing to say of any hit there."""
    alone = {hit.id: judge_alone(hit) for hit in some}
    crowded = {hit.id for hit in some if hit.at % 3 == 0}
    for name, mail in MAILS.items():
        on_mail = sorted((hit for hit in some if hit.mail == name), key=lambda hit: (hit.at, str(hit.id)))
        scene = Scene(mail, on_mail, alone, crowded, WINDOWS)
        scene.swept = find_sweeps(scene)
        for rule in (*WINDOWED, *AFTERWARDS):
            assert rule.when(scene) or {rule.ask(hit, scene) for hit in on_mail if alone[hit.id] is None} <= {None}


def test_every_rule_has_a_name_and_a_source() -> None:
    """The table can be shown to whoever asks why."""
    rules = [*RULES, *WINDOWED, *AFTERWARDS]
    assert len({rule.name for rule in rules}) == len(rules)
    assert all(rule.source and rule.ask.__doc__ for rule in rules)


def test_windows_are_changed_by_name() -> None:
    """Every problem is told, with its name."""
    assert Windows.of({"sweep": 20, "sweep_links": 4}) == Windows(sweep=20, sweep_links=4)
    with pytest.raises(InvalidInput) as problems:
        Windows.of({"swep": 1, "sweep": -1, "sweep_links": 2.5, "crowd": True})
    assert [problem.where for problem in problems.value.problems] == ["swep", "sweep", "sweep_links", "crowd"]


def test_the_documentation_names_every_rule_and_window() -> None:
    """Both can be set, so both must be found."""
    text = (Path(__file__).parents[3] / "docs" / "accuracy.md").read_text("utf-8")
    names = [*(rule.name for rule in RULES), *(rule.name for rule in (*WINDOWED, *AFTERWARDS))]
    assert [name for name in (*names, *(field.name for field in fields(Windows))) if f"`{name}`" not in text] == []
