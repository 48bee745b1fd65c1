"""A fault: its kind, what it needs for itself, how likely it is drawn, and what it does."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.world import World

Act = Callable[[World, random.Random], None]
"""Does it, from begin to end. Whatever it draws comes from the given random stream alone."""


@dataclass(frozen=True)
class Fault:
    """`wants`: resources that no other fault may touch meanwhile. `lacking`: what it cannot do without on a machine.
    `brokers`: how many it needs; most seeds have one.
    """

    kind: str
    act: Act
    wants: frozenset[str]
    weight: float = 1.0
    lacking: str | None = None
    brokers: int = 1


FAULTS: dict[str, Fault] = {}


def fault(*wants: str, weight: float = 1.0, lacking: str | None = None, brokers: int = 1) -> Callable[[Act], Act]:
    """Register a function as the fault of its name."""

    def register(act: Act) -> Act:
        kind = act.__name__
        FAULTS[kind] = Fault(kind, act, frozenset(wants), weight, lacking, brokers)
        return act

    return register


def pause(chance: random.Random, shortest_s: float, longest_s: float) -> None:
    """Let that much time go by."""
    time.sleep(chance.uniform(shortest_s, longest_s))
