"""The features of events, from the online store, and which of them can be told already.

An event is scored once the shards of its entities have applied it, and so every earlier record of its partition. What
has arrived since may be in them, too. The event's own time decides what counts, as for a request that names the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView
from shared_features.formats.entity_reader import EntityReader, StoredEntities
from shared_features.formats.shard_meta import Partition, VectorEntry
from shared_features.stored_features.feature_vectors import FeatureRows, FeatureVectors
from shared_features.stored_features.shards import ShardFacts
from streaming.online_store.link import RedisLink
from streaming.scores.unscored_events import UnscoredEvents

_NOTHING = VectorEntry(-1, -1)


class StoredRows(NamedTuple):
    """ready: bool[n]. why: what the first event that is not ready lacks."""

    rows: FeatureRows
    ready: NDArray[np.bool_]
    why: str


class RowReader:
    """Reads rows of one view version."""

    def __init__(self, view: FeatureView, namespace: str, link: RedisLink) -> None:
        self.view, self._link = view, link
        self._vectors = FeatureVectors(view, namespace)
        self._waits_for = {each.part_name for each in view.groups if view.source in each.sources}

    def warm_up(self) -> None:
        """Load the compiled code of a read before the first event waits for it, which takes seconds."""
        nobody = [StoredEntities([b""], [None], [0]) for _ in self.view.groups]
        EntityReader([group.layout for group in self.view.groups]).read(nobody, np.zeros(1, np.int64))

    def read(self, events: UnscoredEvents) -> StoredRows:
        """Every event as of its own time. Raises OnDemandError."""
        plan = self._vectors.plan(events.columns(self.view))
        values = self._link.calls([("MGET", *keys) for keys in plan.reads]) if plan.reads else []
        rows = self._vectors.compute(plan, values, events.batch.event_time_us)
        ready, why = np.ones(len(events), np.bool_), ""
        for group in rows.groups:
            for row, (problem, facts) in enumerate(zip(group.problems, group.facts, strict=True)):
                lacks = problem or self._lacks(group.name, facts, events, row)
                if lacks:
                    ready[row], why = False, why or lacks
        return StoredRows(rows, ready, why)

    def lacks(self, scored: Mapping[Partition, int]) -> str | None:
        """Why its groups are not up to date with what was scored; None when they are."""
        metas = self._link.calls([("GET", shard.meta_key) for shard in self._vectors.shards])
        for shard, meta in zip(self._vectors.shards, metas, strict=True):
            facts = shard.facts(meta)
            if facts.problem is not None:
                return facts.problem
            if shard.group.part_name in self._waits_for:
                for of, offset in scored.items():
                    if facts.vector.get(of, _NOTHING).offset < offset:
                        return f"shard {shard.number} of {shard.group.label} has not applied what was scored. Wait."
        return None

    def _lacks(self, group: str, facts: ShardFacts | None, events: UnscoredEvents, row: int) -> str:
        if group not in self._waits_for or facts is None:
            return ""
        partition, offset = int(events.partition[row]), int(events.offset[row])
        applied = facts.vector.get((self.view.source.topic, events.topic_id, partition), _NOTHING).offset
        if applied >= offset:
            return ""
        return (
            f"shard {facts.shard} of {group} has applied partition {partition} of {self.view.source.topic} up to "
            f"offset {applied}, and the event is at {offset}"
        )
