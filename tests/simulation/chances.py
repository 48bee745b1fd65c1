"""What chance decides: all of it from one seed, and counted by kind."""

from __future__ import annotations

import random
from collections import Counter

from tests.simulation.scheduler import current_actor


class Chances:
    """`calm`: no faults any more, whatever the rates."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.rate = self.random.choice((0.0, 0.01, 0.03, 0.08))
        self.calm = False

    def point(self) -> None:
        """A place where the actor may be paused or killed."""
        actor = current_actor()
        if actor is not None:
            actor.point()

    def rest(self) -> None:
        """A point at which the actor waits for something that others have to do."""
        actor = current_actor()
        if actor is not None:
            actor.rest()

    def fault(self, kind: str, weight: float = 1.0) -> bool:
        """Whether a fault of this kind strikes here."""
        if self.calm or current_actor() is None or self.random.random() >= self.rate * weight:
            return False
        self.counts[kind] += 1
        return True

    def count(self, what: str) -> None:
        """That it happened; of processes of several spines together."""
        self.counts[what.partition(" page")[0].partition(" reader")[0]] += 1
