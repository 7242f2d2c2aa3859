"""What several hits show together, and the time since delivery: rules in the order in which they are asked.

`WINDOWED` ask about each hit that could be a person's, and look at the hits as they are. `AFTERWARDS` ask about those
that are left, one rule after the other, and see what the others were found to be. Each looks no further than
`Windows.reach` around its hit, so that what is older can be forgotten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from resonanz.ingest.judge.bursts import in_bursts
from resonanz.ingest.judge.evidence import Evidence, HitId, Judgement
from resonanz.ingest.judge.network import NetworkKind
from resonanz.ingest.judge.reasons import Reason
from resonanz.ingest.judge.rules import says
from resonanz.ingest.judge.scene import Scene, follows, is_provider, on_probable_network, target
from resonanz.ingest.judge.windows import microseconds
from resonanz.ingest.ranges import number_of
from resonanz.model import ClientKind, Confidence, HitKind, Verdict


@dataclass(frozen=True, slots=True)
class SceneRule:
    """One rule: its name, where its knowledge comes from, and the question. None means that it has nothing to say.

    `when` says whether it may have something to say of any hit of a scene: most scenes are one or two hits on one mail,
    and most rules need more.
    """

    name: str
    source: str
    ask: Callable[[Evidence, Scene], Judgement | None]
    when: Callable[[Scene], object]


NETWORK_REASONS = {
    NetworkKind.SECURITY: Reason.SECURITY_NETWORK,
    NetworkKind.PROVIDER: Reason.PROVIDER_NETWORK,
    NetworkKind.HOSTING: Reason.HOSTING_NETWORK,
}


def network_reasons(hit: Evidence) -> tuple[Reason, ...]:
    """Return the reason that names a network which scanners and people share, or none."""
    return (NETWORK_REASONS[hit.network.kind],) if on_probable_network(hit) and hit.network is not None else ()


def _scanner(confidence: Confidence, *reasons: Reason) -> Judgement:
    return says(Verdict.MACHINE_SCANNER, confidence, *reasons)


# ── Patterns ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _asked_before(hit: Evidence, scene: Scene) -> Judgement | None:
    """The same program asked whether the link exists and then fetched it. Browsers just fetch."""
    span = microseconds(scene.windows.pair)
    for other in scene.asked if follows(hit) else ():
        if abs(other.at - hit.at) <= span and other.source == hit.source and target(other) == target(hit):
            return _scanner(Confidence.PROBABLE, Reason.ASKED_BEFORE)
    return None


def _sweep(hit: Evidence, scene: Scene) -> Judgement | None:
    """Many links of one mail within seconds. It judges the first of them too, once the others are seen."""
    return _scanner(Confidence.PROBABLE, Reason.SWEEP) if hit.id in scene.swept else None


def find_sweeps(scene: Scene) -> set[HitId]:
    """Return the ids of hits that belong to a sweep over the links of the scene's mail."""
    if len(scene.followed) < 2:
        return set()
    by_address: dict[str, list[Evidence]] = defaultdict(list)
    for hit in scene.followed:
        by_address[hit.address].append(hit)
    swept: set[HitId] = set()
    for some in by_address.values():
        swept |= _swept_among(some, scene) | in_bursts(some, target, 2, scene.windows.reading)
    # Some scanners spread their fetches over many addresses and user agents. Who opened the mail here is none of them.
    loose = [hit for hit in scene.followed if scene.is_open_question(hit) and not scene.opened_from(hit)]
    return swept | _swept_among(loose, scene)


def _swept_among(hits: list[Evidence], scene: Scene) -> set[HitId]:
    windows, links = scene.windows, scene.mail.links
    swept = in_bursts(hits, target, windows.sweep_links, windows.sweep)
    if links == 2:
        clicks = [hit for hit in hits if hit.kind is HitKind.CLICK]
        swept |= in_bursts(clicks, target, links, windows.sweep_both)
        # A person does follow both links of a short mail one after the other: hours later, or while they read it.
        likely = [hit for hit in clicks if on_probable_network(hit) or _is_early(hit, scene)]
        likely = [hit for hit in likely if not scene.is_read(hit)]
        swept |= in_bursts(likely, target, links, windows.sweep)
    return swept


def _is_early(hit: Evidence, scene: Scene) -> bool:
    since = scene.since_delivery(hit)
    return since is not None and since < microseconds(scene.windows.probable)


def _no_time_to_read(hit: Evidence, scene: Scene) -> Judgement | None:
    """One program shows the mail and follows its link within a second.

    A mail client that shows one hands its links to a browser: two programs. A browser's reader needs the time to move.
    """
    for other in scene.near(hit, scene.windows.reading):
        shown, followed = (hit, other) if hit.kind is HitKind.OPEN else (other, hit)
        if (
            shown.kind is HitKind.OPEN
            and follows(followed)
            and shown.at <= followed.at
            and shown.source == followed.source
        ):
            return _scanner(Confidence.PROBABLE, Reason.NO_TIME_TO_READ)
    return None


def _shown_and_followed(scene: Scene) -> bool:
    return len(scene.followed) not in (0, len(scene.hits))


def _crowd(hit: Evidence, scene: Scene) -> Judgement | None:
    """One address and user agent over many recipients' mails within a minute."""
    return _scanner(Confidence.PROBABLE, Reason.CROWD, *network_reasons(hit)) if hit.id in scene.crowded else None


# ── Time since delivery ─────────────────────────────────────────────────────────────────────────────────────────────


def _too_soon(hit: Evidence, scene: Scene) -> Judgement | None:
    """Gateways look before the mailbox has the mail, or at once; a person first has to notice and read.

    A click is a person's all the same where the mail was opened from the same address just before.
    """
    since = scene.since_delivery(hit)
    limit = _patience(hit, scene)
    if since is None or since >= limit:
        return None
    if since < 0:
        return _scanner(Confidence.PROBABLE, Reason.BEFORE_DELIVERY, *network_reasons(hit))
    if on_probable_network(hit):
        return _scanner(Confidence.PROBABLE, Reason.AT_ONCE, *network_reasons(hit))
    if hit.kind is not HitKind.OPEN and scene.opened_from(hit):
        return None
    return _scanner(Confidence.WEAK, Reason.AT_ONCE)


def _patience(hit: Evidence, scene: Scene) -> int:
    """Return how long after delivery a hit is too soon for a person, in microseconds; below any time if never."""
    windows, kind = scene.windows, hit.network.kind if hit.network is not None else None
    is_open = hit.kind is HitKind.OPEN
    if kind is NetworkKind.SECURITY or (kind is NetworkKind.PROVIDER and not is_open):
        return microseconds(windows.probable)
    if is_open and hit.identity.client.kind is ClientKind.MAIL_CLIENT:
        return -microseconds(windows.acceptance)  # shows a mail the moment it comes in, and clocks differ
    if kind is NetworkKind.HOSTING and (is_open or not scene.is_read_here(hit)):
        return microseconds(windows.hosting)  # but some work there: who has a mail client on a rented desktop
    # Microsoft and Google show images through their networks: they say nothing against an open.
    return microseconds(windows.instant_open if is_open else windows.instant_click)


WINDOWED: tuple[SceneRule, ...] = (
    SceneRule("asked_before", "RFC 9110 section 9.3.2; Groundhogg", _asked_before, lambda scene: scene.asked),
    SceneRule("sweep", "published rules: three links in 30 s, in 2 s, all of them", _sweep, lambda scene: scene.swept),
    SceneRule(
        "no_time_to_read", "Marketo: activities of one lead within a second", _no_time_to_read, _shown_and_followed
    ),
    SceneRule(
        "crowd",
        "Email-Tracking-BOT-Detection: one address and agent, many recipients of few domains",
        _crowd,
        lambda scene: scene.crowded,
    ),
    SceneRule(
        "too_soon",
        "RFC 5321 section 4.5.3.2.6; Mautic, warmbly and others, each with its clock",
        _too_soon,
        lambda scene: scene.mail.sent_at is not None or scene.mail.delivered_at is not None,
    ),
)

# ── In the light of the others ──────────────────────────────────────────────────────────────────────────────────────

# What shows a machine by what it did. Time alone does not: the hasty person's next click must not suffer for it.
TELLTALE = frozenset({Reason.SWEEP, Reason.CROWD, Reason.ASKED_BEFORE, Reason.NO_TIME_TO_READ})


def _same_source(hit: Evidence, scene: Scene) -> Judgement | None:
    """A machine was at work from here, on this mail, in the same minutes.

    In a network of people, address and user agent must both be the same: an office shares one address with its scanner.
    """
    for other in scene.near(hit, scene.windows.visit):
        found = scene.machines.get(other.id)
        if found is None or other.address != hit.address:
            continue
        if not TELLTALE.isdisjoint(found.reasons):
            if other.user_agent == hit.user_agent or on_probable_network(hit):
                return _scanner(Confidence.PROBABLE, Reason.SAME_SOURCE)
        elif hit.address and _detonated(hit, other):
            return _scanner(Confidence.WEAK, Reason.SAME_SOURCE, *network_reasons(hit))
    return None


def _detonated(shown: Evidence, followed: Evidence) -> bool:
    """Whether an image was fetched by what followed a link for nobody, from the very address of a provider's.

    Providers fetch images for their readers; those follow links from where they are. Their network says nothing against
    the open: the address does, which has already been at the links. A mail client shows that somebody works there.
    """
    is_client = shown.identity.client.kind is ClientKind.MAIL_CLIENT
    return shown.kind is HitKind.OPEN and is_provider(shown) and follows(followed) and not is_client


def _other_device(hit: Evidence, scene: Scene) -> Judgement | None:
    """Two clicks on one link within seconds, from two networks and two systems: one of them is a scanner's.

    It is the one from a network where scanners are, or where nobody opened the mail; else the later one. Of two from
    networks that check links as they are followed it is the earlier: they ask first, and then let the person's browser
    go there.
    """
    if not follows(hit):
        return None
    for other in scene.near(hit, scene.windows.pair):
        if not _could_be_the_person(other, hit, scene) or not _differ(hit, other):
            continue
        mine, theirs = _standing(hit, scene), _standing(other, scene)
        if mine < theirs or (mine == theirs and _gives_way(hit, other, mine)):
            return _scanner(Confidence.WEAK, Reason.OTHER_DEVICE, *network_reasons(hit))
    return None


# How much speaks for a person where two may be one, least first.
_CHECKS, _RENTED, _UNKNOWN, _VOUCHED = range(4)


def _standing(hit: Evidence, scene: Scene) -> int:
    if on_probable_network(hit):
        rented = hit.network is not None and hit.network.kind is NetworkKind.HOSTING
        return _RENTED if rented else _CHECKS
    return _VOUCHED if scene.opened_from(hit) else _UNKNOWN


def _gives_way(hit: Evidence, other: Evidence, standing: int) -> bool:
    if standing == _VOUCHED:
        return False
    first, later = (other.at, str(other.id)), (hit.at, str(hit.id))
    return first > later if standing == _CHECKS else first < later


def _could_be_the_person(other: Evidence, hit: Evidence, scene: Scene) -> bool:
    return (
        follows(other)
        and target(other) == target(hit)
        and scene.is_open_question(other)
        and other.id not in scene.machines
    )


def _differ(one: Evidence, other: Evidence) -> bool:
    if not one.address or not other.address or _neighbourhood(one.address) == _neighbourhood(other.address):
        return False
    systems = {hit.identity.client.os for hit in (one, other)}
    if len(systems) == 2 and "" not in systems:
        return True
    return one.network != other.network and (on_probable_network(one) or on_probable_network(other))


def _neighbourhood(address: str) -> str | tuple[int, int]:
    """Return the /24 or /48 that an address lies in: phones and offices move within those."""
    number = number_of(address)
    if number is None:
        return address
    family, value = number
    return family, value >> (_OF_64_BITS if family else _OF_32_BITS)


_OF_32_BITS, _OF_64_BITS = 32 - 24, 64 - 48  # what is left out of the numbers that addresses are told apart by


AFTERWARDS: tuple[SceneRule, ...] = (
    SceneRule(
        "same_source",
        "observed: one address opened and clicked under two user agents for nobody",
        _same_source,
        lambda scene: scene.machines,
    ),
    SceneRule(
        "other_device",
        "observed: a person's click, and 12 s later another network and system",
        _other_device,
        lambda scene: len(scene.followed) > 1,
    ),
)
