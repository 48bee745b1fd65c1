"""Each row has the values that the events which its vector holds give, whatever rows came before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_features import Aggregate, ApproxDistinct, Count, FeatureGroup, days, hours
from shared_features.formats.entity_keys import entity_keys, shards_of
from shared_features.group_events import group_events
from shared_features.kernel.event_time import DAY_US
from shared_features.kernel.replay import apply, read
from shared_features.kernel.tile_state import TileState
from tests.domains.machines import MACHINE, MACHINE_HEAT, READINGS
from tests.training.lake import PARTITIONS, write_events
from tests.training.machine_streams import machine_streams
from training.datasets.offline_store import OfflineStore
from training.inference.audit.replay import vector_replay
from training.inference.audit.replay.replay_budget import ReplayBudget
from training.inference.audit.replay.shard_lives import Vector
from training.inference.audit.replay.stored_events import History, ReadEvents
from training.inference.audit.replay.vector_replay import AskedRows, VectorReplay

COUNTED = FeatureGroup(
    name="machine_counted",
    version=1,
    entity=MACHINE,
    sources=(READINGS,),
    aggregates=(Aggregate(None, Count(), windows=(days(2),)),),
    shards=1,
)
DIFFERENT = FeatureGroup(
    name="machine_different",
    version=1,
    entity=MACHINE,
    sources=(READINGS,),
    aggregates=(Aggregate("celsius", ApproxDistinct(k=8), windows=(hours(2), days(1), days(3))),),
    shards=4,
)
GROUPS = MACHINE_HEAT, COUNTED, DIFFERENT
EVENTS = machine_streams(days=9, per_day=120)["readings"]
TAKEN = [group_events(group, EVENTS.batch) for group in GROUPS]
ROWS = 260


def test_groups_that_share_a_reading_have_the_values_that_each_has_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their windows reach back differently, and their shards have come differently far."""
    events = machine_streams(days=3, per_day=100)["readings"]
    write_events(tmp_path, events, watermark_us=int(events.arrival_us[-1]))
    read = list[str]()
    monkeypatch.setattr(vector_replay, "ReadEvents", counting(read))
    both = [MACHINE_HEAT, COUNTED]
    asked = rows(events.batch, both)
    together = unbounded(tmp_path, both).values(asked)
    assert read == ["readings"]
    for group in both:
        alone = unbounded(tmp_path, [group]).values(asked)[group.part_name]
        assert together[group.part_name].tobytes() == alone.tobytes()
        assert np.isfinite(alone).any(axis=1).sum() > 10
        assert np.isnan(alone[0]).all()  # the row that no shard was read for


def unbounded(lake: Path, groups: Sequence[FeatureGroup]) -> VectorReplay:
    return VectorReplay(History(OfflineStore(lake), groups), 2_000_000, ReplayBudget(2_000_000))


def counting(read: list[str]) -> Any:
    def counted(source: Any, *given: Any) -> ReadEvents:
        read.append(source.name)
        return ReadEvents(source, *given)

    return counted


def rows(batch: Any, groups: Sequence[FeatureGroup]) -> AskedRows:
    """Each tenth event as a row; of the first group shards up to offset 40, of the second up to 90."""
    at = np.arange(0, len(batch), 10)
    columns = {name: batch.columns[name][at] for name in MACHINE.keys}
    keys = entity_keys(MACHINE, READINGS, columns)
    vectors, chosen = list[tuple[int, Vector]](), dict[str, Any]()
    for group, end in zip(groups, (40, 90), strict=True):
        chosen[group.part_name] = len(vectors) + shards_of(keys, group.shards)
        chosen[group.part_name][0] = -1
        held: Mapping[Any, int] = {(READINGS.topic, "topic-id", number): end for number in range(PARTITIONS)}
        vectors.extend((shard, held) for shard in range(group.shards))
    key_columns = pl.DataFrame({name: each.tolist() for name, each in columns.items()})
    return AskedRows(keys, key_columns, batch.event_time_us[at] + 1, chosen, vectors)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("lake")
    write_events(found, EVENTS, watermark_us=int(EVENTS.arrival_us[-1]))
    return found


@pytest.mark.parametrize("events_at_once", [2_000_000, 400, 100])
@settings(max_examples=6)
@given(st.integers(0, 2**32 - 1))
def test_rows_have_the_values_of_the_events_that_their_vectors_hold(lake: Path, events_at_once: int, seed: int) -> None:
    """Rows come some at a time: a little out of order, of shards that were set back, of partitions that run ahead of
    others, of entities that nobody asked for lately, and as of days before. Each as of an instant in the head.
    """
    random = np.random.default_rng(seed)
    given, budget = Asked(random), ReplayBudget(events_at_once)
    replay, start = VectorReplay(History(OfflineStore(lake), GROUPS), events_at_once, budget), 0
    while start < ROWS:
        stop = min(ROWS, start + int(random.integers(1, 90)))
        found = replay.values(given.rows(np.arange(start, stop)))
        for group in GROUPS:
            expected = np.array([given.expected(group, row) for row in range(start, stop)])
            np.testing.assert_array_equal(found[group.part_name], expected)
        budget.evict()
        start = stop


def test_rows_that_reach_further_back_than_those_before_begin_again(lake: Path) -> None:
    """The first rows need no event any more that the next ones read, of the same entities at the same positions."""
    given = Asked(np.random.default_rng(3))
    rows = given.rows(np.arange(20))
    replay = unbounded(lake, GROUPS)
    replay.values(replace(rows, as_of_us=rows.as_of_us + 5 * DAY_US))
    found = replay.values(rows)
    for group in GROUPS:
        np.testing.assert_array_equal(found[group.part_name], [given.expected(group, row) for row in range(20)])


class Asked:
    """Rows about as the stream goes on. Each group of each has come to a place of its own in the order of arrival."""

    def __init__(self, random: np.random.Generator) -> None:
        size = len(EVENTS.batch)
        at = np.sort(random.integers(size // 3, size - 20, ROWS)) + random.integers(-5, 6, ROWS)
        at -= np.where(random.random(ROWS) < random.choice([0, 0.02]), size // 3, 0)
        self._about = np.maximum(at - random.integers(0, 20, ROWS), 0)
        behind = random.integers(0, 15, (ROWS, len(GROUPS))) + np.where(random.random((ROWS, 1)) < 0.05, 200, 0)
        ahead = random.integers(0, 9, (ROWS, PARTITIONS)) * (random.random() < 0.5)
        self._until = np.maximum(at[:, None] - behind, 0)[:, :, None] + ahead[:, None]
        newest_us = np.maximum.accumulate(EVENTS.batch.event_time_us)
        self._as_of_us = newest_us[np.maximum(at, self._until.max(axis=(1, 2)))] + 1
        self._is_read = random.random((ROWS, len(GROUPS))) > 0.05

    def rows(self, rows: Any) -> AskedRows:
        columns = {name: EVENTS.batch.columns[name][self._about[rows]] for name in MACHINE.keys}
        keys = entity_keys(MACHINE, READINGS, columns)
        vectors, chosen = list[tuple[int, Vector]](), dict[str, Any]()
        for number, group in enumerate(GROUPS):
            chosen[group.part_name] = np.full(len(rows), -1)
            for at, (row, shard) in enumerate(zip(rows.tolist(), shards_of(keys, group.shards).tolist(), strict=True)):
                if self._is_read[row, number]:
                    chosen[group.part_name][at] = len(vectors)
                    vectors.append((shard, self._vector(row, number)))
        key_columns = pl.DataFrame({name: each.tolist() for name, each in columns.items()})
        return AskedRows(keys, key_columns, self._as_of_us[rows], chosen, vectors)

    def expected(self, group: FeatureGroup, row: int) -> Any:
        """By the kernel, of the events one by one that the vector holds."""
        number = GROUPS.index(group)
        if not self._is_read[row, number]:
            return np.full(len(group.features), np.nan)
        state = TileState(group.layout)
        slot = state.add(1)
        held = np.array([self._vector(row, number).get((READINGS.topic, "id", each), -1) for each in range(PARTITIONS)])
        about, columns = self._about[row], EVENTS.batch.columns
        mine = np.all([columns[name] == columns[name][about] for name in MACHINE.keys], axis=0)
        mine &= EVENTS.offset <= held[EVENTS.partition]
        events = TAKEN[number]
        some = np.flatnonzero(mine[events.rows])
        event_time_us, digest, values, valid = (
            each[some] for each in (events.event_time_us, events.digest, events.values, events.valid)
        )
        apply(state, slot.repeat(len(some)), event_time_us, digest, values, valid)
        return read(state, slot, self._as_of_us[row])[0]

    def _vector(self, row: int, number: int) -> Vector:
        """Of each partition the last offset before a place in the order of arrival."""
        until = self._until[row, number].tolist()
        ends = [(each - at + PARTITIONS - 1) // PARTITIONS - 1 for at, each in enumerate(until)]
        return {(READINGS.topic, "id", at): end for at, end in enumerate(ends) if end >= 0}
