"""What predictions read: an entity and its shard's meta in one step are the state of the meta's vector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats.events import concatenate
from shared_features.formats.shard_meta import ShardMeta
from streaming.lake.event_rows import EventRows
from tests.simulation.kafka_model import record_reader, records
from tests.simulation.wanted import Updates, canonical, shard_of, updates_of, wanted_states

if TYPE_CHECKING:
    from tests.simulation.world import World


class Served(NamedTuple):
    """What a prediction read of one entity: all of it in one step."""

    group: FeatureGroup
    shard: int
    key: int
    meta: ShardMeta
    state: bytes | None


def receipts(world: World) -> Iterator[str]:
    """What was served is the state of the log's events up to the vector, without the gaps that the meta names."""
    logs: dict[str, Updates] = {}
    for served in world.served:
        group = served.group
        if group.label not in logs:
            logs[group.label] = updates_of(group, [_log(world, source) for source in group.sources])
        if shard_of(group, served.key) != served.shard:
            continue
        world.chances.counts["receipts"] += 1
        meta = served.meta
        gone = {(of[0], of[2], offset) for of, first, past in meta.gaps for offset in range(first, past)}
        ends = {(of[0], of[2]): position.offset for of, position in meta.vector.items()}
        of_vector = [
            each
            for each in logs[group.label].get(served.key, ())
            if each.at[2] <= ends.get(each.at[:2], -1) and each.at not in gone
        ]
        newest_us = max((each.event.event_time_us for each in of_vector), default=0)
        consumed_us = max((position.consumed_until_us for position in meta.vector.values()), default=0)
        found = canonical(group, [served.key], [served.state], meta.build_id)
        if newest_us < consumed_us - 2 * group.readable_us and found == canonical(
            group, [served.key], [None], meta.build_id
        ):
            continue  # a build forgets what nothing can read any more
        if found != wanted_states(group, [of_vector]):
            yield f"{group.label}: what was served is not the state of its vector"


def _log(world: World, source: EventSource) -> EventRows:
    """All events of a source's topic, as if they had been stored."""
    reader = record_reader(source)
    empty, parts = EventRows.empty(source), []
    for key, log in sorted(world.kafka.logs.items()):
        if key[0] == source.topic:
            read = reader.read(records(key, log, 0, len(log.records)))
            many = len(read.offsets)
            parts.append(
                EventRows(read.events, np.full(many, key[1], np.int32), read.offsets, read.events.record_time_us)
            )
    if not parts:
        return empty
    return EventRows(
        concatenate([each.batch for each in parts]),
        np.concatenate([each.partition for each in parts]),
        np.concatenate([each.offset for each in parts]),
        np.concatenate([each.arrival_us for each in parts]),
    )
