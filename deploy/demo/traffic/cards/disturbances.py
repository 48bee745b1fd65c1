"""How real traffic differs from a tidy table: what comes late, twice, or wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deploy.demo.traffic.cards.event_bytes import DEAD, EVENT, EVENT_WITH_UNKNOWN, FIRST_DEAD
from deploy.demo.traffic.cards.transactions import DAY_US

Int64 = NDArray[np.int64]
Kinds = NDArray[np.uint8]

SECOND_US, MINUTE_US = 1_000_000, 60_000_000
ON_THE_WAY_US = 2 * SECOND_US  # the longest that an event in time travels
LATE_US = (11 * MINUTE_US, 12 * 60 * MINUTE_US)
VERY_LATE_US = (DAY_US, 5 * DAY_US)
VERY_LATE_SHARE = 0.1
AGAIN_US = (SECOND_US, 5 * MINUTE_US)


@dataclass(frozen=True)
class Disturbances:
    """Shares of the transactions, 0 to 1. late: arrive minutes to hours after their event time, a tenth of them
    days. duplicate: come again later, byte for byte. malformed: so many wrong records of all kinds beside them.
    """

    late: float = 0.01
    duplicate: float = 0.005
    malformed: float = 0.001

    def __post_init__(self) -> None:
        for name, share in vars(self).items():
            if not 0 <= share <= 1:
                raise ValueError(f"{name} is {share}; a share lies between 0 and 1")

    def delays_us(self, count: int, rng: np.random.Generator) -> tuple[Int64, NDArray[np.bool_]]:
        """How long each of so many events takes to arrive, and which of them are late."""
        delay = rng.exponential(0.05 * SECOND_US, count).clip(1_000, ON_THE_WAY_US)
        late = rng.random(count) < self.late
        very = late & (rng.random(count) < VERY_LATE_SHARE)
        spread = rng.random(count)  # log-uniform: minutes are as frequent as hours
        for which, (low, high) in ((late, LATE_US), (very, VERY_LATE_US)):
            delay[which] = low * (high / low) ** spread[which]
        return delay.astype(np.int64), late

    def again(self, candidates: Int64, count: int, rng: np.random.Generator) -> tuple[Int64, Int64]:
        """Which of the candidates come again, for `count` transactions, and how much later."""
        wanted = rng.binomial(count, self.duplicate)
        chosen = rng.choice(candidates, min(wanted, len(candidates)), replace=False)
        return chosen, rng.integers(*AGAIN_US, len(chosen))

    def kinds(self, count: int, rng: np.random.Generator) -> Kinds:
        """uint8[count]: most are plain events, some carry an unknown field."""
        unknown = rng.random(count) < self.malformed / (len(DEAD) + 1)
        return np.where(unknown, EVENT_WITH_UNKNOWN, EVENT).astype(np.uint8)

    def dead(self, count: int, rng: np.random.Generator) -> tuple[Int64, Kinds]:
        """Rows, among `count`, that are repeated as wrong records, and the kind of each."""
        wanted = rng.binomial(count, self.malformed * len(DEAD) / (len(DEAD) + 1))
        kind = FIRST_DEAD + rng.integers(0, len(DEAD), wanted)
        return rng.integers(0, max(count, 1), wanted), kind.astype(np.uint8)
