"""An erasure of very many: keys, or dead letters of one."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable

from shared_features.definitions import load_definitions
from shared_features.formats.offline_tables import ARRIVAL_DATE, events_table, snapshots_table
from streaming.lake.events_table import events_schema
from streaming.lake.handle import DeltaHandle
from streaming.operations.erasure.stores.lake_rows import LakeRows
from streaming.operations.erasure.subjects.conditions import whose_events
from streaming.operations.erasure.subjects.named import subjects_of
from streaming.replay.snapshots import Snapshots, snapshot_schema
from tests.streaming.operations.erasure.test_command import GONE, STAYS, column, commit_shards
from tests.streaming.operations.stored_world import START_US, StoredWorld
from tests.streaming.small_domain import PAYER, PAYMENTS

MANY = 10_000


def test_many_dead_letters_go(world: StoredWorld) -> None:
    world.send("payments", [(START_US, b'{"payer": %d}' % payer) for payer in (STAYS, *[GONE] * MANY)])
    world.archive()
    commit_shards(world)
    said = world.run("erase", "--entity", "payer", "--key", str(GONE), "--execute")
    assert f"{MANY:,}  dead letters" in said
    assert column(world, "dead_letters", "value") == [b'{"payer": %d}' % STAYS]


def test_many_entities_go(tmp_path: Path) -> None:
    """A chain of so many conditions would overflow the stack of what reads it."""
    small, payers = load_definitions("tests.streaming.small_domain"), range(MANY + 1)
    schema = events_schema(PAYMENTS)
    event = {"kafka_partition": 0, "record_time_us": 1, "arrival_time_us": 1, "arrival_date": "1970-01-01",
             "id": 1, "event_time": 1, "shop": "s", "amount": 1, "note": None}  # fmt: skip
    events = pa.Table.from_pylist([{**event, "payer": each, "kafka_offset": each} for each in payers], schema=schema)
    DeltaHandle(tmp_path / events_table(PAYMENTS), schema, (ARRIVAL_DATE,)).commit(events, {"x": -1}, {"x": 1})
    states = [{"cut_us": 9, "shard": 0, "entity_key": str(each), "state": b"s"} for each in payers]
    table = pa.Table.from_pylist(states, schema=snapshot_schema())
    Snapshots(tmp_path, PAYER, PAYMENTS, "any").write(table, 9)
    snapshots = tmp_path / snapshots_table(PAYER, PAYMENTS)
    subjects = [subjects_of(small, "payer", str(each))[0] for each in payers[:-1]]
    rows = LakeRows(tmp_path, subjects, {"payments": {0: MANY + 1}})
    assert rows.positions(PAYMENTS).num_rows == MANY
    assert rows.erase_events(PAYMENTS) == MANY
    assert rows.erase_snapshots({snapshots: PAYER.entity.keys}) == MANY
    assert [DeltaTable(each).count() for each in (tmp_path / events_table(PAYMENTS), snapshots)] == [1, 1]


def test_keys_of_several_fields_are_asked_for_in_pieces() -> None:
    machines = load_definitions("tests.domains.machines")
    subjects = [subjects_of(machines, "machine", f"p|{each}")[0] for each in range(250)]
    conditions = list(whose_events(machines.source("readings"), subjects))
    assert [each.count(" OR ") + 1 for each in conditions] == [100, 100, 50]
    assert conditions[2].endswith("(\"plant\" = 'p' AND \"machine\" = '249')")
