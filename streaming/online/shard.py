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
from shared_features.kernel.replay import APPLIED, apply
from streaming.errors import RefusedError, RestartNeeded
from streaming.kafka.recreated_topic import WAY_ON
from streaming.log import get_log
from streaming.metrics import StreamingMetrics
from streaming.online.entity_cache import EntityCache
from streaming.online.sub_batch import Stretch, SubBatch
from streaming.online_store.shard_store import ShardStore

_LOG = get_log("online")
Clock = Callable[[], int]
Missing = Callable[[Partition, int, int], None]
"""Called with (partition, first, past) for deleted records. Raises unless a shard may continue without them."""

_NOWHERE = VectorEntry(-1, -1)


class Shard:
    """One live shard in this process: its cache, its vector, and the store of both.

    `meta`: the meta that `store` has read; the shard is not behind.
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
        self._build_id, self._gaps, self._erasures = meta.build_id, meta.gaps, meta.erasures
        self._vector: dict[Partition, VectorEntry] = dict(meta.vector)
        self._committed_vector = dict(self._vector)
        self._committed_at = (
            time.monotonic() - idle_commit_s
        )  # so that the first move of the vector is committed at once

    def write(self, batches: Sequence[SubBatch]) -> None:
        """Apply the new events of the batches. Begin a commit if an entity changed or a commit is due."""
        parts = [self._advance(each) for each in batches]
        changed = self._apply([part for part in parts if len(part)])
        idle = time.monotonic() - self._committed_at >= self._idle_commit_s
        if len(changed) or (idle and self._vector != self._committed_vector):
            self._commit(changed)

    def close(self) -> None:
        """If the vector is ahead of the stored one, commit it, and wait for the commit."""
        if self._vector != self._committed_vector:
            self._commit(np.empty(0, np.int64))
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

    def _apply(self, parts: list[SubBatch]) -> NDArray[np.int64]:
        """Slots of the entities that the events changed, ascending."""
        if not parts:
            return np.empty(0, np.int64)
        keys = parts[0].keys if len(parts) == 1 else [key for part in parts for key in part.keys]
        self._load(self._cache.unknown(keys))
        slots = self._cache.slots(keys)
        times, digest, values, valid = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("event_time_us", "digest", "values", "valid")
        )
        outcome = apply(self._cache.state, slots, times, digest, values, valid)
        self._count(parts, outcome)
        return np.unique(slots[outcome == APPLIED])

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

    def _commit(self, changed: NDArray[np.int64]) -> None:
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
        )
        keys, states = list[bytes](), list[bytes]()
        if len(changed):  # most commits of a quiet shard move the vector alone
            keys, owners = self._redis_keys(self._cache.keys(changed)), self._cache.owners(changed)
            states = encode_states(self._cache.state, changed, self._build_id, owners)
        self._store.begin_commit(meta, keys, states)
        self._cache.evict()
        self._committed_vector, self._committed_at = meta.vector, time.monotonic()
        oldest_us = min((each.consumed_until_us for each in meta.vector.values()), default=-1)
        self._metrics.committed(
            self._group.label, self._label, len(keys), time.perf_counter() - started, meta.committed_at_us - oldest_us
        )

    def _redis_keys(self, keys: Sequence[object]) -> list[bytes]:
        return [self._entity_prefix + str(key).encode() for key in keys]

    def _count(self, parts: list[SubBatch], outcome: NDArray[np.uint8]) -> None:
        start = 0
        for part in parts:
            of_part = np.bincount(outcome[start : start + len(part)], minlength=3)
            self._metrics.applied(self._group.label, part.source, of_part.tolist())
            start += len(part)

    def _refuse_replaced_topic(self, span: Stretch) -> None:
        for topic, topic_id, partition in self._vector:
            if (topic, partition) == (span.topic, span.partition):
                raise RefusedError(
                    f"Shard {self._label} has applied events of an earlier topic {topic}, with id {topic_id}. That "
                    f"topic was deleted and re-created; its id is now {span.topic_id}. {WAY_ON}"
                )


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
