"""Bars over time as SVG geometry: where each bar stands. The template draws them, beside a table of the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from resonanz.insight import Course, Day
from resonanz.model import EventKind, Who

WIDTH, HEIGHT = 580, 252
TOP, BOTTOM, LEFT = 10, 22, 30  # room for the topmost label, the hours and the scale


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle, in the units of the view box. `kind` is its class."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Row:
    """One hour in figures."""

    label: str
    sent: int
    opened: int
    perhaps_opened: int
    clicked: int
    machine: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return not (self.sent or self.opened or self.perhaps_opened or self.clicked or self.machine)


@dataclass(frozen=True, slots=True)
class Chart:
    """A day drawn: bars per hour, lines of the scale (y, value), labels of the hours, and the figures.

    A label is (x, text, whether it can be left out where space is short).
    """

    bars: tuple[Bar, ...]
    lines: tuple[tuple[float, int], ...]
    hours: tuple[tuple[float, str, bool], ...]
    rows: tuple[Row, ...]
    is_empty: bool
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


def draw(day: Day) -> Chart:
    """Draw a day: per hour what was sent, what people opened (with what may be opens on top), and what they clicked."""
    rows = tuple(_rows(day))
    top = _round_up(max([1, *(max(row.sent, row.opened + row.perhaps_opened, row.clicked) for row in rows)]))
    floor = HEIGHT - BOTTOM
    slot = (WIDTH - LEFT) / len(rows)
    unit = (floor - TOP) / top
    bars: list[Bar] = []
    for index, row in enumerate(rows):
        width = slot * 0.24
        x = LEFT + index * slot + slot * 0.1
        stacks = (
            (("sent", row.sent),),
            (("opened", row.opened), ("perhaps", row.perhaps_opened)),
            (("clicked", row.clicked),),
        )
        for place, stack in enumerate(stacks):
            y = float(floor)
            for kind, value in stack:
                height = value * unit
                y -= height
                if value:
                    left = x + place * (width + slot * 0.03)
                    bars.append(Bar(kind, round(left, 1), round(y, 1), round(width, 1), round(height, 1)))
    lines = tuple((round(floor - value * unit, 1), value) for value in (0, top // 2, top))
    hours = tuple(
        (round(LEFT + index * slot, 1), row.label, index % 6 != 0) for index, row in enumerate(rows) if index % 3 == 0
    )
    return Chart(tuple(bars), lines, hours, rows, all(row.is_empty for row in rows))


@dataclass(frozen=True, slots=True)
class CourseChart:
    """A mailing's course drawn: bars, lines of the scale (y, value), and labels (x, text, whether it can be left out
    where space is short). `is_empty` when nothing happened."""

    bars: tuple[Bar, ...]
    lines: tuple[tuple[float, int], ...]
    labels: tuple[tuple[float, str, bool], ...]
    is_empty: bool
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


_LABELS = 8  # at most; every second is left out on a phone


def draw_course(course: Course) -> CourseChart:
    """Draw a mailing's course: per hour or day what was first opened, and what was first clicked."""
    figures = [(one.opened + one.nameless_opens, one.clicked + one.nameless_clicks) for one in course.spans]
    top = _round_up(max(1, *(max(pair) for pair in figures)))
    floor = HEIGHT - BOTTOM
    slot, unit = (WIDTH - LEFT) / len(figures), (floor - TOP) / top
    bars = [
        Bar(
            kind,
            round(LEFT + slot * (index + 0.12 + 0.4 * place), 1),
            round(floor - value * unit, 1),
            round(slot * 0.36, 1),
            round(value * unit, 1),
        )
        for index, pair in enumerate(figures)
        for place, (kind, value) in enumerate(zip(("opened", "clicked"), pair, strict=True))
        if value
    ]
    lines = tuple((round(floor - value * unit, 1), value) for value in (0, top // 2, top))
    every = -(-len(figures) // _LABELS)
    labels = tuple(
        (round(LEFT + index * slot, 1), _label(one.start, hourly=course.hourly), number % 2 == 1)
        for number, (index, one) in enumerate(list(enumerate(course.spans))[::every])
    )
    return CourseChart(tuple(bars), lines, labels, not bars)


def _label(start: datetime, *, hourly: bool) -> str:
    return f"{start:%H:%M}" if hourly else f"{start.day} {start:%b}"


def _rows(day: Day) -> list[Row]:
    opened = day.series(EventKind.OPENED, Who.HUMAN)
    perhaps = day.series(EventKind.OPENED, Who.INDETERMINATE)
    clicked = day.series(EventKind.CLICKED, Who.HUMAN)
    machine = [
        opens + clicks
        for opens, clicks in zip(
            day.series(EventKind.OPENED, Who.MACHINE), day.series(EventKind.CLICKED, Who.MACHINE), strict=True
        )
    ]
    sent = day.series(EventKind.SENT)
    return [
        Row(f"{hour:%H:%M}", *figures)
        for (hour, _), *figures in zip(day.hours, sent, opened, perhaps, clicked, machine, strict=True)
    ]


def _round_up(value: int) -> int:
    """The next of 2, 4, 10, 20, 40, 100 …: even, so that its half is a whole number too."""
    scale = 1
    while True:
        for step in (2, 4, 10):
            if value <= step * scale:
                return step * scale
        scale *= 10


@dataclass(frozen=True, slots=True)
class Spark:
    """A small line of one figure over time: points of the view box, for the line and the area beneath it. `top` is the
    largest value."""

    line: str
    area: str
    top: float
    width: int = WIDTH
    height: int = 64


def spark(values: Sequence[float]) -> Spark | None:
    """Draw a figure over time, oldest first, its largest value at the top; None for fewer than two."""
    if len(values) < 2:
        return None
    top = max(values)
    height, step = 64, WIDTH / (len(values) - 1)
    points = [
        (round(place * step, 1), round(height - 2 - (value / top if top else 0.0) * (height - 6), 1))
        for place, value in enumerate(values)
    ]
    line = " ".join(f"{x},{y}" for x, y in points)
    return Spark(line, f"0,{height} {line} {WIDTH},{height}", top)
