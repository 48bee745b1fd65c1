"""A materialize that runs while an entity is erased starts anew, and never writes a row of its events again."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pyarrow as pa
from deltalake import DeltaTable

from shared_features.formats.offline_tables import CUT_APP, features_table, snapshots_table
from tests.streaming.operations.erasure.test_command import GONE, STAYS, column, commit_shards
from tests.streaming.operations.stored_world import START_US, StoredWorld, payment
from tests.streaming.small_domain import PAYER, PAYMENTS

ROWS = features_table(PAYER, PAYMENTS)


def send(world: StoredWorld, first: int, count: int) -> None:
    """Events of both payers, one a second; outcomes keep the other topic's watermark going."""
    for number in range(first, first + count):
        at = START_US + number * 1_000_000
        for partition, payer in ((0, GONE), (1, STAYS)):
            world.send("payments", [(at, payment(10 * number + partition, at, payer))], partition)
        outcome = f'{{"id": {number}, "event_time": {at}, "shop": "s1", "bad": true}}'
        world.send("outcomes", [(at, outcome.encode())])
    world.archive()


@contextmanager
def materialize(world: StoredWorld) -> Iterator[subprocess.Popen[str]]:
    """The process; gone at the end, whatever came."""
    running = world.started("run", "--only", "materialize")
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def wait_for_rows(world: StoredWorld, running: subprocess.Popen[str], until_s: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and running.poll() is None:
        if DeltaTable.is_deltatable(str(world.lake / ROWS)):
            cut_us = DeltaTable(world.lake / ROWS).transaction_version(CUT_APP) or 0
            if cut_us >= START_US + until_s * 1_000_000:
                return
        time.sleep(0.05)
    raise AssertionError(f"materialize ended or did not come to {until_s} s: {running.poll()}")


def test_a_running_materialize_starts_anew_and_forgets(world: StoredWorld) -> None:
    world.settings = world.settings.model_copy(
        update={"materialize_interval": timedelta(milliseconds=50), "snapshot_interval": timedelta(seconds=1)}
    )
    send(world, 0, 40)
    with materialize(world) as running:
        wait_for_rows(world, running, 39)
        commit_shards(world)
        world.run("erase", "--entity", "payer", "--key", str(GONE), "--execute")
        send(world, 40, 1)
        out, errors = running.communicate(timeout=60)
        assert running.returncode == 75, out + errors
    assert set(column(world, ROWS, "entity_key")) == {str(STAYS)}
    with materialize(world) as again:
        wait_for_rows(world, again, 40)
        again.terminate()
        out, errors = again.communicate(timeout=60)
        assert again.returncode == 0, out + errors
    rows = pa.table(DeltaTable(world.lake / ROWS).scan(columns=["entity_key", "event_time_us"])).to_pylist()
    assert {row["entity_key"] for row in rows} == {str(STAYS)}
    assert len(rows) == len({row["event_time_us"] for row in rows}) in (30, 31)
    states = column(world, snapshots_table(PAYER, PAYMENTS), "entity_key")
    assert set(states) == {str(STAYS)}
