"""Faults between the job and its servers: torn, slow and silent connections, and a commit that arrives late."""

from __future__ import annotations

import random

from tests.chaos.faults.fault import fault, pause
from tests.chaos.proxy import Proxy
from tests.chaos.world import REDIS_TIMEOUT_S, World


def torn(world: World, proxy: Proxy, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 3, 8))):
        world.note(f"  {proxy.reset_all()} connections reset")
        pause(chance, 0.05, 0.6)


def slow(proxy: Proxy, chance: random.Random) -> None:
    proxy.slow_down(chance.uniform(0.01, 0.25))
    pause(chance, 0.5, 3)
    proxy.slow_down(0)


def silent(proxy: Proxy, chance: random.Random) -> None:
    proxy.fall_silent()
    pause(chance, 0.5, 5)
    proxy.speak()


@fault("redis_net")
def redis_torn(world: World, chance: random.Random) -> None:
    torn(world, world.ground.redis_proxy, chance)


@fault("redis_net")
def redis_slow(world: World, chance: random.Random) -> None:
    slow(world.ground.redis_proxy, chance)


@fault("redis_net")
def redis_silent(world: World, chance: random.Random) -> None:
    silent(world.ground.redis_proxy, chance)


@fault("redis_net", weight=2)
def commit_late(world: World, chance: random.Random) -> None:
    """The call times out at its caller, who asks what became of it and goes on; then it arrives."""
    proxy = world.ground.redis_proxy
    before = proxy.held_back
    for_s = REDIS_TIMEOUT_S + chance.uniform(-0.3, 1.5)
    proxy.hold_back(b"EVALSHA", for_s=for_s, count=chance.choice((1, 2, 4)))
    pause(chance, for_s + 0.5, for_s + 1)
    world.note(f"  {proxy.held_back - before} commits were {for_s:.2f} s late")
    proxy.be_good()


@fault("kafka_net")
def kafka_torn(world: World, chance: random.Random) -> None:
    torn(world, chance.choice(world.ground.kafka_proxies), chance)


@fault("kafka_net")
def kafka_slow(world: World, chance: random.Random) -> None:
    slow(chance.choice(world.ground.kafka_proxies), chance)


@fault("kafka_net")
def kafka_silent(world: World, chance: random.Random) -> None:
    silent(chance.choice(world.ground.kafka_proxies), chance)
