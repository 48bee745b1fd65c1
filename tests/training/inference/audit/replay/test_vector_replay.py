"""Groups of one entity share what is read of the lake, and each has the values that it has alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shared_features import Aggregate, Count, FeatureGroup, days
from shared_features.formats.entity_keys import entity_keys, shards_of
from tests.domains.machines import MACHINE, MACHINE_HEAT, READINGS
from tests.training.lake import PARTITIONS, write_events
from tests.training.machine_streams import machine_streams
from training.datasets.offline_store import OfflineStore
from training.inference.audit.replay import vector_replay
from training.inference.audit.replay.shard_lives import Vector
from training.inference.audit.replay.stored_events import History, ReadEvents
from training.inference.audit.replay.vector_replay import AskedRows, values_at_vectors

COUNTED = FeatureGroup(
    name="machine_counted",
    version=1,
    entity=MACHINE,
    sources=(READINGS,),
    aggregates=(Aggregate(None, Count(), windows=(days(2),)),),
    shards=1,
)


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
    together = values_at_vectors(History(OfflineStore(tmp_path), both), asked, 2_000_000)
    assert read == ["readings"]
    for group in both:
        alone = values_at_vectors(History(OfflineStore(tmp_path), [group]), asked, 2_000_000)[group.part_name]
        assert together[group.part_name].tobytes() == alone.tobytes()
        assert np.isfinite(alone).any(axis=1).sum() > 10
        assert np.isnan(alone[0]).all()  # the row that no shard was read for


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
