"""The stored events that a group takes, as the naive specification says, and when two values are the same."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_keys import has_integer_key, shards_of
from tests import oracle
from tests.end_to_end.archived_truth import Stored
from tests.taken_events import rows_of, taken


def assert_same(found: float, wanted: float, what: str) -> None:
    """Equal to the bit; any NaN equals any NaN."""
    both_nan = math.isnan(found) and math.isnan(wanted)
    assert both_nan or struct.pack("<d", found) == struct.pack("<d", wanted), f"{what}: {found!r} is not {wanted!r}"


@dataclass(frozen=True)
class TakenEvents:
    rows: list[int]
    texts: list[str]
    shards: list[int]
    events: list[oracle.Event]
    arrival_us: list[int]
    columns: tuple[Any, ...]


def taken_events(group: FeatureGroup, stored: Stored) -> TakenEvents:
    seen = list(taken(group, stored.batch.source, rows_of(stored.batch)))
    rows, texts, events = (list(each) for each in zip(*seen, strict=True)) if seen else ([], [], [])
    columns = (
        np.array([event.event_time_us for event in events], np.int64),
        np.array([event.digest for event in events], np.uint64),
        np.array([event.values for event in events], np.int64).reshape(len(events), len(group.columns)),
        np.array([event.valid for event in events], np.bool_).reshape(len(events), len(group.columns)),
    )
    numbers = has_integer_key(group.entity, stored.batch.source)
    shards = shards_of(np.array(texts, np.int64) if numbers else texts, group.shards).tolist()
    arrival_us = [stored.arrival_us[row] for row in rows]
    return TakenEvents(rows, texts, shards, events, arrival_us, columns)
