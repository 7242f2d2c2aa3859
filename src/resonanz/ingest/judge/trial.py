"""Judging hits together: which rules are asked about which hit, and in which order.

The outcome depends on the set of hits, what is known of their mails, the windows and the moment, and on nothing else:
not on the order in which the hits came in, and not on how they were divided. Hits that lie further apart than
`Windows.reach` do not touch each other's verdicts, so that judging what is at hand, as hits come in and are forgotten,
ends where judging everything at once does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cache

from resonanz.ingest.judge.bursts import find_crowds
from resonanz.ingest.judge.evidence import UNKNOWN_MAIL, Evidence, HitId, Judgement, Mail, MailKey
from resonanz.ingest.judge.network import NetworkKind
from resonanz.ingest.judge.reasons import Reason
from resonanz.ingest.judge.rules import judge_alone, says
from resonanz.ingest.judge.scene import PROBABLE_NETWORKS, Scene, follows
from resonanz.ingest.judge.together import AFTERWARDS, NETWORK_REASONS, TELLTALE, WINDOWED, SceneRule, find_sweeps
from resonanz.ingest.judge.windows import Windows, microseconds
from resonanz.model import ClientKind, Confidence, HitKind, Verdict

JUDGE_VERSION = 3  # stored with every judged event: whose word its verdict is


def judge_all(
    hits: Iterable[Evidence],
    mails: Mapping[MailKey, Mail],
    windows: Windows,
    now: int | None = None,
    *,
    only: Set[MailKey] | None = None,
    silent: Set[str] = frozenset(),
    alone: Mapping[HitId, Judgement | None] | None = None,
) -> dict[HitId, Judgement]:
    """Return who caused each of these hits, by their ids, as it looks at the moment `now` (microseconds).

    Without `now` all windows are closed: nothing stays pending. Mails that are not in `mails` are unknown. With `only`,
    hits on other mails are looked at, because one program may have reached many, and not judged. The rules named in
    `silent` are not asked. `alone` has what each hit says by itself, where they were asked that already. What is final
    by itself stays so.
    """
    every = list(hits)
    alone = {hit.id: judge_alone(hit, silent) for hit in every} if alone is None else alone
    by_mail: dict[MailKey, list[Evidence]] = defaultdict(list)
    found: dict[HitId, Judgement] = {}
    questions: list[Evidence] = []
    open_mails: set[MailKey] = set()
    for hit in every:
        if (judgement := alone[hit.id]) is not None:
            if only is None or hit.mail in only:
                found[hit.id] = judgement
        elif hit.mail is None:
            found[hit.id] = _default(hit)
        else:
            questions.append(hit)
            open_mails.add(hit.mail)
        if hit.mail is not None:
            by_mail[hit.mail].append(hit)
    crowded = find_crowds(questions, windows)
    for mail in open_mails if only is None else open_mails & only:
        some = by_mail[mail]
        if len(some) > 1:
            some.sort(key=lambda hit: (hit.at, str(hit.id)))
        scene = Scene(mails.get(mail, UNKNOWN_MAIL), some, alone, crowded, windows)
        scene.swept = find_sweeps(scene)
        found.update(_judge_mail(scene, now, silent))
    return found


def judge_one(hit: Evidence, alone: Judgement | None = None) -> Judgement:
    """Return who caused a hit that no other will ever be held against; `alone`, if that was asked already."""
    return alone or judge_alone(hit) or _default(hit)


def judge_now(hit: Evidence, alone: Judgement | None) -> Judgement:
    """Return what can be said of a hit on a mail the moment it comes in, given what it says alone."""
    if alone is not None:
        return alone
    default = _default(hit)
    return default if hit.kind is HitKind.OPEN else _pending(default)


@cache
def _pending(default: Judgement) -> Judgement:
    return says(Verdict.PENDING, Confidence.WEAK, Reason.WINDOW_OPEN, *default.reasons)


def _judge_mail(scene: Scene, now: int | None, silent: Set[str]) -> dict[HitId, Judgement]:
    """Return what is said of the hits of a scene that do not tell by themselves."""
    left = [hit for hit in scene.hits if scene.alone[hit.id] is None]
    found: dict[HitId, Judgement] = {}
    for every in _ROUNDS:
        rules = [rule for rule in every if rule.when(scene) and rule.name not in silent]
        if not rules:
            continue
        # All hits are asked before any answer is used: their order within a moment must not matter.
        answers = {hit.id: answer for hit in left if (answer := _ask(rules, hit, scene)) is not None}
        scene.machines.update(answers)
        left = [hit for hit in left if hit.id not in answers]
    found.update(scene.machines)
    found.update({hit.id: _person(hit, scene, now) for hit in left})
    if scene.acts or scene.mail.replies:
        for hit in scene.hits:
            if hit.id in found and (confirmed := _confirmed(hit, found[hit.id], scene)) is not None:
                found[hit.id] = confirmed
    return found


_ROUNDS: tuple[tuple[SceneRule, ...], ...] = (WINDOWED, *((rule,) for rule in AFTERWARDS))


def _ask(rules: Sequence[SceneRule], hit: Evidence, scene: Scene) -> Judgement | None:
    """Return what the first rule says that has something to say, with what the others add to it."""
    first: Judgement | None = None
    for rule in rules:
        said = rule.ask(hit, scene)
        if said is not None:
            first = said if first is None else _add(first, said)
    return first


def _add(first: Judgement, said: Judgement) -> Judgement:
    confidence = first.confidence if first.confidence is not Confidence.WEAK else said.confidence
    return Judgement(first.verdict, confidence, tuple(dict.fromkeys((*first.reasons, *said.reasons))))


# ── Nothing against a person ────────────────────────────────────────────────────────────────────────────────────────

_READERS = {
    ClientKind.MAIL_CLIENT: (Confidence.PROBABLE, Reason.MAIL_CLIENT),
    ClientKind.BROWSER: (Confidence.PROBABLE, Reason.BROWSER),
    ClientKind.APP: (Confidence.PROBABLE, Reason.APP),
}


def _default(hit: Evidence) -> Judgement:
    """Nothing speaks against a person; who comes from where scanners come from is believed less."""
    network = hit.network.kind if hit.network is not None else None
    return _default_from(hit.kind is HitKind.OPEN, hit.identity.client.kind, network)


@cache  # a few dozen answers, given a hundred thousand times a second
def _default_from(is_open: bool, client: ClientKind, network: NetworkKind | None) -> Judgement:
    confidence, reason = _READERS.get(client, (Confidence.WEAK, Reason.UNKNOWN_CLIENT))
    shared = (NETWORK_REASONS[network],) if network in PROBABLE_NETWORKS else ()
    if shared:
        confidence = Confidence.WEAK
    if not is_open:
        return says(Verdict.HUMAN_LIKELY, confidence, reason, *shared)
    # Microsoft and Google fetch images for their readers, under whatever name.
    proxied = network is NetworkKind.PROVIDER
    return says(Verdict.HUMAN_PROXIED if proxied else Verdict.HUMAN_DIRECT, confidence, reason, *shared)


def _person(hit: Evidence, scene: Scene, now: int | None) -> Judgement:
    default = _default(hit)
    if hit.kind is HitKind.OPEN:
        return default
    if now is not None and now - hit.at < scene.windows.closes_after:
        return _pending(default)
    return _vouched_for(default) if scene.opened_from(hit) else default


@cache
def _vouched_for(default: Judgement) -> Judgement:
    return says(default.verdict, default.confidence, *default.reasons, Reason.OPENED_HERE)


def _confirmed(hit: Evidence, found: Judgement, scene: Scene) -> Judgement | None:
    """Return the judgement on a click that was followed by what only a person does; None where there is nothing to add.

    A form sent from the same program in the same visit outweighs haste as well; an answer to the mail says nothing
    about a click that has something against it.
    """
    if not follows(hit):
        return None
    is_person = found.verdict in (Verdict.HUMAN_LIKELY, Verdict.PENDING)
    if is_person or (Reason.AT_ONCE in found.reasons and TELLTALE.isdisjoint(found.reasons)):
        for act in scene.acts:
            if act.source == hit.source and 0 <= act.at - hit.at <= microseconds(scene.windows.visit):
                return says(Verdict.HUMAN_CONFIRMED, Confidence.PROBABLE, Reason.ACTED)
    if is_person and any(reply >= hit.at for reply in scene.mail.replies):
        return says(Verdict.HUMAN_CONFIRMED, Confidence.PROBABLE, *found.reasons, Reason.REPLIED)
    return None


# ── Places ──────────────────────────────────────────────────────────────────────────────────────────────────────────

_PERSONS_OWN = frozenset({Verdict.HUMAN_DIRECT, Verdict.HUMAN_LIKELY, Verdict.HUMAN_CONFIRMED})


def place_allowed(hit: Evidence, judgement: Judgement) -> bool:
    """Whether the address says where somebody was: never of a proxy, Apple, a scanner, or a rented machine."""
    return judgement.verdict in _PERSONS_OWN and bool(hit.address) and hit.network is None
