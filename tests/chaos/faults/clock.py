"""Clocks that step: of the job, and of the broker, whose time stamps the records."""

from __future__ import annotations

import random

from tests.chaos.clock import SteppingClock
from tests.chaos.faults.fault import fault, pause
from tests.chaos.world import World

_FURTHEST_AHEAD_S = 3.0  # a stamp or mark ahead of time has to be waited for at the end
_FURTHEST_BEHIND_S = 20.0


def stepping(world: World, clock: SteppingClock, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 3))):
        ahead_s = chance.choice((chance.uniform(0.5, _FURTHEST_AHEAD_S), -chance.uniform(0.5, _FURTHEST_BEHIND_S)))
        world.note(f"  stepped to {ahead_s:+.1f} s")
        clock.step_to(ahead_s)
        pause(chance, 0.5, 2)
    clock.step_to(0)


@fault("job_clock", lacking="clock")
def job_clock_stepped(world: World, chance: random.Random) -> None:
    stepping(world, world.ground.job_clock, chance)


@fault("broker_clock", lacking="clock")
def broker_clock_stepped(world: World, chance: random.Random) -> None:
    stepping(world, world.ground.broker_clock, chance)
