"""An outage that is longer than Kafka's retention: of the whole job, or of a part of it."""

from __future__ import annotations

import random
import signal

from tests.chaos.faults.fault import fault, pause
from tests.chaos.faults.job import a_dataflow
from tests.chaos.world import World


def delete_some(world: World, chance: random.Random) -> None:
    """Delete up to some offset of some partitions, having kept what was there."""
    held = world.log()
    ends: dict[tuple[str, int], int] = {}
    for topic, number, offset in held:
        ends[topic, number] = max(offset + 1, ends.get((topic, number), 0))
    some = [place for place in sorted(ends) if chance.random() < 0.7] or sorted(ends)[:1]
    up_to = {place: ends[place] - int(ends[place] * 0.1 * chance.random() ** 2) for place in some}
    world.ground.delete_records(up_to)
    world.deleted |= {each for each in held if each[2] < up_to.get(each[:2], 0)}
    world.note(f"  deleted: {', '.join(f'{topic}/{number} to {end}' for (topic, number), end in up_to.items())}")


@fault("job", "broker")
def outage_beyond_retention(world: World, chance: random.Random) -> None:
    world.instances.end(world.instances.current)
    pause(chance, 0.5, 2.5)
    delete_some(world, chance)
    world.instances.start()


@fault("job", "broker")
def dataflow_behind_retention(world: World, chance: random.Random) -> None:
    """One dataflow is away for longer than records are kept, the others are not."""
    name, frozen = a_dataflow(world, chance)
    for process in frozen:
        process.signal(signal.SIGSTOP)
    pause(chance, 1, 3)
    delete_some(world, chance)
    world.note(f"  {name} was away")
    for process in frozen:
        process.signal(signal.SIGCONT)
