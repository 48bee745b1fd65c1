"""Redis filled with the states of the whole history, in the keys and bytes that the stream would have written."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import redis
from numpy.typing import NDArray

from deploy.demo.traffic.cards.event_bytes import LABEL_DELAY_US
from deploy.demo.traffic.cards.transactions import Transactions
from shared_features.definitions import EventSource, FeatureGroup
from shared_features.event_sources import CARD_LABELS
from shared_features.formats.entity_keys import key_texts, shards_of
from shared_features.formats.entity_state import encode_states, owners_of
from shared_features.formats.events import EventBatch
from shared_features.formats.online_state import entity_prefix, meta_key
from shared_features.formats.shard_meta import ShardMeta, VectorEntry
from shared_features.formats.shard_meta_bytes import encode_meta
from shared_features.group_events import group_events
from shared_features.kernel.replay import apply
from shared_features.kernel.tile_state import TileState

PARTITIONS = 2
_CHUNK = 100_000
_BUILD_ID = 1


def fill_redis(url: str, namespace: str, groups: tuple[FeatureGroup, ...], rows: Transactions) -> int:
    """Write the states of all groups as of the last transaction, with the meta of every shard; how many states."""
    written = 0
    with redis.Redis.from_url(url) as client:
        for group in groups:
            keys, values = _states(group, namespace, rows)
            for start in range(0, len(keys), 1000):
                client.mset(dict(zip(keys[start : start + 1000], values[start : start + 1000], strict=True)))
            written += len(keys)
            metas = [meta_key(namespace, group, shard) for shard in range(group.shards)]
            client.mset({key: _meta(group, shard, rows, key) for shard, key in enumerate(metas)})
    return written


def event_batches(source: EventSource, rows: Transactions) -> Iterator[EventBatch]:
    """What of the history is known at its end, as events of a source, each arriving when it happens."""
    for start in range(0, len(rows), _CHUNK):
        part = slice(start, start + _CHUNK)
        happened_us = rows.event_time_us[part]
        columns: dict[str, NDArray[np.int64]] = {
            "transaction_id": rows.transaction_id[part],
            "event_time": happened_us,
            "transaction_time": happened_us,
            "customer_id": rows.customer_id[part],
            "terminal_id": rows.terminal_id[part],
            "amount": rows.amount_cents[part],
            "is_fraud": rows.is_fraud[part].astype(np.int64),
        }
        if source == CARD_LABELS:
            columns["event_time"] = happened_us + LABEL_DELAY_US
        known = columns["event_time"] <= rows.event_time_us[-1]
        own = {field.name: columns[field.name][known] for field in source.fields}
        yield EventBatch(source, own, {}, own["event_time"])


def _states(group: FeatureGroup, namespace: str, rows: Transactions) -> tuple[list[bytes], list[bytes]]:
    state = TileState(group.layout)
    slots: dict[int, int] = {}
    keys: list[bytes] = []
    for source in group.sources:
        for batch in event_batches(source, rows):
            seen = group_events(group, batch)
            entities, index = np.unique(np.asarray(seen.keys), return_inverse=True)
            new = np.array([each for each in entities.tolist() if each not in slots], np.int64)
            slots.update(zip(new.tolist(), state.add(len(new)).tolist(), strict=True))
            keys += _keys(group, namespace, new)
            of_entities = np.array([slots[each] for each in entities.tolist()], np.int64)
            apply(state, of_entities[index], seen.event_time_us, seen.digest, seen.values, seen.valid)
    return keys, encode_states(state, np.fromiter(slots.values(), np.int64, len(slots)), _BUILD_ID, owners_of(keys))


def _keys(group: FeatureGroup, namespace: str, entities: NDArray[np.int64]) -> list[bytes]:
    shards = shards_of(entities, group.shards).tolist()
    prefixes = [entity_prefix(namespace, group, shard) for shard in range(group.shards)]
    return [prefixes[shard] + text.encode() for shard, text in zip(shards, key_texts(entities), strict=True)]


def _meta(group: FeatureGroup, shard: int, rows: Transactions, key: bytes) -> bytes:
    position = VectorEntry(len(rows) // PARTITIONS, int(rows.event_time_us[-1]))
    meta = ShardMeta(
        commit_id=bytes([shard + 1]) * 16,
        build_id=_BUILD_ID,
        behind=False,
        fingerprint=group.fingerprint,
        committed_at_us=int(rows.event_time_us[-1]),
        vector={(source.topic, "0" * 22, number): position for source in group.sources for number in range(PARTITIONS)},
        key=key,
    )
    return encode_meta(meta)
