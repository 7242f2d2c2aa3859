"""Every code that a page may show has words."""

from __future__ import annotations

import pytest

from resonanz.ingest.judge import Reason
from resonanz.insight import (
    explain_confidence,
    explain_coverage,
    explain_reason,
    explain_refusal,
    explain_untracked,
    explain_verdict,
)
from resonanz.insight.explain import TOO_SMALL_A_GROUP, Explanation
from resonanz.mail.refusals import Reason as Refused
from resonanz.mail.tracking import Reason as Untracked
from resonanz.model import Confidence, Coverage, Verdict

EVERY = [
    *[explain_verdict(verdict) for verdict in Verdict],
    *[explain_confidence(confidence) for confidence in Confidence],
    *[explain_coverage(coverage) for coverage in Coverage],
    *[explain_reason(reason) for reason in Reason],
    *[explain_untracked(reason) for reason in Untracked],
    *[explain_refusal(reason) for reason in Refused],
    TOO_SMALL_A_GROUP,
]


@pytest.mark.parametrize("explanation", EVERY, ids=lambda explanation: str(explanation.code))
def test_every_code_is_explained_in_sentences(explanation: Explanation) -> None:
    """A name without underscores, and whole sentences behind it."""
    assert explanation.title
    assert "_" not in explanation.title
    assert explanation.text.endswith(".")


def test_no_two_codes_of_a_kind_read_alike() -> None:
    """Whoever sees two of them can tell them apart."""
    titles = [explain_verdict(verdict).title for verdict in Verdict]
    assert len(set(titles)) == len(titles)


def test_codes_of_another_version_are_shown_as_they_stand() -> None:
    """Facts outlive the judge that made them; an unknown code is no failure."""
    assert explain_reason("moon_phase").title == "moon phase"
    assert explain_untracked("moon_phase").title == "moon phase"
