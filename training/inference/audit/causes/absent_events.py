"""Why the lake lacks events that a shard had applied: not archived yet, deleted, lost before archiving, or erased.

An answer from such events cannot be computed again, and nothing shows that it was wrong. Where the lake has all events,
or lacks the same ones as the shard, a difference has another cause.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from deltalake import DeltaTable

from shared_features.definitions import FeatureGroup
from shared_features.formats.receipt import ShardReceipt
from shared_features.formats.shard_meta import Partition, gaps_digest
from training.datasets.offline_store import OfflineStore
from training.inference.audit.causes.stored_positions import StoredPositions, named
from training.inference.audit.findings import DELETED_EVENTS, ERASED_EVENTS, LOST_EVENTS, UNARCHIVED_EVENTS


class AbsentEvents:
    """Of one group."""

    def __init__(self, store: OfflineStore, group: FeatureGroup, tables: Mapping[str, DeltaTable]) -> None:
        """tables: the events by topic."""
        self._group, self._stored = group, StoredPositions(store, tables)
        self._sources = {each.topic for each in group.sources}
        self._reach_us = group.readable_us + max(spec.hop_us for spec in group.layout.features)

    def cause(self, shard: ShardReceipt | None, as_of_us: int) -> tuple[str, str] | None:
        """Cause and detail of what the lake lacks of the events that windows reach; None where it lacks none.

        shard: as the receipt names it. as_of_us: of the row.
        """
        label, since_us = self._group.label, as_of_us - self._reach_us
        if any(self._stored.kept_us(topic) > since_us for topic in self._sources if self._stored.kept_us(topic)):
            return DELETED_EVENTS, f"events that windows of {label} reach were deleted by retention"
        if shard is None:
            return None
        held = {(at.topic, at.topic_id, at.partition): at.offset for at in shard.vector if at.topic in self._sources}
        for place, offset in held.items():
            stored = self._stored.archived(place)
            if stored is not None and stored < offset:
                detail = (
                    f"{named(place)} is archived up to offset {stored}, and the answer is from those up to {offset}"
                )
                return UNARCHIVED_EVENTS, detail
        if lost := self._lost(shard, held, since_us):
            return LOST_EVENTS, f"{lost} were gone before they were archived, and {label} had applied them"
        for place, offset in held.items():
            if self._stored.erasures(place[0]) and (number := self._absent(place, offset, since_us)):
                detail = f"windows of {label} reach {number} positions of {named(place)} whose events were erased"
                return ERASED_EVENTS, detail
        return None

    def _lost(self, shard: ShardReceipt, held: Mapping[Partition, int], since_us: int) -> str:
        """Which offsets the archive lacks and the shard does not; empty where there are none."""
        gaps = [gap for place in held for gap in self._stored.gaps(place) if gap[1] <= held[place]]
        passed = [gap for gap in gaps if gap[2] <= held[gap[0]] + 1]
        if f"{gaps_digest(passed):016x}" == shard.gaps_digest:  # the shard lacked these too
            gaps = [gap for gap in gaps if gap not in passed]
        for place, first, past in gaps:
            _, arrival_us, _ = self._stored.partition(place)
            after = int(np.searchsorted(self._stored.partition(place).offsets, past))
            if after == len(arrival_us) or arrival_us[after] >= since_us:
                return f"offsets {first} to {past - 1} of {named(place)}"
        return ""

    def _absent(self, place: Partition, last: int, since_us: int) -> int:
        """How many positions up to `last` that windows reach have neither an event, nor a dead letter, nor a gap."""
        offsets, arrival_us, dead = self._stored.partition(place)
        start = int(np.searchsorted(arrival_us, since_us))
        first = int(offsets[start - 1]) + 1 if start else 0
        if not start and self._stored.kept_us(place[0]):
            first = int(offsets[0]) if len(offsets) else last + 1
        stored = sum(int(np.count_nonzero((each >= first) & (each <= last))) for each in (offsets, dead))
        lost = sum(max(0, min(past, last + 1) - max(begin, first)) for _, begin, past in self._stored.gaps(place))
        return max(0, last + 1 - first - stored - lost)
