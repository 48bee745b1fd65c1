"""One seed: start, faults under traffic, rest, and then everything has to be right bit for bit."""

from __future__ import annotations

import random
import secrets
import shutil
import time
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.chaos.ground import Ground
from tests.chaos.schedule import Planned, carry_out, draw
from tests.chaos.served import ANSWERED
from tests.chaos.truth import check_truth, wait_for_rest
from tests.chaos.world import World, build_world
from training.inference.audit.findings import LOST_EVENTS

RATE = 80
_FIRST_COMMIT_WITHIN_S = 400.0
_ENOUGH_WITHIN_S = 3_000.0
_ANOTHER = 5_000_000
"""Between the seeds of what is drawn again: the number of brokers stays."""


@dataclass
class Outcome:
    """What became of a seed. `seconds` by phase; `error` is None when all was right."""

    seed: int
    plan: list[Planned]
    folder: Path
    seconds: dict[str, float] = field(default_factory=dict)
    checked: Counter[str] = field(default_factory=Counter)
    error: str | None = None

    @property
    def took_s(self) -> float:
        return sum(self.seconds.values())


def run_seed(
    seed: int,
    ground: Ground,
    folder: Path,
    *,
    only: Collection[str] = (),
    faults: Callable[[World], None] | None = None,
    predictions: int = 0,
) -> Outcome:
    """Run it on a ground of as many brokers as the seed has. `only`: kinds of faults to draw from; `faults`: these
    instead of drawn ones. predictions: faults strike until a real endpoint has made so many; then all are audited.
    """
    chance = random.Random(f"seed {seed}")
    plan = [] if faults else draw(seed, lacking=ground.lacks, only=only)
    outcome = Outcome(seed, [*plan], folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    workers, partitions = chance.choice((1, 1, 1, 2, 2, 3, 4)), chance.choice((1, 2, 3, 4))
    world = build_world(
        seed, secrets.token_hex(3), folder, ground, partitions=partitions, rate=RATE, predictions=predictions
    )
    world.note(f"{workers} workers, {partitions} partitions")

    def timed(name: str, step: Callable[[], object]) -> None:
        began = time.monotonic()
        try:
            step()
        finally:
            outcome.seconds[name] = time.monotonic() - began

    def strike() -> None:
        world.begun = time.monotonic()
        if faults is not None:
            faults(world)
            return
        carry_out_all(world, plan)
        while world.served is not None and not world.served.has_enough:
            outcome.plan += (more := draw_again(world, len(outcome.plan), only))
            carry_out_all(world, more)
        if world.served is not None:
            world.served.stop_asking()

    try:
        timed("start", lambda: start(world, workers))
        timed("faults", strike)
        timed("rest", lambda: wait_for_rest(world))
        timed("check", lambda: outcome.checked.update(check_truth(world)))
        if world.served is not None:
            timed("audit", lambda: outcome.checked.update(check_predictions(world)))
    except Exception:
        outcome.error = traceback.format_exc()
    finally:
        timed("end", lambda: end(world, failed=outcome.error is not None))
    return outcome


def carry_out_all(world: World, plan: Sequence[Planned]) -> None:
    if failed := carry_out(world, plan):
        raise AssertionError("\n".join(failed))


def draw_again(world: World, number: int, only: Collection[str]) -> list[Planned]:
    """Further faults of a seed that has carried out `number`, from now on."""
    assert world.served is not None
    world.served.recover()
    since_s = time.monotonic() - world.begun
    if since_s > _ENOUGH_WITHIN_S:
        raise AssertionError(f"too few predictions after {since_s:.0f} s: {dict(world.served.counts)}")
    drawn = draw(world.seed + number * _ANOTHER, lacking=world.ground.lacks, only=only)
    return [replace(each, number=each.number + number, at_s=each.at_s + since_s) for each in drawn]


def check_predictions(world: World) -> Counter[str]:
    """Every prediction comes out again bit for bit, but those of events that nobody has any more. Returns counts."""
    served = world.served
    assert served is not None
    found = served.audit(world.job.lake)
    said = {f"predictions: {name}": count for name, count in sorted(served.counts.items())}
    assert set(found.by_cause) <= {LOST_EVENTS}, f"{found.by_cause} of {found.records}: {found.differences[:5]}; {said}"
    assert not found.missing, found.missing
    assert found.records >= served.counts[ANSWERED], f"{found.records} records; {said}"
    causes = {f"explained by {cause}": count for cause, count in found.by_cause.items()}
    return Counter({"audited predictions": found.predictions, "equal predictions": found.equal} | causes | said)


def start(world: World, workers: int) -> None:
    """The job runs and the first events are in both stores: faults strike what works."""
    world.traffic.start()
    world.instances.start(workers)
    deadline = time.monotonic() + _FIRST_COMMIT_WITHIN_S
    while not all(max(sink.values(), default=-1) >= 0 for sink in (world.positions() or {"": {}}).values()):
        child = world.instances.current.child
        assert child.running, f"the job ended: {child.last_words(20)}"
        assert time.monotonic() < deadline, f"nothing was stored: {child.last_words(20)}"
        time.sleep(0.1)
    world.asker.start()
    if world.served is not None:
        world.served.start()


def end(world: World, *, failed: bool) -> None:
    """Leave nothing behind; of a seed that failed the lake is kept beside its logs."""
    world.asker.stop()
    if world.served is not None:
        world.served.end()
    world.instances.end_all()
    world.ground.be_good()
    try:
        world.traffic.stop()
    finally:
        if failed:
            shutil.copytree(world.job.lake, world.folder / "lake", dirs_exist_ok=True)
            (world.folder / "appendonly.aof").write_bytes(
                b"".join(path.read_bytes() for path in (world.ground.folder / "redis" / "appendonlydir").glob("*.aof"))
            )
        shutil.rmtree(world.job.lake, ignore_errors=True)
        world.ground.forget([*world.topics, *([world.log_topic] if world.log_topic else [])])
        world.close()
