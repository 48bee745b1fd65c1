"""Faults under Delta: a full disk, a torn last commit, a checkpoint that is blocked, care at the wrong moment."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from streaming.lake.compaction import compact
from tests.chaos.faults.fault import fault, pause
from tests.chaos.world import World

_SAID_WITHIN_S = 240.0
_BLOCKED_CHECKPOINTS = 6


def tables(world: World) -> list[Path]:
    """The tables that there are, in order of their names."""
    return sorted(path.parent for path in world.job.lake.glob("*/_delta_log") if list(path.glob("*.json")))


def last_version(table: Path) -> int:
    return max(int(path.stem) for path in (table / "_delta_log").glob("*.json") if path.stem.isdigit())


@fault("lake", lacking="disk")
def disk_full(world: World, chance: random.Random) -> None:
    """Full at once, and for some moments in between not: so that it also fills under a write that had begun."""
    disk = world.ground.lakes
    for _ in range(chance.choice((1, 6, 20))):
        disk.fill(leave_bytes=chance.choice((0, 0, 100_000, 17 << 20)))
        pause(chance, 0.03, 0.5)
        disk.empty_ballast()
        pause(chance, 0.0, 0.1)


@fault("lake", weight=1.5)
def compacted(world: World, chance: random.Random) -> None:
    """The care of the lake by another process, again and again beside the writers."""
    until = time.monotonic() + chance.uniform(0.5, 3)
    files = 0
    while time.monotonic() < until:
        for table in tables(world):
            try:
                files += compact(table, crowded=2)
            except DeltaError as error:  # a writer came first: that is the writers' right
                world.note(f"  {table.name} could not be compacted: {str(error)[:80]}")
        pause(chance, 0, 0.2)
    world.note(f"  {files} files were put together")


@fault("lake")
def checkpoint_blocked(world: World, chance: random.Random) -> None:
    """A checkpoint falls due with every fifth commit, and something stands where the next ones shall be written."""
    if not tables(world):
        return
    table = chance.choice(tables(world))
    try:
        DeltaTable(table).alter.set_table_properties({"delta.checkpointInterval": "5"})
    except DeltaError as error:
        world.note(f"  {table.name} could not be altered: {str(error)[:80]}")
        return
    first = last_version(table) // 5 * 5 + 5
    blocks = [
        table / "_delta_log" / f"{version:020}.checkpoint.parquet"
        for version in range(first, first + 5 * _BLOCKED_CHECKPOINTS, 5)
    ]
    blocks = [block for block in blocks if not block.exists()]
    for block in blocks:
        block.mkdir(exist_ok=True)
    world.note(f"  blocked from version {first} on in {table.name}")
    pause(chance, 1, 4)
    for block in blocks:
        if block.is_dir():
            block.rmdir()


@fault("job", "lake")
def torn_commit(world: World, chance: random.Random) -> None:
    """Power is lost in the middle of a commit, which so was never acknowledged. The job refuses the table, says what to
    do, and its operator does it: stop all writers, delete that file.
    """
    world.instances.end(world.instances.current)
    found = [path for path in tables(world) if last_version(path) > 0]
    if found:
        table = chance.choice(found)
        torn = tear(table, chance)
        world.note(f"  torn: {table.name} version {torn.stem}")
        world.instances.start()
        log = world.instances.current.child.log
        deadline = time.monotonic() + _SAID_WITHIN_S
        while "is torn" not in log.read_text():
            assert time.monotonic() < deadline, f"nothing refuses the torn commit of {table.name}; see {log}"
            time.sleep(0.1)
        assert last_version(table) == int(torn.stem), f"somebody has written on top of the torn commit {torn}"
        world.instances.end(world.instances.current)
        torn.unlink()
    world.instances.start()


def tear(table: Path, chance: random.Random) -> Path:
    """A next commit as a loss of power leaves it: cut off, empty, or without its data."""
    log = table / "_delta_log"
    last = last_version(table)
    lines = (log / f"{last:020}.json").read_text().splitlines()
    actions = [json.loads(line) for line in lines]
    for action in actions:
        if "txn" in action:
            action["txn"]["version"] += 1
        if "add" in action:
            action["add"]["path"] = action["add"]["path"].replace("part-", "lost-")
    text = "\n".join(json.dumps(action, separators=(",", ":")) for action in actions)
    how = chance.choice(("cut", "empty", "positions lost"))
    if how == "cut":
        text = text[: chance.randrange(1, len(text) - 1)]
        text = text if not text.endswith("}") else text[:-1]
    elif how == "empty":
        text = ""
    else:
        kept = [action for action in actions if "txn" not in action]
        text = "\n".join(json.dumps(action, separators=(",", ":")) for action in kept)
    torn = log / f"{last + 1:020}.json"
    torn.write_text(text)
    return torn
