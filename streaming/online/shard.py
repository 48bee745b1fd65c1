"""A shard: a fixed slice of a group's entities. It skips known events, loads entities, applies, commits with its
vector.

The content of a shard is a function of the events that it applied. Its vector names them: one offset per partition.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureGroup, difference
from shared_features.formats.entity_state import decode_states, encode_states, owners_of
from shared_features.formats.shard_meta import COMMIT_ID_BYTES, Partition, Progress, ShardMeta, VectorEntry
from streaming.errors import RefusedError, RestartNeeded
from streaming.kafka.brokers.recreated_topic import WAY_ON
from streaming.log import get_log
from streaming.metrics import StreamingMetrics
from streaming.online.entity_cache import EntityCache
from streaming.online.joint_changes import Changed, JointChanges, Share
from streaming.online.sub_batch import Stretch, SubBatch
from streaming.online_store.shard_store import ShardStore

_LOG = get_log("online")
Clock = Callable[[], int]
Missing = Callable[[Partition, int, int], None]
"""Called with (partition, first, past) for deleted records. Raises unless a shard may continue without them."""

_NOWHERE = VectorEntry(-1, -1)


class Shard:
    """One live shard in this process: its vector, its entities in a cache, and the store of both.

    `meta`: the meta that `store` has read; the shard is not behind. `cache`: shards of one group may share it.
    """

    def __init__(
        self,
        group: FeatureGroup,
        label: str,
        store: ShardStore,
        meta: ShardMeta,
        entity_prefix: bytes,
        cache: EntityCache,
        missing: Missing,
        metrics: StreamingMetrics,
        clock: Clock,
        idle_commit_s: float,
    ) -> None:
        self._group, self._label, self._store = group, label, store
        self._entity_prefix, self._cache, self._missing = entity_prefix, cache, missing
        self._metrics, self._clock, self._idle_commit_s = metrics, clock, idle_commit_s
        refuse_other_meaning(group, meta)
        self._build_id, self._built_at_us = meta.build_id, meta.built_at_us
        self._gaps, self._erasures = meta.gaps, meta.erasures
        self._vector: dict[Partition, VectorEntry] = dict(meta.vector)
        self._committed_vector = dict(self._vector)
        self._committed_at = (
            time.monotonic() - idle_commit_s
        )  # so that the first move of the vector is committed at once

    @property
    def group_label(self) -> str:
        """Of the group whose entities these are."""
        return self._group.label

    def write(self, batches: Sequence[SubBatch]) -> None:
        """Apply the new events of the batches. Begin a commit if an entity changed or a commit is due."""
        write_together([(self, batches)])

    def close(self) -> None:
        """If the vector is ahead of the stored one, commit it, and wait for the commit."""
        if self._vector != self._committed_vector:
            self._commit(Changed([], []))
        self._store.close()

    def _advance(self, batch: SubBatch) -> SubBatch:
        """Move the vector over a batch's span. Returns the part of the batch that the shard has not applied yet."""
        span = batch.span
        if span.of not in self._vector:
            self._refuse_replaced_topic(span)
        had = self._vector.get(span.of, _NOWHERE)
        if span.after > had.offset:
            raise RestartNeeded(
                f"shard {self._label}: offsets {had.offset + 1} to {span.after} of {span.topic}, partition "
                f"{span.partition} never arrived; restarting from what is stored"
            )
        if span.missing and span.to > had.offset:
            self._missing(span.of, had.offset + 1, span.to + 1)
            self._gaps = (*self._gaps, (span.of, had.offset + 1, span.to + 1))
        until_us = max(had.consumed_until_us, span.consumed_until_us)
        self._vector[span.of] = VectorEntry(max(had.offset, span.to), until_us)
        return batch.beyond(had.offset)

    def _share(self, batches: Sequence[SubBatch]) -> Share:
        """What the batches bring that the shard has not applied yet. Its entities are in the cache from now on."""
        parts = [part for part in map(self._advance, batches) if len(part)]
        self._load(self._cache.unknown([key for part in parts for key in part.keys]))
        return Share(self._build_id, parts)

    def _load(self, keys: list[object]) -> None:
        if keys:
            redis_keys = self._redis_keys(keys)
            stored, owners = self._store.load(redis_keys), owners_of(redis_keys)
            slots, damaged = self._cache.add(keys, owners), dict[int, str]()
            decode_states(self._cache.state, slots, stored, self._build_id, owners, damaged)
            if damaged:
                rows = sorted(damaged)
                self._give_up(slots[rows], [redis_keys[row] for row in rows], damaged[rows[0]])
            self._metrics.loaded(self._group.label, len(keys))

    def _give_up(self, damaged: NDArray[np.int64], keys: list[bytes], error: str) -> NoReturn:
        """States cannot be read, so nothing may be built on them: mark the shard behind, for `bootstrap` to rebuild it.

        Empty states replace the damaged ones: a build leaves alone what it has no events of, and would meet them again.
        """
        _LOG.error("marking a shard for a rebuild, states of it cannot be read", shard=self._label, states=len(keys),
                   key=keys[0].decode(errors="backslashreplace"), error=error)  # fmt: skip
        now_us = self._clock()
        meta = ShardMeta(
            commit_id=secrets.token_bytes(COMMIT_ID_BYTES),
            build_id=self._build_id,
            behind=True,
            fingerprint=self._group.fingerprint,
            committed_at_us=now_us,
            progress=Progress(now_us, 0, 0),
        )
        owners = self._cache.owners(damaged)
        self._store.begin_commit(meta, keys, encode_states(self._cache.state, damaged, self._build_id, owners))
        self._store.settle()
        raise RestartNeeded(f"shard {self._label}: {len(keys)} states cannot be read; `bootstrap` rebuilds the shard")

    def _commit_if_due(self, changed: Changed) -> None:
        idle = time.monotonic() - self._committed_at >= self._idle_commit_s
        if changed.keys or (idle and self._vector != self._committed_vector):
            self._commit(changed)

    def _commit(self, changed: Changed) -> None:
        started = time.perf_counter()
        meta = ShardMeta(
            commit_id=secrets.token_bytes(COMMIT_ID_BYTES),
            build_id=self._build_id,
            behind=False,
            fingerprint=self._group.fingerprint,
            gaps=self._gaps,
            committed_at_us=self._clock(),
            vector=dict(self._vector),
            erasures=self._erasures,
            key=self._store.meta_key,
            built_at_us=self._built_at_us,
        )
        self._store.begin_commit(meta, self._redis_keys(changed.keys), changed.states)
        self._committed_vector, self._committed_at = meta.vector, time.monotonic()
        seconds = time.perf_counter() - started
        oldest_us = min((each.consumed_until_us for each in meta.vector.values()), default=-1)
        behind_us = meta.committed_at_us - oldest_us
        self._metrics.committed(self._group.label, self._label, len(changed.keys), seconds, behind_us)

    def _redis_keys(self, keys: Sequence[object]) -> list[bytes]:
        return [self._entity_prefix + str(key).encode() for key in keys]

    def _refuse_replaced_topic(self, span: Stretch) -> None:
        for topic, topic_id, partition in self._vector:
            if (topic, partition) == (span.topic, span.partition):
                raise RefusedError(
                    f"Shard {self._label} has applied events of an earlier topic {topic}, with id {topic_id}. That "
                    f"topic was deleted and re-created; its id is now {span.topic_id}. {WAY_ON}"
                )


def write_together(batches: Sequence[tuple[Shard, Sequence[SubBatch]]]) -> None:
    """Apply the new events of shards of one group, which share a cache, at once. Begin the commits that are due.

    Each shard loads its entities beside its own commit id, and commits on its own.
    """
    first = batches[0][0]
    changes = JointChanges.of(first._cache, [shard._share(of_shard) for shard, of_shard in batches])
    for source, counts in changes.outcomes.items():
        first._metrics.applied(first._group.label, source, counts)
    for (shard, _), changed in zip(batches, changes.shares, strict=True):
        shard._commit_if_due(changed)
    first._cache.evict()


def refuse_other_meaning(
    group: FeatureGroup, meta: ShardMeta, definition: Callable[[], bytes | None] = lambda: None
) -> None:
    """Raise RefusedError if another definition made the stored shard. `definition`: reads the stored definition."""
    if meta.fingerprint != group.fingerprint:
        stored = definition()
        changed = "" if stored is None else f": {difference(stored.decode(), group)}"
        raise RefusedError(
            f"Feature group {group.label}: its definition has changed (fingerprint {group.fingerprint}, in Redis "
            f"{meta.fingerprint}){changed}. Stored states keep their meaning, so raise its version to "
            f"{group.version + 1}"
        )
