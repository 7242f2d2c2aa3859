"""Campaigns whose truth is known: people who open, load images and click as a world says."""

from __future__ import annotations

import random
from dataclasses import dataclass

from resonanz.insight.estimate import Reader, ReaderClass


@dataclass(frozen=True)
class World:
    """How people behave: how many open, load images, click; and what is amiss: how many hide behind privacy protection,
    by which odds image loaders click more, and how many who did not open have a machine's click to their name."""

    delivered: int = 1200
    opens: float = 0.4
    loads: float = 0.7
    clicks: float = 0.25
    private: float = 0.0
    odds: float = 1.0
    leaked: float = 0.0

    def campaign(self, generator: random.Random) -> tuple[int, list[Reader]]:
        """Return how many opened in truth, and what was seen of each recipient."""
        odds = self.clicks / (1 - self.clicks) / self.odds
        other = odds / (1 + odds)
        draw = generator.random
        truth, seen = 0, []
        for _ in range(self.delivered):
            reads = ReaderClass.PRIVACY if draw() < self.private else ReaderClass.DIRECT
            opened = draw() < self.opens
            loaded = opened and draw() < self.loads
            clicked = draw() < ((self.clicks if loaded else other) if opened else self.leaked)
            truth += opened
            seen.append(Reader(reads, loaded and reads is ReaderClass.DIRECT, clicked))
        return truth, seen
