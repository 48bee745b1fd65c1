"""Faults of the broker: killed and frozen."""

from __future__ import annotations

import random

from tests.chaos.faults.fault import fault, pause
from tests.chaos.world import World


@fault("broker", weight=0.7)
def broker_killed(world: World, chance: random.Random) -> None:
    world.ground.kafka.kill()
    pause(chance, 0, 1.5)
    world.ground.kafka.start()


@fault("broker", weight=0.7)
def broker_frozen(world: World, chance: random.Random) -> None:
    world.ground.kafka.pause()
    pause(chance, 0.5, 4)
    world.ground.kafka.resume()
