"""Faults of redis-server: gone, set back, emptied, full, loading, frozen. Always under a live job."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

from tests.chaos.faults.fault import fault, pause
from tests.chaos.world import World

_REWRITTEN_WITHIN_S = 240.0


def append_only_file(world: World) -> Path:
    """The file that grows now."""
    files = (world.ground.folder / "redis" / "appendonlydir").glob("*.incr.aof")
    return max(files, key=lambda path: int(path.name.split(".")[-3]))


@fault("redis", weight=2)
def redis_killed(world: World, chance: random.Random) -> None:
    world.ground.redis.kill()
    pause(chance, 0, 2.5)
    world.ground.redis.start()


@fault("redis", weight=2)
def redis_set_back(world: World, chance: random.Random) -> None:
    """As a loss of power makes it: up to about the last second of the append-only file is missing."""
    file = append_only_file(world)
    before = file.stat().st_size
    pause(chance, 0.4, 1.2)
    world.ground.redis.kill()
    after = file.stat().st_size
    kept = before + int((after - before) * chance.uniform(0, 0.5))
    with file.open("r+b") as cut:
        cut.truncate(kept)
    world.note(f"  {after - kept} of {after} bytes are gone")
    pause(chance, 0, 1)
    world.ground.redis.start()


@fault("redis", weight=1.5)
def redis_emptied(world: World, chance: random.Random) -> None:
    world.ground.redis.kill()
    shutil.rmtree(world.ground.folder / "redis" / "appendonlydir")
    pause(chance, 0, 1)
    world.ground.redis.start()


@fault("redis")
def redis_flushed(world: World, chance: random.Random) -> None:
    with world.redis() as client:
        client.flushall()


@fault("redis")
def redis_full(world: World, chance: random.Random) -> None:
    with world.redis() as client:
        client.config_set("maxmemory", 1)
        pause(chance, 0.3, 3)
        client.config_set("maxmemory", 0)


@fault("redis")
def redis_loading(world: World, chance: random.Random) -> None:
    """Killed, and then it takes a second or two to load what it has, and says so to everybody."""
    redis = world.ground.redis
    with world.redis() as client:
        client.bgrewriteaof()
        deadline = time.monotonic() + _REWRITTEN_WITHIN_S
        while client.info("persistence")["aof_rewrite_in_progress"]:
            assert time.monotonic() < deadline, "redis-server does not end its rewrite"
            time.sleep(0.02)
        keys = max(1, int(client.dbsize()))
    redis.kill()
    each_us = int(chance.uniform(0.5, 2) * 1e6 / keys)
    redis.options = {"key-load-delay": str(each_us), "loading-process-events-interval-bytes": "1024"}
    redis.start()
    redis.options = {}
    with world.redis() as client:
        client.config_set("key-load-delay", 0)
        world.note(f"  loaded {keys} keys slowly")


@fault("redis")
def redis_frozen(world: World, chance: random.Random) -> None:
    world.ground.redis.pause()
    pause(chance, 0.5, 4)
    world.ground.redis.resume()
