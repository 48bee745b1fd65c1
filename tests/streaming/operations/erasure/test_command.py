"""An entity is erased from every store, the rest stays, and a command that is killed goes on when it is run again."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import redis
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from shared_features.formats.offline_tables import CUT_APP, ERASURES_APP, features_table, snapshots_table
from shared_features.formats.online_state import entity_prefix, meta_key
from shared_features.formats.shard_meta import ShardMeta, VectorEntry
from shared_features.formats.shard_meta_bytes import decode_meta, encode_meta
from streaming.errors import RestartNeeded
from streaming.kafka.brokers.topics import Topics
from streaming.lake.handle import DeltaHandle
from streaming.materialize.spine_rows import feature_schema
from streaming.operations.erasure import erasure
from streaming.operations.erasure.record import salt
from streaming.operations.erasure.subjects.named import subjects_of
from streaming.replay.snapshots import Snapshots, snapshot_schema
from tests.depth import cases
from tests.streaming.operations.stored_world import START_US, StoredWorld, payment
from tests.streaming.small_domain import PAYER, PAYMENTS

GONE, STAYS = 77, 5
STEPS = {
    "after the beginning is stored": ("Logs", "wait_for_archive"),
    "before events": ("LakeRows", "erase_events"),
    "before snapshots": ("LakeRows", "erase_snapshots"),
    "before feature rows": ("LakeRows", "erase_feature_rows"),
    "before dead letters": ("DeadLetters", "erase"),
    "before the count": ("LakeRows", "count_erasure"),
    "before Redis": ("OnlineStates", "erase"),
}


@pytest.fixture
def stored(world: StoredWorld, tmp_path: Path) -> StoredWorld:
    """Ten events of each of two payers, with all that follows from them, and dead letters of both."""
    world.settings = world.settings.model_copy(update={"training_runs": tmp_path / "training"})
    for number in range(10):
        for partition, payer in ((0, GONE), (1, GONE), (0, STAYS), (1, STAYS)):
            at = START_US + number * 1000
            value = payment(1000 * number + payer + 500 * partition, at, payer)
            world.send("payments", [(at, value)], partition)
    for payer in (GONE, STAYS):
        world.send("payments", [(START_US, json.dumps({"payer": payer, "id": "x"}).encode())])
    world.archive()
    store_derived(world)
    commit_shards(world)
    return world


def store_derived(world: StoredWorld) -> None:
    names = ["kafka_partition", "kafka_offset", "event_time", "arrival_time_us", "payer", "shop"]
    rows = pa.table(DeltaTable(world.lake / "events_payments").scan(columns=names)).to_pylist()
    for group, spine in world.catalogue.spines:
        schema = feature_schema(group)
        features = {feature.name: 1.0 for feature in group.features}
        table = [
            {**features, **row, "event_time_us": row["event_time"], "late": False, "copy": False,
             "entity_key": str(row[group.entity.keys[0]])}
            for row in rows
        ]  # fmt: skip
        handle = DeltaHandle(world.lake / features_table(group, spine), schema)
        handle.commit(pa.Table.from_pylist(table, schema=schema), {CUT_APP: -1}, {CUT_APP: 9})
        keys = sorted({each["entity_key"] for each in table})
        states = [{"cut_us": 9, "shard": 0, "entity_key": key, "state": b"s"} for key in keys]
        Snapshots(world.lake, group, spine, "any").write(pa.Table.from_pylist(states, schema=snapshot_schema()), 9)
    run = world.settings.training_runs / "view"
    for name, kept in (("held", rows), ("free", [row for row in rows if row["payer"] == STAYS])):
        folder = run / name / "dataset"
        folder.mkdir(parents=True)
        frame = pl.DataFrame(kept).select(
            pl.col("kafka_partition").cast(pl.Int32), "kafka_offset", pl.col("payer").alias("entity")
        )
        frame.write_parquet(folder / "rows.parquet")
        np.save(folder / "matrix.npy", np.zeros((len(kept), 2)))


def commit_shards(world: StoredWorld, short_by: int = 0) -> None:
    described = Topics(world.settings).describe(source.topic for source in world.catalogue.sources)
    vector = {
        (topic, described[topic].id, partition): VectorEntry(end - 1 - short_by, START_US)
        for (topic, partition), end in world.ends().items()
    }
    with redis.Redis.from_url(world.settings.redis_url) as client:
        for group in world.catalogue.groups:
            for number in range(group.shards):
                key = meta_key(world.settings.redis_namespace, group, number)
                client.set(key, encode_meta(ShardMeta(os.urandom(16), 1, False, group.fingerprint, 1, vector, key=key)))
        for payer in (GONE, STAYS):
            client.set(state_key(world, payer), b"state")


@cache
def client_of(url: str) -> Any:
    return redis.Redis.from_url(url)


def state_key(world: StoredWorld, payer: int) -> bytes:
    number = subjects_of(world.catalogue, "payer", str(payer))[0].shard(PAYER)
    return entity_prefix(world.settings.redis_namespace, PAYER, number) + str(payer).encode()


def meta_of(world: StoredWorld) -> ShardMeta:
    number = subjects_of(world.catalogue, "payer", str(GONE))[0].shard(PAYER)
    with redis.Redis.from_url(world.settings.redis_url) as client:
        return decode_meta(client.get(meta_key(world.settings.redis_namespace, PAYER, number)))


def column(world: StoredWorld, table: str, name: str) -> list[Any]:
    found: list[Any] = pa.table(DeltaTable(world.lake / table).scan(columns=[name]))[name].to_pylist()
    return found


def check_erased(world: StoredWorld) -> None:
    assert column(world, "events_payments", "payer") == [STAYS] * 20
    for group, spine in world.catalogue.spines:
        assert len(column(world, features_table(group, spine), "entity_key")) == 20
    features = features_table(PAYER, PAYMENTS)
    assert set(column(world, features, "entity_key")) == {str(STAYS)}
    assert column(world, snapshots_table(PAYER, PAYMENTS), "entity_key") == [str(STAYS)]
    assert [json.loads(each)["payer"] for each in column(world, "dead_letters", "value")] == [STAYS]
    with redis.Redis.from_url(world.settings.redis_url) as client:
        assert [client.exists(state_key(world, payer)) for payer in (GONE, STAYS)] == [0, 1]
    assert [each.name for each in sorted((world.settings.training_runs / "view").iterdir())] == ["free"]
    for file in world.lake.rglob("*.parquet"):
        frame = pl.read_parquet(file)
        for name in {"payer", "entity_key"} & set(frame.columns):
            assert str(GONE) not in frame[name].cast(pl.String).to_list(), f"{file} still holds it"
    assert not list((world.lake / ".erasing").iterdir())


def test_it_goes_from_every_store_and_the_rest_stays(stored: StoredWorld) -> None:
    before = meta_of(stored)
    shown = stored.run("erase", "--entity", "payer", "--key", str(GONE))
    assert "events_payments: 20 events, and the feature rows at 20 positions in 3 tables" in shown
    assert "1 dead letter" in shown
    assert "1 state in Redis, of 1 group" in shown
    assert not (stored.lake / "erasures").exists()
    text = stored.run("erase", "--entity", "payer", "--key", str(GONE), "--execute")
    assert "20  events of payments" in text
    assert "60  feature rows" in text
    assert "topic payments still holds the records" in text
    check_erased(stored)
    after = meta_of(stored)
    assert after.commit_id != before.commit_id
    assert after.vector == before.vector
    assert DeltaTable(stored.lake / "events_payments").transaction_version(ERASURES_APP) == 1
    record = pa.table(DeltaTable(stored.lake / "erasures").scan()).to_pylist()
    assert sorted(each["step"] for each in record) == ["begun", "done"]
    assert not any(set(each) & {"key", "payer"} for each in record)
    digest = subjects_of(stored.catalogue, "payer", str(GONE))[0].digest(salt(stored.lake))
    assert {each["key_digest"] for each in record} == {digest}


@pytest.mark.parametrize("point", cases(STEPS, quick=("before feature rows", "before Redis")))
def test_killed_at_any_point_it_goes_on_and_what_came_later_stays(stored: StoredWorld, point: str) -> None:
    noun, method = STEPS[point]
    script = "import os, signal\nimport streaming.operations.erasure.erasure as c\n"
    script += f"c.{noun}.{method} = lambda *a: os.kill(os.getpid(), signal.SIGKILL)"
    arguments = ("erase", "--entity", "payer", "--key", str(GONE), "--execute")
    child = stored.started(*arguments, script=script)
    out, errors = child.communicate(timeout=300)
    assert child.returncode == -9, out + errors
    at = START_US + 1_000_000
    stored.send("payments", [(at, payment(9_999, at, GONE))])  # a new event of the same entity
    stored.archive()
    commit_shards(stored)
    stored.run(*arguments)
    events = DeltaTable(stored.lake / "events_payments")
    assert sorted(column(stored, "events_payments", "payer")) == [STAYS] * 20 + [GONE]
    assert events.transaction_version(ERASURES_APP) == 1
    events.delete("id = 9999")
    events.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    check_erased(stored)


def test_what_went_before_another_commit_came_between_is_counted(
    stored: StoredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are gone then, and the count of erasures is not raised yet: it is done again, and finds none."""
    met = set[str]()

    def contended(table: DeltaTable, *others: Any, **named: Any) -> None:
        if table.table_uri not in met:
            met.add(table.table_uri)
            raise CommitFailedError("another commit came between")
        write_deltalake(table, *others, **named)

    monkeypatch.setattr("streaming.operations.erasure.stores.lake_rows.write_deltalake", contended)
    text = stored.run("erase", "--entity", "payer", "--key", str(GONE), "--execute")
    assert "60  feature rows" in text
    assert "20  events of payments" in text
    check_erased(stored)


def test_it_waits_for_the_shards_and_refuses_when_they_do_not_come(
    stored: StoredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "PATIENCE_S", 0.5)
    commit_shards(stored, short_by=3)
    text = stored.run("erase", "--entity", "payer", "--key", str(GONE), "--execute", code=1)
    assert "has to reach" in text
    commit_shards(stored)
    stored.run("erase", "--entity", "payer", "--key", str(GONE), "--execute")
    check_erased(stored)


def test_it_refuses_before_the_archive_has_everything(stored: StoredWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "PATIENCE_S", 0.5)
    stored.send("payments", [(START_US, payment(1, START_US, GONE))])
    text = stored.run("erase", "--entity", "payer", "--key", str(GONE), "--execute", code=1)
    assert "The archive is at offset" in text
    assert len(column(stored, "events_payments", "payer")) == 40


def test_a_writer_of_feature_rows_that_began_before_is_fenced_off(stored: StoredWorld) -> None:
    """What materialize has to do: commit the count of erasures with its cut, as it was when it began."""
    schema = feature_schema(PAYER)
    writer = DeltaHandle(stored.lake / features_table(PAYER, PAYMENTS), schema)
    count = writer.position(ERASURES_APP)
    writer.commit(schema.empty_table(), {CUT_APP: 9, ERASURES_APP: count}, {CUT_APP: 10, ERASURES_APP: count})
    stored.run("erase", "--entity", "payer", "--key", str(GONE), "--execute")
    with pytest.raises(RestartNeeded):
        writer.commit(schema.empty_table(), {CUT_APP: 10, ERASURES_APP: count}, {CUT_APP: 11, ERASURES_APP: count})


def test_erasing_beside_a_running_archive(stored: StoredWorld) -> None:
    """Deletes and appends of one table, and every event that is not erased is there once."""
    settings = stored.settings.model_copy(update={"archive_commit": timedelta(milliseconds=20)})
    running = StoredWorld(stored.simulator, settings).started("run", "--only", "archive")
    try:
        for number in range(40):
            at = START_US + 2_000_000 + number * 1000
            stored.send("payments", [(at, payment(20_000 + number, at, STAYS))], number % 2)
            if number == 20:
                stored.archive_is_at_the_end()
                commit_shards(stored)
                stored.run("erase", "--entity", "payer", "--key", str(GONE), "--execute")
        stored.archive_is_at_the_end()
        assert running.poll() is None
    finally:
        running.terminate()
        _, errors = running.communicate(timeout=300)
    assert running.returncode == 0, errors
    assert column(stored, "events_payments", "payer") == [STAYS] * 60
    assert len(set(column(stored, "events_payments", "id"))) == 60


def test_brokers_that_delete_no_records_are_named_when_all_else_is_erased(stored: StoredWorld) -> None:
    arguments = ("erase", "--entity", "payer", "--key", str(GONE), "--execute")
    said = stored.run(*arguments, "--with-log", code=1)
    assert "do not delete records of payments" in said
    assert "run this again without --with-log" in said
    stored.run(*arguments)
    check_erased(stored)
