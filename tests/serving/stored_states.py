"""Online states for tests: events through the shared code into the keys and bytes that streaming would have written."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats.entity_keys import key_texts, shards_of
from shared_features.formats.entity_state import encode_states, owners_of
from shared_features.formats.events import EventBatch
from shared_features.formats.online_state import entity_prefix, meta_key
from shared_features.formats.shard_meta import ShardMeta, VectorEntry
from shared_features.formats.shard_meta_bytes import encode_meta
from shared_features.group_events import group_events
from shared_features.kernel.replay import apply
from shared_features.kernel.tile_state import TileState

NAMESPACE = "test"


def event_batch(source: EventSource, rows: Sequence[Mapping[str, Any]]) -> EventBatch:
    """Rows of steps (not wire values) as a batch; None is missing. An event arrives when it happens."""
    columns: dict[str, Any] = {}
    valid = {}
    for field in source.fields:
        values = [row.get(field.name) for row in rows]
        if field.optional:
            valid[field.name] = np.array([value is not None for value in values], np.bool_)
        if field.is_text:
            columns[field.name] = np.array([*values, None], object)[:-1]
        else:
            columns[field.name] = np.array([value or 0 for value in values], np.int64)
    return EventBatch(source, columns, valid, columns[source.event_time])


def shard_meta(group: FeatureGroup, shard: int, **changed: Any) -> ShardMeta:
    """A meta as after a commit; the commit id and the build differ from shard to shard."""
    given: dict[str, Any] = {
        "commit_id": bytes([shard + 1]) * 16,
        "build_id": 1000 + shard,
        "behind": False,
        "fingerprint": group.fingerprint,
        "committed_at_us": 0,
        "vector": {
            (source.topic, "topic-id", partition): VectorEntry(10 + partition, 1_000_000 * partition)
            for source in group.sources
            for partition in (0, 1)
        },
        "key": meta_key(NAMESPACE, group, shard),
        "built_at_us": time.time_ns() // 1000,  # so that no key has expired
    }
    return ShardMeta(**(given | changed))


def stored_states(groups: Sequence[FeatureGroup], batches: Sequence[EventBatch]) -> dict[bytes, bytes]:
    """Every key of these groups after the events: a meta for each shard, a value for each entity."""
    values: dict[bytes, bytes] = {}
    for group in groups:
        metas = [shard_meta(group, shard) for shard in range(group.shards)]
        values |= {meta_key(NAMESPACE, group, shard): encode_meta(meta) for shard, meta in enumerate(metas)}
        state = TileState(group.layout)
        slots: dict[str, int] = defaultdict(lambda state=state: int(state.add(1)[0]))  # type: ignore[misc]
        shards: dict[str, int] = {}
        for batch in batches:
            if batch.source not in group.sources:
                continue
            seen = group_events(group, batch)
            texts = key_texts(seen.keys)
            shards |= dict(zip(texts, shards_of(seen.keys, group.shards).tolist(), strict=True))
            of_events = np.array([slots[text] for text in texts], np.int64)
            apply(state, of_events, seen.event_time_us, seen.digest, seen.values, seen.valid)
        for text, slot in slots.items():
            shard = shards[text]
            key = entity_prefix(NAMESPACE, group, shard) + text.encode()
            values[key] = encode_states(state, [slot], metas[shard].build_id, owners_of([key]))[0]
    return values
