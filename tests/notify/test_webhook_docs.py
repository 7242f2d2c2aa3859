"""docs/webhooks.md says what is so: its example checks real messages, its tables are those of the code."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from resonanz.notify.webhooks import endpoints, retries
from resonanz.notify.webhooks.dispatch import MOST_WAITING
from resonanz.notify.webhooks.signing import headers, new_secret
from resonanz.notify.webhooks.types import TYPES

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()


def example(language: str) -> str:
    """The page's example in a language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def test_the_example_checks_signatures() -> None:
    """It takes what is genuine, also beside the signature of a newer secret, and refuses everything else."""
    names: dict[str, Any] = {}
    exec(example("python"), names)
    verify = names["verify"]
    secret, newer, now, body = new_secret(), new_secret(), int(time.time()), b'{"type":"webhook.test"}'
    assert verify(secret, headers("msg_1", now, body, [newer, secret]), body) == {"type": "webhook.test"}
    good = headers("msg_1", now, body, [secret])
    for wrong, sent in (
        (good, body + b" "),
        ({**good, "webhook-id": "msg_2"}, body),
        (headers("msg_1", now, body, [newer]), body),
        (headers("msg_1", now - 400, body, [secret]), body),
    ):
        with pytest.raises(ValueError):
            verify(secret, wrong, sent)


def test_the_payload_keeps_to_its_schema() -> None:
    """The message that is shown could be one, field by field."""
    shown = json.loads(example("json"))
    schema = TYPES[shown["type"]].schema
    jsonschema_rs.validate(schema, shown)
    assert list(shown["data"]) == list(schema["properties"]["data"]["properties"])


def test_the_tables_are_those_of_the_code() -> None:
    """Every type with its meaning, and the spans and limits."""
    listed = re.findall(r"^\| `([a-z]+\.[a-z]+)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert listed == [(one.name, one.text) for one in TYPES.values()]
    spans = [span.total_seconds() for span in retries.AGAIN_AFTER]
    units = {"s": 1, "min": 60, "h": 3600}
    told = re.search(r"days: after (.*), each a tenth", PAGE)
    assert told
    assert [int(n) * units[unit] for n, unit in re.findall(r"(\d+) (s|min|h)\b", told[1])] == spans
    assert f"{len(spans) + 1} within three days" in PAGE
    assert f"At most {MOST_WAITING:,} messages wait" in PAGE
    assert f"An account has {endpoints.MOST_ENDPOINTS} endpoints" in PAGE
