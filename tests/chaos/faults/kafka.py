"""Faults of the brokers: killed and frozen; of two brokers also leaders that move, one that is fenced, coordinators."""

from __future__ import annotations

import random

from tests.chaos.faults.fault import fault, pause
from tests.chaos.world import World
from tests.end_to_end.two_brokers import TwoBrokers

FENCED_AFTER_S = 3.5
"""Longer than the session that a broker has with the controller."""
COORDINATORS = "__consumer_offsets"


@fault("broker", weight=0.7)
def broker_killed(world: World, chance: random.Random) -> None:
    broker = chance.choice(world.ground.brokers)
    broker.kill()
    pause(chance, 0, 1.5)
    broker.start()


@fault("broker", weight=0.7)
def broker_frozen(world: World, chance: random.Random) -> None:
    broker = chance.choice(world.ground.brokers)
    broker.pause()
    pause(chance, 0.5, 4)
    broker.resume()


@fault("broker", weight=4, brokers=2)
def leaders_moved(world: World, chance: random.Random) -> None:
    """The second broker ends in order, as in a rolling restart: its leaders go to the first, and later come home."""
    pair = two(world)
    pair.second.stop()
    pause(chance, 0, 2)
    pair.second.start()
    pause(chance, 0, 1)
    home(world)


@fault("broker", weight=4, brokers=2)
def broker_fenced(world: World, chance: random.Random) -> None:
    """Frozen until the controller has given its leaders away. When it wakes, it still believes that it leads."""
    pair = two(world)
    pair.second.pause()
    pause(chance, FENCED_AFTER_S, FENCED_AFTER_S + 4)
    pair.second.resume()
    pause(chance, 0.5, 2)
    home(world)


@fault("broker", weight=4, brokers=2)
def coordinator_lost(world: World, chance: random.Random) -> None:
    """The broker that coordinates the consumer group is killed. Sinks own their positions, so nobody may need it."""
    pair = two(world)
    leader = pair.leaders(COORDINATORS)[0]
    world.note(f"  broker {leader} coordinates, and is killed")
    broker = pair.first if leader == pair.first.node else pair.second
    broker.kill()
    pause(chance, 0, 3)
    broker.start()


def two(world: World) -> TwoBrokers:
    """The brokers of a seed that has two, both in step: whichever goes, the other one has every record."""
    world.ground.wait_until_in_step()
    pair = world.ground.pair
    assert pair is not None, "this seed has one broker"
    return pair


def home(world: World) -> None:
    """Leaders go where they were at first."""
    pair = two(world)
    pair.send_leaders_home()
    world.note(f"  leaders now: {', '.join(str(pair.leaders(topic)) for topic in world.topics)}")
