"""What states and values should be: of stored events, by the oracle, and by the kernel in the order of positions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_keys import shards_of
from shared_features.formats.entity_state import decode_states, encode_states, owners_of
from shared_features.formats.online_state import entity_prefix
from shared_features.kernel.replay import apply
from shared_features.kernel.tile_state import TileState
from streaming.lake.event_rows import EventRows
from tests import oracle
from tests.simulation.processes import NAMESPACE
from tests.taken_events import rows_of, taken


class Update(NamedTuple):
    """An event as a group takes it, with its position, its arrival time and its effect."""

    at: tuple[str, int, int]
    effect_us: int
    event: oracle.Event


Updates = dict[int, list[Update]]
"""Entity key -> its events."""


def updates_of(group: FeatureGroup, arrived: Iterable[EventRows]) -> Updates:
    found: Updates = defaultdict(list)
    for each in arrived:
        source = each.batch.source
        for row, key, event in taken(group, source, rows_of(each.batch)):
            at = source.topic, int(each.partition[row]), int(each.offset[row])
            effect_us = max(int(each.arrival_us[row]), event.event_time_us + 1)
            found[int(key)].append(Update(at, effect_us, event))
    return found


def equal_values(group: FeatureGroup, values: list[float], events: list[oracle.Event], at_us: int) -> bool:
    wanted = [oracle.value(group.layout, each, events, at_us) for each in group.layout.features]
    return all(a == b or (a != a and b != b) for a, b in zip(values, wanted, strict=True))


def shard_of(group: FeatureGroup, key: int) -> int:
    return int(shards_of(np.array([key], np.int64), group.shards)[0])


def owners(group: FeatureGroup, keys: list[int]) -> NDArray[np.uint64]:
    """Whose the stored states of these entities are."""
    return owners_of([entity_prefix(NAMESPACE, group, shard_of(group, key)) + b"%d" % key for key in keys])


def canonical(group: FeatureGroup, keys: list[int], values: list[bytes | None], build: int) -> list[bytes]:
    state = TileState(group.layout)
    slots = state.add(len(values))
    decode_states(state, slots, values, build, owners(group, keys))
    return encode_states(state, slots, 0)


def wanted_states(group: FeatureGroup, updates: list[list[Update]]) -> list[bytes]:
    """The kernel's states of these events, applied in the order of their positions."""
    state = TileState(group.layout)
    slots = state.add(len(updates))
    rows = [(slot, each.event) for slot, of in zip(slots.tolist(), updates, strict=True) for each in sorted(of)]
    if rows:
        events = [event for _, event in rows]
        apply(
            state,
            np.array([slot for slot, _ in rows]),
            np.array([each.event_time_us for each in events]),
            np.array([each.digest for each in events], np.uint64),
            np.array([each.values for each in events], np.int64),
            np.array([each.valid for each in events], np.bool_),
        )
    return encode_states(state, slots, 0)
