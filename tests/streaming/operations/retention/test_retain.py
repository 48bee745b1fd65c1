"""Old days of the events tables go, and what something still needs is refused by its name."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from shared_features.formats.dataset_manifest import (
    PINNED_FOLDER,
    PinnedVersion,
    encode_dataset_manifest,
)
from shared_features.formats.dataset_rows import BroughtSpine
from shared_features.formats.holds import Hold
from shared_features.formats.offline_tables import CUT_APP, KEPT_FROM_APP, WATERMARK_APP, features_table
from streaming.archive.maintenance import Maintenance
from streaming.lake.handle import DeltaHandle
from streaming.materialize.spine_rows import feature_schema
from streaming.operations.retention.holds import drop_hold, read_holds, write_hold
from streaming.operations.retention.needs import needs
from streaming.operations.retention.retain import day_us, delete_days, plan, retain_nightly
from streaming.replay.snapshots import Snapshots, snapshot_schema
from tests.shared_features.formats.test_dataset_manifest import DATASET
from tests.streaming.operations.stored_world import DAY_US, START_US, StoredWorld, payment
from tests.streaming.small_domain import OUTCOMES, PAYER, PAYMENTS

DAYS = 6
END_US = START_US + DAYS * DAY_US
JANUARY_6 = date(2026, 1, 6)


@pytest.fixture
def history(world: StoredWorld) -> StoredWorld:
    """An event every six hours of six days in both sources; all groups' rows complete up to the end."""
    times = list(range(START_US, END_US, DAY_US // 4))
    for partition in (0, 1):
        world.send("payments", [(at, payment(at // 1_000_000, at)) for at in times], partition=partition)
    bad = [(at, json.dumps({"id": 1, "event_time": at, "shop": "a", "bad": True}).encode()) for at in times]
    world.send("outcomes", bad)
    world.archive()
    set_cuts(world, END_US - DAY_US // 4)
    return world


def set_cuts(world: StoredWorld, cut_us: int) -> None:
    for group, spine in world.catalogue.spines:
        handle = DeltaHandle(world.lake / features_table(group, spine), feature_schema(group))
        handle.commit(feature_schema(group).empty_table(), {CUT_APP: handle.position(CUT_APP)}, {CUT_APP: cut_us})


def days_of(world: StoredWorld, table: str = "events_payments") -> list[str]:
    return sorted(
        set(pa.table(DeltaTable(world.lake / table).scan(columns=["arrival_date"]))["arrival_date"].to_pylist())
    )


def pin_dataset(world: StoredWorld, start_us: int, *tables: str) -> None:
    folder = Path(world.settings.registry) / "view" / "3"
    folder.mkdir(parents=True)
    pinned = {name: PinnedVersion(1, ()) for name in ("events_payments", *tables)}
    manifest = replace(DATASET, split=replace(DATASET.split, start_us=start_us), cut_us=END_US, tables=pinned)
    (folder / "dataset.json").write_bytes(encode_dataset_manifest(manifest))


def test_a_dry_run_shows_what_would_go_and_deletes_nothing(history: StoredWorld) -> None:
    text = history.run("retain", "--before", "2026-01-03")
    assert "payments: 16 events of 2 days from 2026-01-01 to 2026-01-02" in text
    assert "add --execute" in text
    assert len(days_of(history)) == DAYS


def test_whole_days_go_and_positions_stay(history: StoredWorld) -> None:
    before = DeltaTable(history.lake / "events_payments").transaction_version(WATERMARK_APP)
    assert "payments: 32 events deleted" in history.run("retain", "--before", "2026-01-05", "--execute")
    table = DeltaTable(history.lake / "events_payments")
    assert days_of(history) == ["2026-01-05", "2026-01-06"]
    assert days_of(history, "events_outcomes") == ["2026-01-05", "2026-01-06"]
    assert table.transaction_version(WATERMARK_APP) == before
    assert table.transaction_version(KEPT_FROM_APP) == day_us(date(2026, 1, 5))
    history.archive()  # nothing is read again
    assert days_of(history) == ["2026-01-05", "2026-01-06"]
    assert "no events arrived before" in history.run("retain", "--before", "2026-01-05", "--execute")


def test_one_source_alone(history: StoredWorld) -> None:
    history.run("retain", "--before", "2026-01-03", "--source", "outcomes", "--execute")
    assert len(days_of(history)) == DAYS
    assert len(days_of(history, "events_outcomes")) == DAYS - 2


@pytest.mark.parametrize(
    ("what", "needed_by"),
    [
        ("nothing is materialized", "feature rows of payer:v1 on payments"),
        ("materialize is behind", "the live windows of payer:v1 on payments"),
        ("a dataset is pinned", "the dataset of model view version 3"),
        ("a hold is there", "hold audit (predictions are not audited)"),
        ("a snapshot is older", "the latest snapshot of payer:v1 on payments"),
        ("the archive is in those days", "a bootstrap of payer:v1"),
    ],
)
def test_what_is_needed_is_refused_by_name(history: StoredWorld, what: str, needed_by: str) -> None:
    before = "2026-01-05"
    if what == "nothing is materialized":
        (history.lake / "features_payer_v1_on_payments").rename(history.lake.parent / "away")
    elif what == "materialize is behind":
        set_cuts(history, START_US + 3 * DAY_US)
    elif what == "a dataset is pinned":
        pin_dataset(history, START_US + 3 * DAY_US)
    elif what == "a hold is there":
        write_hold(history.lake, "audit", Hold("predictions are not audited", START_US + 3 * DAY_US))
    elif what == "a snapshot is older":
        group, spine = next(each for each in history.catalogue.spines if each[0].name == "payer")
        cut_us = START_US + 3 * DAY_US
        row = {"cut_us": cut_us, "shard": 0, "entity_key": "1", "state": b""}
        snapshots = Snapshots(history.lake, group, spine, "any")
        snapshots.write(pa.Table.from_pylist([row], schema=snapshot_schema()), cut_us)
    else:
        before = "2026-01-07"
    text = history.run("retain", "--before", before, "--source", "payments", "--execute", code=1)
    assert needed_by in text
    assert len(days_of(history)) == DAYS
    allowed = plan(history.settings, history.catalogue, PAYMENTS, date.fromisoformat(before)).allowed
    assert allowed == {"nothing is materialized": date(1970, 1, 1), "the archive is in those days": JANUARY_6}.get(
        what, date(2026, 1, 3) if what != "a hold is there" else date(2026, 1, 4)
    )


def test_a_dataset_holds_what_the_windows_of_its_rows_reach(history: StoredWorld) -> None:
    """A row whose window reaches into days that are gone is not trained on, so a dataset would be built otherwise."""
    pin_dataset(history, START_US + 3 * DAY_US, features_table(PAYER, PAYMENTS))
    (need,) = (each for each in needs(history.settings, history.catalogue, PAYMENTS) if "dataset" in each.what)
    assert need.from_us == START_US + 3 * DAY_US - PAYER.readable_us


def test_a_spine_that_a_user_pinned_holds_what_the_replay_of_its_groups_reaches(history: StoredWorld) -> None:
    folder = history.lake / PINNED_FOLDER
    folder.mkdir()
    brought = BroughtSpine(1, "ab" * 32, "as-served", 0)
    split = replace(DATASET.split, start_us=START_US + 3 * DAY_US)
    manifest = replace(DATASET, split=split, tables={}, groups={PAYER.label: PAYER.fingerprint}, spine=brought)
    (folder / "mine.json").write_bytes(encode_dataset_manifest(manifest))
    (need,) = (each for each in needs(history.settings, history.catalogue, PAYMENTS) if "dataset" in each.what)
    assert need.what == "the pinned dataset mine"
    assert need.from_us == START_US + 3 * DAY_US - PAYER.readable_us
    assert "the pinned dataset mine" in history.run("retain", "--before", "2026-01-05", "--execute", code=1)


def test_what_nothing_needs_any_more_may_go(history: StoredWorld) -> None:
    write_hold(history.lake, "over", Hold("a range that is gone", START_US - 2 * DAY_US, START_US))
    write_hold(history.lake, "other", Hold("another source", START_US, sources=("outcomes",)))
    write_hold(history.lake, "audit", Hold("later days", START_US + 2 * DAY_US))
    assert set(read_holds(history.lake)) == {"over", "other", "audit"}
    history.run("retain", "--before", "2026-01-03", "--source", "payments", "--execute")
    assert "hold other" in history.run("retain", "--before", "2026-01-03", "--execute", code=1)
    drop_hold(history.lake, "other")
    history.run("retain", "--before", "2026-01-03", "--execute")
    (history.lake / "holds" / "torn.json").write_text("{")
    assert "torn.json is not a hold" in history.run("retain", "--before", "2026-01-04", code=1)


def test_a_setting_does_it_every_night(history: StoredWorld) -> None:
    keep = (datetime.now(UTC).date() - date(2026, 1, 5)).days
    nightly = partial(retain_nightly, history.settings, keep)
    with Maintenance(history.lake, timedelta(seconds=0.05), nightly):
        deadline = time.monotonic() + 120
        while len(days_of(history, "events_outcomes") + days_of(history)) > 4 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert days_of(history) == days_of(history, "events_outcomes") == ["2026-01-05", "2026-01-06"]


def test_deleting_beside_a_running_archive_loses_and_doubles_nothing(history: StoredWorld, tmp_path: Path) -> None:
    """Appends of today and deletes of old days: whoever finds the other's commit goes on from there."""
    settings = history.settings.model_copy(update={"archive_commit": timedelta(milliseconds=20)})
    running = StoredWorld(history.simulator, settings).started("run", "--only", "archive")
    try:
        sent = 0
        for day in range(2, 6):
            for _ in range(25):
                at = END_US + sent * 1000
                history.send("payments", [(at, payment(10_000_000 + sent, at))], partition=sent % 2)
                sent += 1
            delete_days(settings, PAYMENTS, date(2026, 1, day))
        deadline = time.monotonic() + 120
        while DeltaTable(history.lake / "events_payments").count() < 16 + sent and time.monotonic() < deadline:
            assert running.poll() is None
            time.sleep(0.1)
        assert days_of(history)[:2] == ["2026-01-05", "2026-01-06"]
        assert running.poll() is None
    finally:
        running.send_signal(signal.SIGTERM)
        _, errors = running.communicate(timeout=60)
    assert running.returncode == 0, errors
    rows = pa.table(DeltaTable(history.lake / "events_payments").scan(columns=["kafka_partition", "kafka_offset"]))
    positions = list(zip(*(rows[name].to_pylist() for name in rows.column_names), strict=True))
    assert len(positions) == len(set(positions)) == 2 * 2 * 4 + sent
    assert OUTCOMES.name == "outcomes"
