"""Rows of machines some at a time, and how many events their replay reads of the lake."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shared_features import Aggregate, ApproxDistinct, Count, FeatureGroup, days
from shared_features.formats.entity_keys import entity_keys, shards_of
from tests.domains.machines import MACHINE, READINGS
from tests.training.lake import PARTITIONS, write_events
from tests.training.machine_streams import machine_streams
from training.datasets.offline_store import OfflineStore
from training.inference.audit.replay import vector_replay
from training.inference.audit.replay.replay_budget import ReplayBudget
from training.inference.audit.replay.stored_events import History, ReadEvents
from training.inference.audit.replay.vector_replay import AskedRows, VectorReplay

WARM = FeatureGroup(
    name="machine_warm",
    version=1,
    entity=MACHINE,
    sources=(READINGS,),
    aggregates=(Aggregate("celsius", ApproxDistinct(k=8), windows=(days(30),)),),
    shards=4,
)
COUNTED = FeatureGroup(
    name="machine_counted",
    version=1,
    entity=MACHINE,
    sources=(READINGS,),
    aggregates=(Aggregate(None, Count(), windows=(days(30),)),),
    shards=1,
)
EVENTS = machine_streams(days=9, per_day=120)["readings"]
MACHINES = 30


def written(lake: Path, budget: ReplayBudget, *groups: FeatureGroup) -> VectorReplay:
    """A replay of groups over the events, which are written if they are not."""
    if not list(lake.iterdir()):
        write_events(lake, EVENTS, watermark_us=int(EVENTS.arrival_us[-1]))
    return VectorReplay(History(OfflineStore(lake), groups), budget.events_at_once, budget)


def count_reads(monkeypatch: pytest.MonkeyPatch) -> Callable[[VectorReplay, AskedRows], int]:
    """What gives the values of rows, and returns how many events were read for them."""
    read = list[int]()

    def counted(*given: Any) -> ReadEvents:
        events = ReadEvents(*given)
        read.append(len(events.of(COUNTED).offset))
        return events

    def events_read(replay: VectorReplay, rows: AskedRows) -> int:
        read.clear()
        replay.values(rows)
        return sum(read)

    monkeypatch.setattr(vector_replay, "ReadEvents", counted)
    return events_read


def rows_at(place: int, machines: Iterable[int], *groups: FeatureGroup, held: int | None = None) -> AskedRows:
    """One row of each machine, as of a place in the order of arrival. held: what its shards had applied, of another."""
    columns = _columns(machines)
    keys = entity_keys(MACHINE, READINGS, columns)
    end = place if held is None else held
    offsets = [(end - at + PARTITIONS - 1) // PARTITIONS - 1 for at in range(PARTITIONS)]
    vector = {(READINGS.topic, "id", at): offset for at, offset in enumerate(offsets)}
    vectors = [(shard, vector) for group in groups for shard in range(group.shards)]
    firsts = np.cumsum([0, *(group.shards for group in groups)])
    chosen = {
        group.part_name: first + shards_of(keys, group.shards)
        for group, first in zip(groups, firsts.tolist(), strict=False)
    }
    as_of_us = np.full(len(keys), EVENTS.batch.event_time_us[:place].max() + 1)
    key_columns = pl.DataFrame({name: each.tolist() for name, each in columns.items()})
    return AskedRows(keys, key_columns, as_of_us, chosen, vectors)


def came(start: int, stop: int, machines: Iterable[int] = range(MACHINES)) -> int:
    """How many events of machines arrived between two places."""
    return int(np.isin(EVENTS.batch.columns["machine"][start:stop], _columns(machines)["machine"]).sum())


def of_shard(shard: int) -> list[int]:
    """The machines of a shard of `WARM`."""
    keys = entity_keys(MACHINE, READINGS, _columns(range(MACHINES)))
    return np.flatnonzero(shards_of(keys, WARM.shards) == shard).tolist()


def _columns(machines: Iterable[int]) -> dict[str, Any]:
    numbers = list(machines)
    plants = [f"plant|{number % 3}" for number in numbers]
    return {"plant": np.array(plants, object), "machine": np.array([f"m{number}" for number in numbers], object)}
