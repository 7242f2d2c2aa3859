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
            "recipients": 1,
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


def test_a_message_that_names_a_whole_mailing() -> None:
    """Each recipient's copy is judged by itself; the message has one line, with what they did added up."""
    sent = {"message": "m", "kind": "sent", "t": 0}
    ben, cleo = {"recipient": "ben@example.org"}, {"recipient": "cleo@example.org"}
    scan = CLICK | cleo | {"ip": "3.80.4.4", "asn": 16509}
    *hits, summary = judged(
        lines(
            *(sent | {"recipient": name} for name in ("alma@example.org", "ben@example.org", "cleo@example.org")),
            OPEN,
            OPEN | ben | {"id": 2},
            OPEN | {"id": 3, "recipient": "Alma@Example.ORG", "t": 9000},
            CLICK | {"id": 4},
            CLICK | ben | {"id": 5},
            *(scan | {"id": 6 + link, "link": link, "t": 4010 + link} for link in range(3)),
        )
    )
    assert [(hit["id"], hit["counted"], hit["repeat_of"]) for hit in hits] == [
        (1, True, None),
        (2, True, None),
        (3, False, 1),
        (4, True, None),
        (5, True, None),
        (6, False, None),
        (7, False, None),
        (8, False, None),
    ]
    assert summary == {
        "message": "m",
        "recipient": None,
        "recipients": 3,
        "coverage": "trackable",
        "opened": "human_proxied",
        "human_opens": 2,
        "indeterminate_opens": 0,
        "machine_opens": 0,
        "inferred_opens": 0,
        "human_clicks": 2,
        "pending_clicks": 0,
        "machine_clicks": 3,
        "unsubscribed": False,
    }


def test_lines_that_leave_out_the_recipient() -> None:
    """They belong to the one recipient that others name; of several, what they report holds for each."""
    delivered = {"message": "m", "kind": "delivered", "t": 4005, "links_total": 5}
    nameless = {name: value for name, value in CLICK.items() if name not in ("recipient", "links_total")}
    for rows in ([delivered, CLICK, nameless | {"id": 2}], [nameless | {"id": 2}, CLICK, delivered]):
        found = judged(lines(*rows))
        assert [line["reasons"] for line in found[:2]] == [["at_once"], ["at_once"]]
        assert [line["recipients"] for line in found[2:]] == [1]
        assert sorted(str(line["repeat_of"]) for line in found[:2]) != ["None", "None"]
    ben = CLICK | {"id": 3, "recipient": "ben@example.org"}
    early, same, nobody, summary = judged(lines(CLICK, ben, delivered, nameless | {"id": 4, "t": 9000}))
    assert early["reasons"] == same["reasons"] == ["at_once"]
    assert (nobody["verdict"], nobody["repeat_of"]) == ("human_likely", None)
    assert (summary["recipients"], summary["human_clicks"], summary["machine_clicks"]) == (3, 1, 2)


def test_names_may_be_numbers_and_numbers_may_be_written_otherwise() -> None:
    """Messages and recipients by number, `AS15169`, 1.0 for 1, a mark of byte order: what other programs write."""
    numbers = OPEN | {"message": 7, "recipient": 9, "ip": "192.0.2.200", "asn": "AS15169"}
    plain = numbers | {"id": 2, "recipient": 10, "asn": "15169"}
    click = CLICK | {"message": 7, "recipient": 9, "link": 1.0, "asn": 3320.0}
    found = judged("\ufeff" + lines(numbers, plain, click, OPEN | {"id": 3, "message": "7"}))
    assert [line["network"] and line["network"]["owner"] for line in found[:3]] == ["Google", "Google", None]
    assert [line["counted"] for line in found[:4]] == [True] * 4
    assert [(line["message"], line["recipients"]) for line in found[4:]] == [(7, 2), ("7", 1)]


def test_who_looks_at_the_unsubscribe_page_and_then_sends_its_form_is_unsubscribed() -> None:
    """The form repeats no look at its page; a look alone, however often, unsubscribes nobody."""
    look = CLICK | {"kind": "unsubscribe_get", "link": None}
    form = look | {"id": "f", "kind": "unsubscribe_post", "t": 4030}
    page, sent, again, summary = judged(lines(look, form, form | {"id": "g", "t": 9000}))
    assert (page["repeat_of"], sent["repeat_of"], again["repeat_of"]) == (None, None, "f")
    assert summary["unsubscribed"] is True
    assert judged(lines(look, look | {"id": "d", "t": 4030}))[-1]["unsubscribed"] is False


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
        ({**OPEN, "message": None}, "message: neither a text"),
        (OPEN | {"asn": "Google"}, "asn: not the number"),
        (OPEN | {"asn": 1.5}, "asn: not a whole number"),
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
