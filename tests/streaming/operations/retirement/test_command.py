"""A version that nobody reads any more is removed; one that is needed is refused, and others are not touched."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import redis
from deltalake import DeltaTable

from shared_features.definitions import FeatureGroup
from shared_features.formats.dataset_manifest import PinnedVersion, encode_dataset_manifest
from shared_features.formats.model_manifest import GroupStamp, ModelManifest, Parity, encode_manifest, stamp_view
from shared_features.formats.offline_tables import CUT_APP, features_table, snapshots_table
from shared_features.formats.online_state import definition_key, entity_prefix, meta_key
from shared_features.formats.shard_meta import ShardMeta
from shared_features.formats.shard_meta_bytes import encode_meta
from streaming.errors import RefusedError
from streaming.lake.handle import DeltaHandle
from streaming.materialize.spine_rows import feature_schema
from streaming.operations.retirement.version import Version
from streaming.replay.snapshots import Snapshots, snapshot_schema
from streaming.settings import StreamingSettings
from tests.shared_features.formats.test_dataset_manifest import DATASET
from tests.streaming.operations.stored_world import StoredWorld
from tests.streaming.small_domain import PAYER, PAYMENTS, VIEW

OLD = replace(PAYER, version=7)
SEVENTY = replace(PAYER, version=70)
ADDED = replace(PAYER, version=7, part=2)
GROUPS = (OLD, SEVENTY, ADDED, PAYER)
ENTITIES = 700


def store_keys(settings: StreamingSettings, group: FeatureGroup, committed_s: float) -> None:
    with redis.Redis.from_url(settings.redis_url) as client, client.pipeline(transaction=False) as calls:
        for number in range(group.shards):
            key = meta_key(settings.redis_namespace, group, number)
            meta = ShardMeta(os.urandom(16), 1, False, group.fingerprint, int(committed_s * 1e6), {}, key=key)
            calls.set(key, encode_meta(meta))
        for entity in range(ENTITIES):
            prefix = entity_prefix(settings.redis_namespace, group, entity % group.shards)
            calls.set(prefix + str(entity).encode(), b"state")
        calls.set(definition_key(settings.redis_namespace, group), b"definition")
        calls.execute()


def store_tables(settings: StreamingSettings, group: FeatureGroup) -> None:
    handle = DeltaHandle(settings.lake / features_table(group, PAYMENTS), feature_schema(group))
    handle.commit(feature_schema(group).empty_table(), {CUT_APP: -1}, {CUT_APP: 5})
    row = {"cut_us": 5, "shard": 0, "entity_key": "1", "state": b""}
    rows = pa.Table.from_pylist([row], schema=snapshot_schema())
    Snapshots(settings.lake, group, PAYMENTS, "any").write(rows, 5)


@pytest.fixture
def settings(world: StoredWorld) -> StreamingSettings:
    for group in GROUPS:
        store_keys(world.settings, group, time.time() - 3600)
        store_tables(world.settings, group)
    return world.settings


def keys_of(settings: StreamingSettings, group: FeatureGroup) -> int:
    with redis.Redis.from_url(settings.redis_url) as client:
        tag = entity_prefix(settings.redis_namespace, group, 0).decode().rpartition(":0}")[0]
        return sum(1 for _ in client.scan_iter(match=f"{tag}:*", count=5_000))


def publish(registry: Path, version: int, group: str, alias: str | None) -> None:
    stamp = replace(stamp_view(VIEW), groups=(GroupStamp(group, 7, "f" * 16),))
    manifest = ModelManifest("view", version, "d", stamp, "i", "o", "e", {}, "d", 1, Parity(1, 0.0, 0.0, 0), 1)
    folder = registry / "view" / str(version)
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes(encode_manifest(manifest))
    tables = {features_table(OLD, PAYMENTS): PinnedVersion(0, ())}
    dataset = replace(DATASET, split=replace(DATASET.split, start_us=1), cut_us=1, tables=tables)
    (folder / "dataset.json").write_bytes(encode_dataset_manifest(dataset))
    if alias is not None:
        (registry / "view" / "aliases").mkdir(exist_ok=True)
        (registry / "view" / "aliases" / alias).write_text(f"{version}\n")


def test_a_dry_run_shows_what_would_go(world: StoredWorld, settings: StreamingSettings) -> None:
    text = world.run("retire", "payer:v7")
    assert "payer:v7: 1,400 entities and 8 shards in Redis" in text
    assert "snapshots_payer_v7_added2_on_payments: 1 state" in text
    assert "add --execute" in text
    assert keys_of(settings, OLD) == ENTITIES + OLD.shards


def test_its_keys_and_snapshots_go_its_rows_stay_and_other_versions_too(
    world: StoredWorld, settings: StreamingSettings
) -> None:
    world.run("retire", "payer:v7", "--execute")
    assert [keys_of(settings, group) for group in GROUPS] == [0, ENTITIES + 4, 0, ENTITIES + 4]
    with redis.Redis.from_url(settings.redis_url) as client:
        left = [client.exists(definition_key(settings.redis_namespace, group)) for group in GROUPS]
    assert left == [0, 1, 0, 1]
    there = [(settings.lake / snapshots_table(group, PAYMENTS)).exists() for group in GROUPS]
    assert there == [False, True, False, True]
    assert all(DeltaTable(settings.lake / features_table(group, PAYMENTS)).version() >= 0 for group in GROUPS)
    assert "0 entities" in world.run("retire", "payer:v7", "--execute")
    world.run("retire", "payer:v7", "--execute", "--with-rows")
    assert not (settings.lake / features_table(OLD, PAYMENTS)).exists()
    assert not (settings.lake / ".retired").exists()


def test_what_the_definitions_hold_is_refused(world: StoredWorld, settings: StreamingSettings) -> None:
    text = world.run("retire", "payer:v1", "--execute", code=1)
    assert "the definitions (tests.streaming.small_domain) hold it" in text
    assert keys_of(settings, PAYER) == ENTITIES + 4


@pytest.mark.parametrize("alias", ["champion", "challenger", "tried"])
@pytest.mark.parametrize("group", ["payer", "payer+2"])
def test_what_a_served_model_needs_is_refused(
    world: StoredWorld, settings: StreamingSettings, alias: str, group: str
) -> None:
    publish(Path(settings.registry), 4, group, alias)
    text = world.run("retire", "payer:v7", "--execute", code=1)
    assert f"model view version 4, alias {alias}, reads it" in text
    assert keys_of(settings, OLD) == ENTITIES + 4


def test_rows_that_a_dataset_pins_are_refused(world: StoredWorld, settings: StreamingSettings) -> None:
    publish(Path(settings.registry), 4, "payer", None)
    text = world.run("retire", "payer:v7", "--with-rows", "--execute", code=1)
    assert "the dataset of model view version 4 pins the rows of features_payer_v7_on_payments" in text
    world.run("retire", "payer:v7", "--execute")


def test_what_is_still_written_is_refused(world: StoredWorld, settings: StreamingSettings) -> None:
    store_keys(settings, OLD, time.time())
    assert "a process still writes it" in world.run("retire", "payer:v7", "--execute", code=1)
    assert keys_of(settings, OLD) == ENTITIES + 4


def test_a_label_is_a_name_and_a_version() -> None:
    for wrong in ("payer", "payer:v1+", "payer:v1+0", "payer:7", "payer:v0", "pay er:v1", "payer:v1*"):
        with pytest.raises(RefusedError, match="Give NAME:vN"):
            Version.parse(wrong)
