"""Which event repeats which: what is listed and counted once, however often a program fetches it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol, TypeVar

from resonanz.model import EventKind, Verdict, Who

# How long after an event another like it still repeats it; None is for ever. All opens of one mail by people are one
# open, whatever they are made with; a link that is followed again later is another click. A download that goes on
# where it broke off repeats its beginning however much later.
FOLDED_FOR: dict[EventKind, timedelta | None] = {
    EventKind.OPENED: None,
    EventKind.SHOWN: timedelta(minutes=10),
    EventKind.CLICKED: timedelta(minutes=1),
    EventKind.DOWNLOADED: timedelta(minutes=10),
    EventKind.VISITED: timedelta(minutes=30),
    EventKind.UNSUBSCRIBED: None,
}
FOLDED_FOR_US = {
    kind: None if window is None else window // timedelta(microseconds=1) for kind, window in FOLDED_FOR.items()
}


class Foldable(Protocol):
    """The few attributes of an event that others are compared with."""

    @property
    def kind(self) -> EventKind: ...
    @property
    def link(self) -> int | None: ...
    @property
    def verdict(self) -> Verdict | None: ...
    @property
    def occurred_us(self) -> int: ...


AnyFoldable = TypeVar("AnyFoldable", bound=Foldable)


def repeated_by(this: Foldable, earlier: Sequence[AnyFoldable], *, continues: bool = False) -> AnyFoldable | None:
    """Return which of the earlier events that repeat nothing this one repeats, the latest of them; None if none.

    `continues` says that a download goes on where it broke off.
    """
    for first in reversed(earlier):
        if _repeats(this, first, continues=continues):
            return first
    return None


def _repeats(this: Foldable, first: Foldable, *, continues: bool) -> bool:
    if first.kind is not this.kind or first.link != this.link or this.kind not in FOLDED_FOR:
        return False
    if fold_side(this.verdict) != fold_side(first.verdict):
        return False
    window = None if continues else FOLDED_FOR_US[this.kind]
    return window is None or abs(this.occurred_us - first.occurred_us) <= window


def fold_side(verdict: Verdict | None) -> str:
    """Return with what a verdict is folded together.

    People are, and clicks of which nobody knows yet; machines only with their own sort, so that a timeline shows each.
    """
    return _SIDES[verdict]


_SIDES: dict[Verdict | None, str] = {
    None: "",
    **{verdict: "person" if verdict.who is Who.HUMAN else verdict.value for verdict in Verdict},
    Verdict.PENDING: "person",
}
