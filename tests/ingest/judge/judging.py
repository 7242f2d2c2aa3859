"""Traces through reading, judging and printing."""

from __future__ import annotations

import json
from typing import Any

from resonanz.ingest.judge import Windows
from resonanz.ingest.judge.trace import judge_trace, read_trace
from tests.kit.traces import classify

SECOND = 1_000_000


def judged(text: str, *, at: float | None = None, windows: Windows | None = None) -> list[dict[str, Any]]:
    """Return what is said of a trace that holds nothing bad."""
    trace = read_trace(text.splitlines(), classify)
    assert trace.bad == []
    lines = judge_trace(trace, windows or Windows(), now=None if at is None else round(at * SECOND))
    return [json.loads(json.dumps(line)) for line in lines]


def summaries(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the lines about messages, by message."""
    return {line["message"]: line for line in lines if "message" in line}
