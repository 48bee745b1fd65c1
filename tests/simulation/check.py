"""Right means: events and dead letters equal the log, states and rows equal the oracle over the stored events.

And every answer that was served equals the state of the vector it was read with.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats.entity_state import decode_states
from shared_features.formats.offline_tables import DEAD_LETTERS_TABLE, events_table, features_table
from shared_features.formats.online_state import entity_prefix, meta_key
from shared_features.formats.shard_meta_bytes import decode_meta
from shared_features.kernel.event_time import SECOND_US
from shared_features.kernel.replay import read
from shared_features.kernel.tile_state import TileState
from streaming.lake.event_rows import EventRows
from streaming.replay.spine import Spine
from tests.simulation.domain import FUTURE_S, HEAD_S
from tests.simulation.kafka_model import TOPIC_ID, record_reader, records
from tests.simulation.processes import NAMESPACE, SLACK_US
from tests.simulation.receipts import receipts
from tests.simulation.wanted import (
    Update,
    Updates,
    canonical,
    equal_values,
    owners,
    shard_of,
    updates_of,
    wanted_states,
)
from tests.taken_events import entity_key, identity, rows_of

if TYPE_CHECKING:
    from tests.simulation.world import World

AT_S = (-FUTURE_S - HEAD_S, -3, 0, 1, 40)
"""Instants at which values are read, from the newest event on: the earliest is where the heads begin."""
"""How long after the newest event values are read."""


def faults(world: World) -> list[str]:
    """What is wrong at the end, one sentence each."""
    stored = {source.name: _stored(world, source) for source in world.sources}
    found = [*_events(world, stored)]
    for group in world.groups:
        arrived = [stored[source.name] for source in group.sources]
        updates = updates_of(group, arrived)
        found += _states(world, group, updates)
    for spine in world.spines:
        found += _rows(world, spine, stored)
    found += receipts(world)
    return list(dict.fromkeys(found))


def _stored(world: World, source: EventSource) -> EventRows:
    rows = world.tables.rows(world.lake / events_table(source))
    return EventRows.empty(source) if rows is None else EventRows.of(source, rows)


def _gaps(world: World, table: str, topic: str, number: int) -> set[int]:
    positions = world.tables.logs[world.lake / table].versions[-1].positions
    of = f"{topic}:{TOPIC_ID}:{number}"
    ends = [[positions[f"gap:{of}:{i}:{end}"] for end in ("first", "past")] for i in range(positions[f"gaps:{of}"])]
    return {offset for first, past in ends for offset in range(first, past)}


def _events(world: World, stored: dict[str, EventRows]) -> Iterator[str]:
    dead: Any = world.tables.rows(world.lake / DEAD_LETTERS_TABLE)
    letters = sorted(
        zip(*(dead[name].to_pylist() for name in ("topic", "kafka_partition", "kafka_offset")), strict=True)
    )
    wanted_letters = []
    for source in world.sources:
        wanted = []
        reader = record_reader(source)
        for (topic, number), log in sorted(world.kafka.logs.items()):
            if topic == source.topic:
                every = reader.read(records((topic, number), log, 0, len(log.records)))
                gone = _gaps(world, events_table(source), topic, number)
                world.chances.counts["archive: partitions with a gap"] += bool(gone)
                wanted += [(number, offset) for offset in every.offsets.tolist() if offset not in gone]
                gone = _gaps(world, DEAD_LETTERS_TABLE, topic, number)
                wanted_letters += [(topic, number, each.offset) for each in every.dead if each.offset not in gone]
        arrived = stored[source.name]
        if sorted(zip(arrived.partition.tolist(), arrived.offset.tolist(), strict=True)) != sorted(wanted):
            yield f"events of {source.name} are not those of the log"
        order = np.lexsort((arrived.offset, arrived.partition))
        same = np.diff(arrived.partition[order]) == 0
        if (np.diff(arrived.arrival_us[order])[same] < 0).any() or (
            arrived.arrival_us < arrived.batch.record_time_us
        ).any():
            yield f"arrival times of {source.name} run backwards"
    if letters != sorted(wanted_letters):
        yield "dead letters are not those of the log"


def _states(world: World, group: FeatureGroup, updates: Updates) -> Iterator[str]:
    """Redis: live shards at the end of every log, with the archive's gaps, and the states of the stored events."""
    ends = {
        (topic, TOPIC_ID, number): len(log.records) - 1
        for (topic, number), log in world.kafka.logs.items()
        if topic in {source.topic for source in group.sources}
    }
    for number in range(group.shards):
        stored = world.redis.values.get(meta_key(NAMESPACE, group, number))
        if stored is None or (meta := decode_meta(stored)).behind:
            yield f"{group.label}: a shard is not live"
            return
        if {of: at.offset for of, at in meta.vector.items()} != ends:
            yield f"{group.label}: a vector is not at the end"
        for of in ends:
            mine = {o for each, first, past in meta.gaps if each == of for o in range(first, past)}
            if mine != _gaps(world, events_table(group.sources[0]), of[0], of[2]):
                yield f"{group.label}: gaps are not the archive's"
        prefix = entity_prefix(NAMESPACE, group, number)
        found = {int(key[len(prefix) :]): value for key, value in world.redis.values.items() if key.startswith(prefix)}
        keys = sorted({*found, *(key for key in updates if shard_of(group, key) == number)})
        keys = [
            key
            for key in keys
            if not _forgettable(world, group, meta.build_id, key, found.get(key), updates.get(key, []))
        ]
        bytes_of = [found.get(key) for key in keys]
        if canonical(group, keys, bytes_of, meta.build_id) != wanted_states(
            group, [updates.get(key, []) for key in keys]
        ):
            yield f"{group.label}: states are not those of the stored events"
        yield from _values(world, group, keys, bytes_of, meta.build_id, updates)


def _forgettable(
    world: World, group: FeatureGroup, build: int, key: int, stored: bytes | None, updates: list[Update]
) -> bool:
    """Whether a build may have left an entity out: nothing can read its events, and whatever comes prunes them."""
    reach_us = 2 * group.readable_us
    newest_us = max((each.event.event_time_us for each in updates), default=0)
    if newest_us >= world.kafka.clock_us() - SLACK_US - reach_us:
        return False
    return canonical(group, [key], [stored], build) == canonical(group, [key], [None], build)


def _values(
    world: World, group: FeatureGroup, keys: list[int], bytes_of: list[bytes | None], build: int, updates: Updates
) -> Iterator[str]:
    newest = max((each.event.event_time_us for of in updates.values() for each in of), default=world.kafka.clock_us())
    state = TileState(group.layout)
    slots = state.add(len(keys))
    decode_states(state, slots, bytes_of, build, owners(group, keys))
    for after_s in AT_S if keys else ():
        at_us = newest + after_s * SECOND_US
        for key, values in zip(keys, read(state, slots, np.full(len(keys), at_us)).tolist(), strict=True):
            if not equal_values(group, values, [each.event for each in updates.get(key, [])], at_us):
                yield f"{group.label}: values in Redis are not the oracle's"


def _rows(world: World, spine: Spine, stored: dict[str, EventRows]) -> Iterator[str]:
    group = spine.group
    table = world.tables.rows(world.lake / features_table(group, spine.source))
    rows = [] if table is None else table.to_pylist()
    by_position = {(row["kafka_partition"], row["kafka_offset"]): row for row in rows}
    reads = stored[spine.source.name]
    if len(by_position) != len(rows):
        yield f"{spine.label}: a row twice"
    if len(by_position) != len(reads):
        yield f"{spine.label}: a row lost"
        return
    updates = updates_of(group, [stored[source.name] for source in group.sources])
    events = rows_of(reads.batch)
    met: set[tuple[Any, ...]] = set()
    for index in np.lexsort((reads.offset, reads.partition, reads.arrival_us)).tolist():
        row = by_position.get((int(reads.partition[index]), int(reads.offset[index])))
        if row is None:
            yield f"{spine.label}: a row of no event"
            return
        event = events[index]
        at_us, arrival_us = event[spine.source.event_time], int(reads.arrival_us[index])
        named, of = identity(spine.source, event), entity_key(group, event)
        late = arrival_us - at_us > spine.lateness_us
        found = row["event_time_us"], row["arrival_time_us"], row["entity_key"], row["late"], row["copy"]
        if found != (at_us, arrival_us, of, late, named in met):
            yield f"{spine.label}: a row is not its event's"
        met.add(named)
        seen = [each.event for each in updates.get(int(of), ()) if each.effect_us <= at_us]
        if not equal_values(group, [row[feature.name] for feature in group.features], seen, at_us):
            yield f"{spine.label}: a {'late' if late else 'regular'} row's values are not the oracle's"
