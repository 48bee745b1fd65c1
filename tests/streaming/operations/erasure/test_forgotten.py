"""What the lake has of sources and topics that the definitions gave up is erased as well, or refused with a way on."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from shared_features.definitions import EventSource, FeatureGroup, load_definitions
from shared_features.formats.dataset_manifest import DatasetView, PinnedVersion, encode_dataset_manifest
from shared_features.formats.offline_tables import CUT_APP, events_table, features_table, snapshots_table
from shared_features.formats.prediction_log import prediction_source
from streaming.archive.stored_log import Marked, StoredDeadLetters, StoredEvents
from streaming.kafka.records.polled import DeadLetter, Polled
from streaming.kafka.records.record_reader import RecordReader, StampRule
from streaming.lake.handle import DeltaHandle
from streaming.materialize.spine_rows import feature_schema
from streaming.operations.erasure.forgotten import with_forgotten
from streaming.replay.snapshots import Snapshots, snapshot_schema
from tests.shared_features.formats.test_dataset_manifest import DATASET
from tests.streaming.operations.erasure.test_command import (
    GONE,
    STAYS,
    check_erased,
    client_of,
    column,
    commit_shards,
    stored,
)
from tests.streaming.operations.stored_world import START_US, StoredWorld
from tests.streaming.small_domain import PAYER, PAYMENTS

__all__ = ["stored"]
ERASE = ("erase", "--entity", "payer", "--key", str(GONE), "--execute")
RENAMED = "tests.streaming.operations.renamed_domain"


def polled(topic: str, topic_id: str, to: int, letters: tuple[DeadLetter, ...] = ()) -> Marked:
    none = RecordReader(PAYMENTS, StampRule("embedded")).no_events
    return Marked(Polled(topic, topic_id, 0, PAYMENTS, -1, to, none, np.empty(0, np.int64), letters), START_US)


def store_letters(world: StoredWorld, topic: str, topic_id: str, offset: int) -> None:
    """A dead letter of each payer, at an offset and the next one."""
    letters = tuple(
        DeadLetter(offset + index, 1, "bad", b"k", json.dumps({"payer": payer, "id": "x"}).encode())
        for index, payer in enumerate((GONE, STAYS))
    )
    StoredDeadLetters(world.lake, {(topic, topic_id): 1}).take([polled(topic, topic_id, offset + 1, letters)])


def rename(world: StoredWorld) -> None:
    world.settings = world.settings.model_copy(update={"definitions": RENAMED})
    world.archive()
    commit_shards(world)


def follow(world: StoredWorld, said: str) -> list[str]:
    """Do what a refusal says."""
    commands, client = re.findall("`retire ([^`]+)`", said), client_of(world.settings.redis_url)
    for command in commands:
        for key in client.scan_iter(f"*{world.settings.redis_namespace}:{command.partition(':')[0]}:*"):
            client.delete(key)  # its shards were committed a moment ago, so that a process seems to write them
        world.run("retire", *command.split())
    return commands


def test_the_events_and_rows_of_a_source_that_was_renamed_go_too(stored: StoredWorld) -> None:
    run = stored.settings.training_runs / "view" / "before"
    shutil.copytree(run.parent / "held", run)
    tables = {name: PinnedVersion(1, ()) for name in ("events_payments", "events_outcomes")}
    told = replace(DATASET, view=DatasetView("view", 1, "f"), tables=tables)
    (run / "dataset" / "dataset.json").write_bytes(encode_dataset_manifest(told))
    rename(stored)
    commands = follow(stored, stored.run(*ERASE, code=1))
    assert commands == ["payer:v1 --execute", "shop_use:v1 --execute"], "its rows of shop_risk:v2 are known"
    said = stored.run(*ERASE)
    assert "20  events of payments\n" in said
    assert "20  events of payments_again" in said
    for name in ("events_payments", "events_payments_again"):
        assert column(stored, name, "payer") == [STAYS] * 20
    assert set(column(stored, "features_payer_v1_on_payments", "entity_key")) == {str(STAYS)}
    assert len(column(stored, "features_shop_risk_v2_on_payments", "entity_key")) == 20
    assert [each.name for each in run.parent.iterdir()] == ["free"]
    for file in stored.lake.rglob("*.parquet"):
        frame = pl.read_parquet(file)
        for name in {"payer", "entity_key"} & set(frame.columns):
            assert str(GONE) not in frame[name].cast(pl.String).to_list(), f"{file} still holds it"


def test_rows_of_which_nobody_knows_the_source_are_refused_with_a_way_on(stored: StoredWorld) -> None:
    table = stored.lake / features_table(PAYER, replace(PAYMENTS, name="lost"))
    schema = feature_schema(PAYER)
    DeltaHandle(table, schema).commit(schema.empty_table(), {CUT_APP: -1}, {CUT_APP: 9})
    said = stored.run(*ERASE, code=1)
    assert f"`rm -r {table}`" in said
    shutil.rmtree(table)
    stored.run(*ERASE)
    check_erased(stored)


@pytest.mark.parametrize(
    ("group", "spine", "command"),
    [
        (replace(PAYER, part=1), PAYMENTS, "payer:v1+1 --execute"),
        (PAYER, replace(PAYMENTS, name="lost"), "payer:v1 --spine lost --execute"),
    ],
)
def test_what_nothing_reads_of_a_version_that_is_there_is_named_as_retire_takes_it(
    stored: StoredWorld, group: FeatureGroup, spine: EventSource, command: str
) -> None:
    row = {"cut_us": 5, "shard": 0, "entity_key": str(GONE), "state": b""}
    Snapshots(stored.lake, group, spine, "any").write(pa.Table.from_pylist([row], schema=snapshot_schema()), 5)
    for commit in (stored.lake / snapshots_table(group, spine) / "_delta_log").glob("*.json"):
        os.utime(commit, (1, 1))  # long ago, so that no process seems to write it
    assert follow(stored, stored.run(*ERASE, code=1)) == [command]
    commit_shards(stored)
    stored.run(*ERASE)
    check_erased(stored)


@pytest.mark.parametrize(
    ("topic", "offset"), [("given_up", 3), ("given_up", 10_000), ("payments", 3), ("payments", 9_999)]
)
def test_dead_letters_of_a_topic_that_is_gone_go_wherever_they_lay(
    stored: StoredWorld, topic: str, offset: int
) -> None:
    """Another topic, or the one before of the same name, whose offsets have nothing to do with those of now."""
    store_letters(stored, topic, os.urandom(4).hex(), offset)
    assert "2  dead letters" in stored.run(*ERASE)
    assert [json.loads(each)["payer"] for each in column(stored, "dead_letters", "value")] == [STAYS] * 2


def test_a_topic_that_was_made_anew_is_refused_until_its_source_has_another_name(world: StoredWorld) -> None:
    """Where its log ends says nothing of the events that are stored."""
    StoredEvents(world.lake, PAYMENTS, {("payments", "before"): 1}).take([polled("payments", "before", 9)])
    said = world.run(*ERASE, code=1)
    assert "holds events of an earlier topic payments" in said
    assert "give its event source another name" in said


def test_the_log_of_predictions_is_no_source_that_was_forgotten(tmp_path: Path) -> None:
    """An entity that is keyed by `model` lost the answers of a model of that name."""
    rows = pl.DataFrame({"model": [str(GONE), "other"], "id": ["p-0", "p-1"]})
    rows.write_delta(str(tmp_path / events_table(prediction_source("any"))))
    catalogue = load_definitions("tests.streaming.small_domain")
    assert with_forgotten(tmp_path, catalogue) == catalogue
    rows.rename({"model": "colour"}).write_delta(str(tmp_path / "events_of_old"))
    assert [each.name for each in with_forgotten(tmp_path, catalogue).sources][-1] == "of_old"
