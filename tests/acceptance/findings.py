"""What an acceptance run counts, and what it found wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Findings:
    """Counts by name, and one line for each thing that is not as it must be."""

    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)  # single cases behind a figure, which may be a few

    def check(self, holds: bool, name: str, file: str, detail: str = "") -> None:
        """Count one check; remember it when it does not hold."""
        self.counts[name] += 1
        if not holds:
            self.counts[f"{name}, failed"] += 1
            self.wrong.append(f"{name}: {file} {detail}".rstrip())

    def lines(self) -> list[str]:
        """Return the report."""
        counted = [f"  {count:7d}  {name}" for name, count in sorted(self.counts.items())]
        reasons = [f"  {count:7d}  {name}" for name, count in self.reasons.most_common()]
        return [
            "checks:",
            *counted,
            "left alone, by reason:",
            *reasons,
            *(f"missed: {line}" for line in self.missed),
            *self.figures,
            *(f"WRONG {line}" for line in self.wrong),
        ]
