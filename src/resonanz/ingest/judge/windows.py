"""How long the judge looks around a hit, and how much of something it takes to be a machine's work.

Each value says where it comes from. Operators may change them; the same windows and hits give the same verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache

from resonanz.model import InvalidInput

_SECOND = 1_000_000
_LAG = 60 * _SECOND  # by how much one hit may come in after another of its moment and still meet it


@dataclass(frozen=True)
class Windows:
    """Spans in seconds, and amounts."""

    # Mautic's default from sending; nobody sees a mail in less.
    instant_open: float = 2.0
    # Published clocks run from 2 to 15 s; ours starts at delivery, not at queueing.
    instant_click: float = 10.0
    # A network that scans widens the clock: what comes within it is the scan, a person behind an isolated browser comes
    # later. Sandboxes run a few minutes.
    probable: float = 600.0
    # Hardly anybody reads mail on rented machines, and scanners there are the patient ones.
    hosting: float = 3_600.0
    # Marketo: activities of one lead within a second. One program that shows a mail and follows its link at once, or
    # two of its links.
    reading: float = 1.0
    # RFC 5321 section 4.5.3.2.6: what a server looks at before it takes a mail, it looks at within the ten minutes that
    # a sender waits for its 250. A report of delivery that is later than that is a late report.
    acceptance: float = 600.0
    # At least three links of one mail, or all of them, in half a minute.
    sweep: float = 30.0
    sweep_links: int = 3
    # For both links of a mail that has two, long after delivery.
    sweep_both: float = 2.0
    # One address and user agent over many recipients within a minute. Forty people behind one office's address do not
    # follow a link in the same minute; those who open are more.
    crowd: float = 60.0
    crowd_clicks: int = 10
    crowd_opens: int = 30
    crowd_clicks_probable: int = 4
    # The second of two clicks on one link from another network and system, seen at 12 s.
    pair: float = 30.0
    # One visit: acts confirm, sources are remembered.
    visit: float = 300.0
    # How long judging waits beyond these for hits that come in a little later.
    grace: float = 5.0

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Windows:
        """Change some of the defaults by name. Raises InvalidInput for an unknown name or what is no amount."""
        known = {field.name: field.type for field in fields(cls)}
        problems: list[InvalidInput] = []
        for name, value in values.items():
            if name not in known:
                problems.append(
                    InvalidInput("there is no such window", where=str(name), remedy=f"there are: {', '.join(known)}")
                )
            elif isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 86_400:
                problems.append(InvalidInput("not a number from 0 to 86400", where=name))
            elif known[name] == "int" and (value != int(value) or value < 2):
                problems.append(InvalidInput("not a whole number of at least 2", where=name))
        if problems:
            raise InvalidInput.together(problems)
        return cls(**values)  # type: ignore[arg-type]

    @cached_property
    def closes_after(self) -> int:
        """Microseconds after a click until what speaks against it at once has been seen; it is pending until then."""
        return microseconds(max(self.sweep, self.crowd, self.pair))

    @cached_property
    def settles_after(self) -> int:
        """Microseconds after a hit came in until it is judged together with the others."""
        return self.closes_after + microseconds(self.grace)

    @cached_property
    def reach(self) -> int:
        """Microseconds around a hit beyond which no other hit changes its verdict.

        The longest way: of a pair, the other click comes from a source that within one visit swept links, beside which
        a hit is vouched for by an open one visit earlier.
        """
        return microseconds(2 * self.visit + self.pair + self.sweep + self.crowd)

    @cached_property
    def open_for(self) -> int:
        """Microseconds after a hit came in during which its verdict may change by what other hits show."""
        return self.reach + _LAG

    @cached_property
    def kept_for(self) -> int:
        """Microseconds after a hit came in after which nobody needs its address and user agent any more."""
        return 2 * self.open_for


@lru_cache(maxsize=256)  # of the few spans that there are, several times a hit
def microseconds(seconds: float) -> int:
    """Turn a span in seconds into whole microseconds."""
    return round(seconds * _SECOND)
