"""Faults of the job's own processes: killed, asked to end, frozen, doubled, woken after they were replaced."""

from __future__ import annotations

import random
import signal
import time

from tests.chaos.faults.fault import fault, pause
from tests.chaos.instances import Process
from tests.chaos.world import World

_WORKERS = (1, 1, 1, 2, 2, 3, 4)
_HERE_WITHIN_S = 240.0


def a_dataflow(world: World, chance: random.Random) -> tuple[str, list[Process]]:
    """One of the dataflows that run, and all its processes. It may be starting anew: then wait for it."""
    deadline = time.monotonic() + _HERE_WITHIN_S
    while True:
        processes = world.instances.current.processes()[1:]
        if processes:
            name = chance.choice(sorted({each.name for each in processes}))
            return name, [each for each in processes if each.name == name]
        if time.monotonic() > deadline:
            raise AssertionError(f"no dataflow runs: {world.instances.current.child.last_words(20)}")
        time.sleep(0.1)


@fault("job", weight=2)
def kill_one(world: World, chance: random.Random) -> None:
    name, processes = a_dataflow(world, chance)
    process = chance.choice(processes)
    world.note(f"  kill -9 {name} {process.pid}")
    process.signal(signal.SIGKILL)


@fault("job")
def kill_all(world: World, chance: random.Random) -> None:
    world.instances.end(world.instances.current)
    pause(chance, 0, 1)
    world.instances.start()


@fault("job")
def terminate_one(world: World, chance: random.Random) -> None:
    name, processes = a_dataflow(world, chance)
    world.note(f"  SIGTERM {name}")
    chance.choice(processes).signal(signal.SIGTERM)


@fault("job")
def terminate_all(world: World, chance: random.Random) -> None:
    code = world.instances.current.stop()
    world.note(f"  drained, exit code {code}")
    world.instances.end(world.instances.current)
    world.instances.start()


@fault("job")
def freeze_one(world: World, chance: random.Random) -> None:
    name, processes = a_dataflow(world, chance)
    process = chance.choice(processes)
    world.note(f"  frozen: {name} {process.pid}")
    process.signal(signal.SIGSTOP)
    pause(chance, 0.3, 4)
    process.signal(signal.SIGCONT)


@fault("job")
def freeze_all(world: World, chance: random.Random) -> None:
    instance = world.instances.current
    frozen = instance.processes()
    for process in frozen:
        process.signal(signal.SIGSTOP)
    pause(chance, 0.3, 4)
    for process in frozen:
        process.signal(signal.SIGCONT)


@fault("job", weight=1.5)
def zombie_dataflow(world: World, chance: random.Random) -> None:
    """Frozen for longer than its replacement needs to start, then woken."""
    name, frozen = a_dataflow(world, chance)
    for process in frozen:
        process.signal(signal.SIGSTOP)
    world.note(f"  frozen: {name}, replaced")
    replacement = world.instances.start_only(name)
    pause(chance, 3, 5)
    world.note("  woken")
    for process in frozen:
        process.signal(signal.SIGCONT)
    pause(chance, 0.5, 2.5)
    world.instances.end(replacement)


@fault("job")
def zombie_instance(world: World, chance: random.Random) -> None:
    old = world.instances.current
    frozen = old.processes()
    for process in frozen:
        process.signal(signal.SIGSTOP)
    new = world.instances.start()
    pause(chance, 4, 6)
    world.note("  woken")
    for process in frozen:
        process.signal(signal.SIGCONT)
    pause(chance, 0.5, 2.5)
    world.instances.end(chance.choice([old, new]))


@fault("job")
def two_instances(world: World, chance: random.Random) -> None:
    old = world.instances.current
    new = world.instances.start()
    pause(chance, 4, 7)
    world.instances.end(chance.choice([old, new]))


@fault("job", weight=1.5)
def other_workers(world: World, chance: random.Random) -> None:
    if chance.random() < 0.5:
        world.instances.current.stop()
    world.instances.end(world.instances.current)
    workers = chance.choice(_WORKERS)
    world.note(f"  now {workers} workers")
    world.instances.start(workers)
