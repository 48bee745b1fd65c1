"""What was served, computed again: from the events in the lake, up to the positions in the prediction's receipt.

The other half of parity. That training and serving compute alike is the model's certificate; that the online store
held what the lake says it must have held is shown here, bit for bit, for the predictions whose features were asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from deploy.demo.traffic.prediction_client import Asked
from shared_features.definitions import EventSource, FeatureGroup
from shared_features.feature_matrix import feature_matrix
from shared_features.feature_views import CARD_FRAUD
from shared_features.formats.offline_tables import OFFSET, PARTITION, events_table
from shared_features.formats.receipt import decode_receipt
from shared_features.group_events import group_events
from shared_features.kernel.replay import apply, read
from shared_features.kernel.tile_state import TileState
from streaming.lake.events_table import event_batch


@dataclass
class Replayed:
    """How many answers were computed again, and what differed."""

    checked: int = 0
    equal: int = 0
    differences: list[str] = field(default_factory=list)


def replay_features(lake: Path, asked: Sequence[Asked]) -> Replayed:
    """Compare the served features of each answer that has some with those of the stored events."""
    found = Replayed()
    served = [each for each in asked if each.features is not None]
    events = {source.name: _events_of(lake, source, served) for group in CARD_FRAUD.groups for source in group.sources}
    for each in served:
        found.checked += 1
        different = _different(each, _recompute(each, events))
        found.equal += not different
        found.differences += [f"transaction {each.transaction_id}: {text}" for text in different]
    return found


def _events_of(lake: Path, source: EventSource, asked: Sequence[Asked]) -> pl.DataFrame:
    """The stored events of every entity that was asked for."""
    keys = {key for group in CARD_FRAUD.groups if source in group.sources for key in group.entity.keys}
    wanted = pl.lit(False)
    for key in keys:
        wanted |= pl.col(key).is_in([each.body["instances"][0][key] for each in asked])
    return pl.scan_delta(str(lake / events_table(source))).filter(wanted).collect()


def _recompute(asked: Asked, events: Mapping[str, pl.DataFrame]) -> NDArray[np.float32]:
    instance, as_of_us = asked.body["instances"][0], asked.as_of_us
    receipt = decode_receipt(msgspec.json.encode(asked.answer["receipt"]))
    vectors = {
        shard.group: {(each.topic, each.partition): each.offset for each in shard.vector} for shard in receipt.shards
    }
    at = np.array([as_of_us])
    stored = {
        group.part_name: _values(group, instance, at, vectors[group.label], events) for group in CARD_FRAUD.groups
    }
    request = {name: np.array([value], np.float64) for name, value in instance.items()}
    return feature_matrix(CARD_FRAUD, request, at, stored)


def _values(
    group: FeatureGroup,
    instance: Mapping[str, Any],
    at: NDArray[np.int64],
    vector: Mapping[tuple[str, int], int],
    events: Mapping[str, pl.DataFrame],
) -> NDArray[np.float64]:
    state = TileState(group.layout)
    slot = state.add(1)
    for source in group.sources:
        rows = events[source.name].filter([pl.col(key) == instance[key] for key in group.entity.keys])
        applied = [
            vector.get((source.topic, partition), -1) >= offset
            for partition, offset in rows.select(PARTITION, OFFSET).iter_rows()
        ]
        rows = rows.filter(pl.Series(applied, dtype=pl.Boolean)).sort(PARTITION, OFFSET)
        if len(rows):
            seen = group_events(group, event_batch(source, rows.to_arrow()))
            # A copy: what comes from Arrow is read-only, and the kernel would be compiled once more for that.
            time_us = np.array(seen.event_time_us)
            apply(state, np.repeat(slot, len(seen)), time_us, seen.digest, seen.values, seen.valid)
    return read(state, slot, at)


def _different(asked: Asked, matrix: NDArray[np.float32]) -> list[str]:
    texts = []
    for column, value in zip(CARD_FRAUD.columns, matrix[0].tolist(), strict=True):
        served = (asked.features or {})[column.name]
        expected = None if math.isnan(value) else value
        if served != (str(expected).replace("inf", "Infinity") if value in (math.inf, -math.inf) else expected):
            texts.append(f"{column.name} was served as {served}, the lake says {expected}")
    return texts
