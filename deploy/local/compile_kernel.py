"""`python -m deploy.local.compile_kernel`: compile the kernel once, into its cache on disk.

Several processes that start at once would each compile the same. A line every ten seconds says how far it is. What is
run here is what they run: digests, updates, reads, replay and the bytes of states, for every group of the definitions;
and the walk of a model's trees.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import numpy as np

from shared_features.compilation.compilation import compiled_once
from shared_features.definitions import EventSource, FeatureGroup, load_definitions
from shared_features.formats.entity_keys import shards_of
from shared_features.formats.entity_reader import EntityReader, StoredEntities
from shared_features.formats.entity_state import decode_states, encode_states, owners_of
from shared_features.formats.events import EventBatch
from shared_features.group_events import group_events
from shared_features.kernel.event_time import DAY_US
from shared_features.kernel.replay import apply, read, replay
from shared_features.kernel.tile_state import TileState
from shared_features.trees.flat_trees import ABOVE, FlatTrees
from shared_features.trees.tree_ensemble import FEW, TreeEnsemble

_EVENTS = 400
_FIRST_US = 1_600_000_000_000_000


def main() -> int:
    catalogue = load_definitions(os.environ.get("MILLRACE_DEFINITIONS", "shared_features.feature_views"))
    with compiled_once(lambda text: print(text, flush=True)):
        for group in catalogue.groups:
            for source in group.sources:
                _exercise(group, _events(source))
        _walk_trees()
    return 0


def _events(source: EventSource) -> EventBatch:
    """Events over two months: tiles of every hop come and go."""
    count = np.arange(_EVENTS, dtype=np.int64)
    time_us = _FIRST_US + count * DAY_US // 6
    columns = {}
    for field in source.fields:
        if field.is_text:
            columns[field.name] = np.array([f"text {each % 7}" for each in count.tolist()], object)
        else:
            columns[field.name] = count % (2 if field.type.storage == "boolean" else 7)
    columns[source.event_id] = count if columns[source.event_id].dtype != object else columns[source.event_id]
    columns[source.event_time] = time_us  # last: it may be the event id, too
    valid = {field.name: count % 3 > 0 for field in source.fields if field.optional}
    return EventBatch(source, columns, valid, time_us)


def _read_only(batch: EventBatch) -> EventBatch:
    columns = {name: column.copy() for name, column in batch.columns.items()}
    for column in columns.values():
        column.setflags(write=False)
    return EventBatch(batch.source, columns, batch.valid, batch.record_time_us)


def _exercise(group: FeatureGroup, batch: EventBatch) -> None:
    events = group_events(replace(group, where=()), batch)  # no generated event need meet the conditions
    _read_only(batch).digest  # noqa: B018  # columns that come from the lake are read-only, which is another type
    shards_of(events.keys, group.shards)
    owners = owners_of([b"any key"] * 7)
    state = TileState(group.layout)
    slots = state.add(7)[np.arange(len(events)) % 7]
    columns = (events.event_time_us, events.digest, events.values, events.valid)
    apply(state, slots, *columns)
    apply(state, slots, *columns)  # again: duplicates
    every = np.unique(slots)
    last_us = np.full(len(every), int(events.event_time_us[-1]) + 1)
    read(state, every, last_us)
    encoded = encode_states(state, every, 1, owners)
    decode_states(state, every, encoded, 1, owners)
    EntityReader([group.layout]).read(
        [StoredEntities([b"any key"] * len(encoded), encoded, [1] * len(encoded))], last_us
    )
    again = TileState(group.layout)
    replay(again, again.add(7)[np.arange(len(events)) % 7], events.event_time_us, *columns, every, last_us)
    state.clear(every)
    state.release(every)


def _walk_trees() -> None:
    """A tree of few leaves and one of many: each of them for few rows and for many."""
    for leaves in (1, 40):
        trees = chain(leaves)
        for rows in (1, FEW + 1):
            TreeEnsemble(trees, np.zeros(1, np.float32), np.float32(1), "sums").run(np.zeros((rows, 1), np.float32))


def chain(leaves: int) -> FlatTrees:
    """One tree whose every split has a leaf on its first side."""
    places = np.arange(2 * leaves - 1)
    is_split = (places % 2 == 0) & (places < 2 * leaves - 2)
    return FlatTrees(
        columns=np.zeros(1, np.int64),
        missing=np.full(1, ABOVE, np.int32),
        rows=np.zeros(len(places), np.int64),
        thresholds=np.where(is_split, 0, ABOVE).astype(np.int32),
        children=np.where(is_split, places + 1, places).astype(np.uint32),
        roots=np.zeros(1, np.uint32),
        bounds=np.append(0, np.cumsum(~is_split)),
        targets=np.zeros(leaves, np.int64),
        weights=np.ones(leaves, np.float32),
        sure=np.ones(1, np.bool_),
    )


if __name__ == "__main__":
    sys.exit(main())
