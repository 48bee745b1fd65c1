"""A group's shards without a dataflow, what a log should have made of them, and what Redis holds."""

import secrets
from collections.abc import Sequence

import numpy as np
import redis

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_keys import key_texts
from shared_features.formats.entity_state import decode_states, encode_states, owners_of
from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta import ShardMeta
from shared_features.formats.shard_meta_bytes import decode_meta, encode_meta
from shared_features.group_events import group_events
from shared_features.kernel.replay import apply, read
from shared_features.kernel.tile_state import TileState
from streaming.kafka.records.polled import Polled
from streaming.metrics import StreamingMetrics
from streaming.online.absent_shard import AbsentShard
from streaming.online.dataflow import redis_sink
from streaming.online.router import Router
from streaming.online.shard import Shard
from streaming.online_store.shard_store import ShardStore, shard_label
from streaming.settings import StreamingSettings
from tests import oracle
from tests.streaming.kafka_log import KafkaLog
from tests.taken_events import rows_of, taken


class Shards:
    """The shards of some groups, as one process holds them; polls go in, commits come out."""

    def __init__(self, settings: StreamingSettings, groups: Sequence[FeatureGroup]) -> None:
        begin(settings, groups)
        self.metrics = StreamingMetrics(allowed_lateness_us=0)
        self._router = Router(groups, mark_slack_us=0)
        self._sink = redis_sink(settings, groups, self.metrics)
        self._parts = {part: self._sink.build_part("redis", part, None) for part in self._sink.list_parts()}
        self.of: dict[str, Shard | AbsentShard] = {}
        for part in self._parts.values():
            self.of |= part.shards

    @property
    def stores(self) -> list[ShardStore]:
        return [shard._store for shard in self.of.values()]

    def write(self, *polled: Polled) -> None:
        for part, items in self._sink.addressed(self._router(polled)):
            self._parts[part].write_batch([items])

    def close(self) -> None:
        for part in self._parts.values():
            part.close()


def begin(settings: StreamingSettings, groups: Sequence[FeatureGroup]) -> None:
    """Build the shards that are not there yet, of nothing: what `bootstrap` does where nothing was archived."""
    with redis.Redis.from_url(settings.redis_url) as client:
        for group in groups:
            for number in range(group.shards):
                key = meta_key(settings.redis_namespace, group, number)
                meta = ShardMeta(secrets.token_bytes(16), secrets.randbits(63), False, group.fingerprint, 0, key=key)
                client.set(key, encode_meta(meta), nx=True)


def stored_meta(client: "redis.Redis", settings: StreamingSettings, group: FeatureGroup, number: int) -> ShardMeta:
    stored = client.get(meta_key(settings.redis_namespace, group, number))
    assert isinstance(stored, bytes)
    return decode_meta(stored)


def stored_states(client: "redis.Redis", settings: StreamingSettings, group: FeatureGroup) -> dict[str, bytes]:
    """Entity key text -> canonical bytes (build id 0) of what its shard's build holds."""
    states: dict[str, bytes] = {}
    for number in range(group.shards):
        tag = f"{{{settings.redis_namespace}:{group.label}:{number}}}:e:"
        keys = sorted(client.scan_iter(match=f"{tag}*", count=1000))
        if keys:
            meta = stored_meta(client, settings, group, number)
            state = TileState(group.layout)
            slots = state.add(len(keys))
            decode_states(state, slots, client.mget(keys), meta.build_id, owners_of(keys))  # type: ignore[arg-type]  # synchronous
            texts = [key.decode().removeprefix(tag) for key in keys]
            states |= dict(zip(texts, encode_states(state, slots, 0), strict=True))
    return states


def wanted_states(group: FeatureGroup, log: KafkaLog) -> dict[str, bytes]:
    """The same, of the kernel when all events of the log are applied in one go."""
    state, slot_of = TileState(group.layout), {}
    for key in log.all():
        if log.sources[key[0]] in group.sources:
            events = group_events(group, log.poll(key, -1).events)
            for text in key_texts(events.keys):
                if text not in slot_of:
                    slot_of[text] = int(state.add(1)[0])
            slots = [slot_of[text] for text in key_texts(events.keys)]
            apply(state, slots, events.event_time_us, events.digest, events.values, events.valid)
    return dict(zip(slot_of, encode_states(state, list(slot_of.values()), 0), strict=True))


def stored_values(group: FeatureGroup, states: dict[str, bytes], as_of_us: int) -> dict[str, list[float]]:
    """Entity key text -> features as of an instant, read from stored bytes."""
    state = TileState(group.layout)
    slots = state.add(len(states))
    decode_states(state, slots, list(states.values()), 0)
    return dict(zip(states, read(state, slots, np.full(len(states), as_of_us)).tolist(), strict=True))


def oracle_values(group: FeatureGroup, log: KafkaLog, as_of_us: int) -> dict[str, list[float]]:
    """The same, by the specification, over the log's events of each entity."""
    events: dict[str, list[oracle.Event]] = {}
    for key in log.all():
        source = log.sources[key[0]]
        if source in group.sources:
            for _, text, event in taken(group, source, rows_of(log.poll(key, -1).events)):
                events.setdefault(text, []).append(event)
    features = group.layout.features
    return {text: [oracle.value(group.layout, each, of, as_of_us) for each in features] for text, of in events.items()}


def labels(group: FeatureGroup) -> list[str]:
    return [shard_label(group, number) for number in range(group.shards)]
