"""The day as bars: every figure is drawn to scale, and stands in the table too."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from resonanz.dashboard.chart import BOTTOM, HEIGHT, TOP, WIDTH, draw, spark
from resonanz.insight import Day
from resonanz.model import EventKind, Who

BERLIN = ZoneInfo("Europe/Berlin")
KEYS = [(kind, who) for kind in (EventKind.SENT, EventKind.OPENED, EventKind.CLICKED) for who in Who]
HOURS = st.lists(st.dictionaries(st.sampled_from(KEYS), st.integers(0, 10_000_000)), min_size=23, max_size=25)


@given(HOURS)
def test_bars_stay_inside_and_to_scale(hours: list[dict[tuple[EventKind, Who], int]]) -> None:
    """Whatever the figures, on days of 23 to 25 hours: inside the frame, and twice as much is twice as high."""
    start = datetime(2026, 11, 24, tzinfo=BERLIN)
    day = Day(date(2026, 11, 24), {}, tuple((start + timedelta(hours=n), counts) for n, counts in enumerate(hours)))
    chart = draw(day)
    for bar in chart.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH + 0.2
        assert TOP - 0.2 <= bar.y <= bar.y + bar.height <= HEIGHT - BOTTOM + 0.2
    top = max(value for _, value in chart.lines)
    highest = max([row.opened + row.perhaps_opened for row in chart.rows] + [row.sent for row in chart.rows])
    assert top >= highest
    sent = [bar for bar in chart.bars if bar.kind == "sent"]
    figures = [row.sent for row in chart.rows if row.sent]
    for bar, value in zip(sent, figures, strict=True):
        assert abs(bar.height - value / top * (HEIGHT - BOTTOM - TOP)) < 0.1
    assert len(chart.rows) == len(hours)


def test_a_day_without_events_is_empty() -> None:
    """No bars; the scale is still there."""
    start = datetime(2026, 11, 24, tzinfo=BERLIN)
    chart = draw(Day(date(2026, 11, 24), {}, tuple((start + timedelta(hours=n), {}) for n in range(24))))
    assert chart.is_empty
    assert chart.bars == ()
    assert [value for _, value in chart.lines] == [0, 1, 2]


def test_a_spark_reaches_from_the_first_to_the_last() -> None:
    """Oldest left, newest right, the largest value at the top, and no line for what is no course yet."""
    assert spark([]) is spark([1.0]) is None
    drawn = spark([0.0, 4.0, 2.0])
    assert drawn is not None
    assert drawn.line == f"0.0,62.0 {WIDTH / 2},4.0 {float(WIDTH)},33.0"
    assert drawn.top == 4.0
    flat = spark([0.0, 0.0])
    assert flat is not None
    assert flat.line == f"0.0,62.0 {float(WIDTH)},62.0"
