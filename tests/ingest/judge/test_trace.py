"""`resonanz judge`: what it reads, what it prints, and what it says of lines that it cannot read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ingest.judge.judging import judged, run_judge, summaries
from tests.kit.cast import BROWSER, GMAIL

OPEN = {"id": 1, "message": "m", "recipient": "alma@example.org", "t": 4000, "kind": "open", "ua": GMAIL, "ip": ""}
CLICK = OPEN | {"id": "c", "t": 4010, "kind": "click", "link": 2, "links_total": 5, "ua": BROWSER, "ip": "203.0.113.7"}


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_the_line_of_a_hit() -> None:
    """Its id as it was given, and everything that was found out about it."""
    first, second, _ = judged(lines(OPEN, CLICK))
    assert first == {
        "id": 1,
        "verdict": "human_proxied",
        "confidence": "probable",
        "reasons": ["mail_proxy"],
        "counted": True,
        "client": {"kind": "mail_proxy", "name": "Gmail image proxy", "os": "", "device": ""},
        "place_allowed": False,
        "network": None,
        "repeat_of": None,
    }
    assert (second["id"], second["verdict"], second["place_allowed"]) == ("c", "human_likely", True)
    assert second["client"] == {"kind": "browser", "name": "Chrome", "os": "Windows", "device": "desktop"}


def test_the_line_of_a_message() -> None:
    """Each message once, behind the hits."""
    assert judged(lines(OPEN, CLICK, OPEN | {"id": 2, "t": 9000}))[3:] == [
        {
            "message": "m",
            "recipient": "alma@example.org",
            "coverage": "trackable",
            "opened": "human_proxied",
            "human_opens": 1,
            "indeterminate_opens": 0,
            "machine_opens": 0,
            "inferred_opens": 0,
            "human_clicks": 1,
            "pending_clicks": 0,
            "machine_clicks": 0,
            "unsubscribed": False,
        }
    ]


def test_fields_nobody_knows_and_blank_lines_are_no_trouble() -> None:
    """Traces are written by other programs, which write more than is asked."""
    plain = judged(lines(OPEN))
    assert judged("\n" + lines(OPEN | {"colour": "blue", "extra": [1]}) + "\n\n") == plain


def test_a_message_to_a_stripping_domain() -> None:
    """Where the provider takes images out, a missing open says nothing."""
    found = summaries(judged(lines(CLICK | {"recipient": "alma@proton.me"})))["m"]
    assert (found["coverage"], found["opened"]) == ("stripping_domain", "inferred_from_click")


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        (OPEN | {"kind": "opened"}, "kind: not one of sent, delivered"),
        (OPEN | {"t": "soon"}, "t: not a number"),
        (OPEN | {"t": 1e300}, "t: beyond"),
        ({**OPEN, "message": None}, "message: not a text"),
        ({**OPEN, "id": None}, "id: neither"),
        (OPEN | {"id": "1", "link": -1}, "link: not a whole number"),
        (OPEN | {"headers": "none"}, "headers: not an object"),
        (OPEN | {"ua": 7}, "ua: not a text"),
        (CLICK, "id: another line has this id"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_and_left_out(bad: str | dict[str, Any], says: str) -> None:
    """By its number, on standard error; the others are judged all the same."""
    text = bad if isinstance(bad, str) else json.dumps(bad)
    result = run_judge(lines(CLICK) + text + "\n" + lines(OPEN | {"id": 5}))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"resonanz: line 2: {says}")
    assert [json.loads(line).get("id") for line in result.stdout.splitlines()] == ["c", 5, None]


@given(
    st.lists(
        st.text(max_size=40)
        | st.dictionaries(
            st.sampled_from([*CLICK, "asn"]),
            st.integers() | st.text() | st.none() | st.booleans() | st.floats() | st.just("open"),
            max_size=12,
        ).map(json.dumps),
        max_size=8,
    )
)
def test_nothing_that_is_read_breaks_it(text: list[str]) -> None:
    """Whatever stands in the lines, each is judged or told."""
    result = run_judge("\n".join(text))
    assert result.exit_code in (0, 1)
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_windows_are_changed_on_the_command_line_or_in_a_file(tmp_path: Path) -> None:
    """The same hits, another patience."""
    hasty = lines(OPEN | {"kind": "sent", "t": 0}, CLICK | {"t": 8})
    assert judged(hasty)[0]["verdict"] == "machine_scanner"
    assert judged(hasty, "--windows", '{"instant_click": 5}')[0]["verdict"] == "human_likely"
    file = tmp_path / "windows.json"
    file.write_text('{"instant_click": 5}')
    assert judged(hasty, "--windows", str(file))[0]["verdict"] == "human_likely"


@pytest.mark.parametrize(
    ("windows", "says"),
    [
        ("{", "--windows: not a JSON object"),
        ('{"patience": 1}', "patience: there is no such window"),
        ('{"sweep": "long"}', "sweep: not a number"),
        ("nowhere.json", "nowhere.json: cannot be read"),
    ],
)
def test_windows_that_cannot_be_used(windows: str, says: str) -> None:
    """Told before anything is judged."""
    result = run_judge(lines(CLICK), "--windows", windows)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"resonanz: {says}")
