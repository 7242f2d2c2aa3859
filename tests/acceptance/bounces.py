"""Reports read: the right kind, the right recipients, dead or not dead; flufl.bounce on the same files beside it."""

from __future__ import annotations

import csv
import email
import email.policy
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from flufl.bounce import all_failures

from resonanz.mail.refusals import Outcome
from resonanz.mail.reports import Report, ReportKind, read_report
from tests.acceptance.findings import Findings

KIND_SHARE = 0.97
RECIPIENT_SHARE = 0.97
HARD_SHARE = 0.96

_FAILURES = {ReportKind.BOUNCE, ReportKind.DELAY}
_KINDS = {
    "feedback": {ReportKind.COMPLAINT},
    "vacation": {ReportKind.AUTOREPLY},
    "delivered": {ReportKind.DELIVERED},
    "not-a-bounce": {ReportKind.NONE, ReportKind.AUTOREPLY, ReportKind.RECEIPT},
}
# Reports about authentication (RFC 6591) and those that take a complaint back say nothing about the recipient.
_NO_COMPLAINT = {"auth-failure", "not-spam"}
_HARMLESS = ("vacation", "delivered", "not-a-bounce")


@dataclass
class _Expected:
    """What the sources say about one file."""

    recipients: dict[str, str] = field(default_factory=dict)  # address → "0" hard, "1" not, "-1" none, "" not stated
    reason: str = ""
    feedback: str = ""
    is_late: bool = False

    @property
    def kinds(self) -> set[ReportKind] | None:
        """The kinds that are right; None when the source does not say."""
        if self.feedback in _NO_COMPLAINT:
            return {ReportKind.NONE}
        if self.reason in _KINDS:
            return _KINDS[self.reason]
        if self.reason == "no-address-expected" or not self.recipients:
            return None
        return _FAILURES

    @property
    def states_class(self) -> bool:
        """flufl.bounce says permanent or temporary, which is another question than whether the address is dead."""
        return bool(self.reason) and self.reason not in (*_KINDS, "no-address-expected")


def run(corpus: Path, findings: Findings) -> None:
    """Check bounces/ of a corpus."""
    expected = _read(corpus / "bounces")
    shares: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for file in sorted((corpus / "bounces").glob("*.eml")):
        stated = expected.get(file.name)
        if stated is None:
            continue
        data = file.read_bytes()
        _hold(file.name, read_report(data), stated, shares, findings)
        _hold_reference(data, stated, shares)
    for name, least in (("kind", KIND_SHARE), ("recipients", RECIPIENT_SHARE), ("dead or not", HARD_SHARE)):
        right, total = shares[name]
        findings.check(not total or right / total >= least, f"reports, {name} right often enough", f"{right}/{total}")
        findings.figures.append(f"reports, {name} right: {_share(shares[name])}")
    findings.figures.append(f"reports that name nobody else: {_share(shares['nobody else named'])}")
    findings.figures.append(f"reports, recipients right, flufl.bounce: {_share(shares['flufl recipients'])}")
    findings.figures.append(
        f"reports, temporary or permanent for dead or not, flufl.bounce: {_share(shares['flufl dead'])}"
    )


def _share(pair: list[int]) -> str:
    right, total = pair
    return f"{right} of {total}, {100 * right / total:.1f} %" if total else "nothing stated"


def _read(folder: Path) -> dict[str, _Expected]:
    found: dict[str, _Expected] = defaultdict(_Expected)
    for name in ("expected_detail.csv", "expected.csv"):
        if (folder / name).exists():
            with (folder / name).open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    one = found[row["file"]]
                    one.reason = one.reason or row["reason"]
                    one.feedback = row.get("feedback_type") or one.feedback
                    if row["recipient"]:
                        # What only another program said is a hint about the class, not the truth.
                        is_stated = not row["source"].startswith("oracle")
                        one.recipients[row["recipient"].lower()] = row["softbounce"] if is_stated else ""
            break
    return found


def _hold(name: str, report: Report, stated: _Expected, shares: dict[str, list[int]], findings: Findings) -> None:
    kinds = stated.kinds
    if kinds is not None:
        _count(shares["kind"], report.kind in kinds, findings, f"kind: {name} {report.kind}")
    outcomes = {found.address.lower(): found.outcome for found in report.recipients}
    if stated.recipients and stated.feedback not in _NO_COMPLAINT:
        for address in stated.recipients:
            told = f"recipients: {name} {sorted(outcomes)} for {address}"
            _count(shares["recipients"], address in outcomes, findings, told)
        shares["nobody else named"][0] += set(outcomes) <= set(stated.recipients)
        shares["nobody else named"][1] += 1
    if stated.reason in _HARMLESS:
        harmless = Outcome.HARD not in outcomes.values() and report.kind is not ReportKind.COMPLAINT
        findings.check(harmless, "nobody suppressed by what is no bounce", name)
    for address, softness in stated.recipients.items():
        if stated.states_class and softness in ("0", "1") and address in outcomes:
            is_dead = outcomes[address] is Outcome.HARD
            _count(shares["dead or not"], is_dead == (softness == "0"), findings, f"dead or not: {name} {address}")


def _hold_reference(data: bytes, stated: _Expected, shares: dict[str, list[int]]) -> None:
    try:
        temporary, permanent = all_failures(email.message_from_bytes(data, policy=email.policy.compat32))
    except Exception:  # it raises on hostile input, which counts as finding nothing
        temporary, permanent = set(), set()
    failed = {address.decode("utf-8", "replace").lower() for address in temporary | permanent}
    dead = {address.decode("utf-8", "replace").lower() for address in permanent}
    if stated.recipients and stated.feedback not in _NO_COMPLAINT:
        pair = shares["flufl recipients"]
        pair[0] += len(failed & set(stated.recipients))
        pair[1] += len(stated.recipients)
    for address, softness in stated.recipients.items():
        if stated.states_class and softness in ("0", "1") and address in failed:
            pair = shares["flufl dead"]
            pair[0] += (address in dead) == (softness == "0")
            pair[1] += 1


def _count(pair: list[int], holds: bool, findings: Findings, told: str) -> None:
    pair[0] += holds
    pair[1] += 1
    if not holds:
        findings.missed.append(told)
