"""Which faults a seed has, and when: drawn ahead, from the seed alone."""

from __future__ import annotations

import random
import threading
import time
import traceback
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tests.chaos.faults import FAULTS, Fault
from tests.chaos.world import World

FEWEST, MOST = 3, 8
TWO_BROKERS_EVERY = 5
"""Two brokers take longer to start, and twice the memory."""
_APART_S = (0.1, 2.2)


@dataclass(frozen=True)
class Planned:
    """A fault of a seed, so many seconds after the traffic began, and later where it has to wait for another."""

    number: int
    at_s: float
    fault: Fault

    def stream(self, seed: int) -> random.Random:
        """What the fault draws from: equal for equal seeds, whatever the others draw."""
        return random.Random(f"{seed} {self.number} {self.fault.kind}")

    def __str__(self) -> str:
        return f"{self.at_s:5.1f} s  {self.fault.kind}"


def brokers_of(seed: int, only: Collection[str] = ()) -> int:
    """How many brokers a seed has: two in every fifth, and where all kinds to draw from need two."""
    two = seed % TWO_BROKERS_EVERY == 0 or (bool(only) and all(FAULTS[kind].brokers == 2 for kind in only))
    return 2 if two else 1


def draw(seed: int, *, lacking: Collection[str] = (), only: Collection[str] = ()) -> list[Planned]:
    """The faults of a seed. `lacking`: what the ground has not; `only`: the kinds to draw from, all when empty."""
    chance = random.Random(f"schedule {seed}")
    kinds = [each for kind, each in sorted(FAULTS.items()) if kind in only or not only]
    kinds = [each for each in kinds if each.lacking not in lacking and each.brokers <= brokers_of(seed, only)]
    planned, at_s = [], 0.0
    for number in range(chance.randint(FEWEST, MOST)):
        at_s += chance.uniform(*_APART_S)
        (fault,) = chance.choices(kinds, [each.weight for each in kinds])
        planned.append(Planned(number, at_s, fault))
    return planned


def carry_out(world: World, plan: Sequence[Planned]) -> list[str]:
    """All of it; faults that strike different things overlap. Returns what failed, as traces."""
    failed: list[str] = []

    def strike(planned: Planned) -> None:
        time.sleep(max(0.0, planned.at_s - (time.monotonic() - world.begun)))
        try:
            with world.alone_with(planned.fault.wants):
                world.note(f"{planned.fault.kind} begins")
                planned.fault.act(world, planned.stream(world.seed))
                world.note(f"{planned.fault.kind} ends")
        except Exception:
            world.note(f"{planned.fault.kind} failed")
            failed.append(f"{planned.fault.kind}: {traceback.format_exc()}")

    threads = [threading.Thread(target=strike, args=(each,), name=each.fault.kind, daemon=True) for each in plan]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed
