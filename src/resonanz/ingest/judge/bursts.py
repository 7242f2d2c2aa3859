"""Bursts: many different things within one short window."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence

from resonanz.ingest.judge.evidence import Evidence, HitId
from resonanz.ingest.judge.scene import follows, is_provider, on_probable_network
from resonanz.ingest.judge.windows import Windows, microseconds
from resonanz.model import ClientKind, HitKind


def in_bursts(
    hits: Sequence[Evidence], what: Callable[[Evidence], Hashable], enough: int, seconds: float
) -> set[HitId]:
    """Return the ids of hits that lie in any window of this length with enough different things; hits come in order."""
    if len(hits) < enough:
        return set()
    span = microseconds(seconds)
    found: set[HitId] = set()
    things: Counter[Hashable] = Counter()
    first = taken = 0
    for last, hit in enumerate(hits):
        things[what(hit)] += 1
        while hits[first].at < hit.at - span:
            left = what(hits[first])
            things[left] -= 1
            if not things[left]:
                del things[left]
            first += 1
        if len(things) >= enough:
            found.update(other.id for other in hits[max(first, taken) : last + 1])
            taken = last + 1
    return found


def find_crowds(hits: Iterable[Evidence], windows: Windows) -> set[HitId]:
    """Return the ids of hits that belong to a burst of one address and user agent over many mails.

    `hits` are those that could be a person's, of all mails, in any order.
    """
    by_source: dict[tuple[str, str, bool], list[Evidence]] = defaultdict(list)
    for hit in hits:
        if hit.address and (hit.kind is HitKind.OPEN or follows(hit)):
            by_source[hit.address, hit.user_agent, hit.kind is HitKind.OPEN].append(hit)
    crowded: set[HitId] = set()
    for some in by_source.values():
        enough = _enough_for_a_crowd(some[0], windows)
        if enough is not None and len(some) >= enough:
            some.sort(key=lambda hit: hit.at)
            crowded |= in_bursts(some, lambda hit: hit.mail, enough, windows.crowd)
    return crowded


def _enough_for_a_crowd(hit: Evidence, windows: Windows) -> int | None:
    """Return from how many mails on a source is a crowd; None where people come in crowds.

    Mail clients of one make behind one office's address open a new mail together, and providers' proxies by nature.
    """
    if hit.kind is not HitKind.OPEN:
        return windows.crowd_clicks_probable if on_probable_network(hit) else windows.crowd_clicks
    return None if is_provider(hit) or hit.identity.client.kind is ClientKind.MAIL_CLIENT else windows.crowd_opens
