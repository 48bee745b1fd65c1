"""Where all shards stand in Redis, and from where a source has to read for them."""

from __future__ import annotations

from collections.abc import Iterable

from shared_features.definitions import FeatureGroup
from shared_features.formats.online_state import ShardMeta, decode_meta, meta_key
from streaming.errors import RefusedError
from streaming.online.redis_link import RedisAway, RedisLink
from streaming.online.router import shard_label
from streaming.settings import StreamingSettings
from streaming.topics import PartitionKey, Topics


def stored_metas(settings: StreamingSettings, groups: Iterable[FeatureGroup]) -> dict[str, ShardMeta | None]:
    """The meta of every shard by its label, None where it was never written. Waits while Redis is away."""
    link = RedisLink(settings, RedisAway())
    try:
        metas: dict[str, ShardMeta | None] = {}
        for group in groups:
            for number in range(group.shards):
                stored = link.call("GET", meta_key(settings.redis_namespace, group, number))
                metas[shard_label(group, number)] = None if stored is None else decode_meta(stored)
        return metas
    finally:
        link.close()


def smallest_positions(
    groups: Iterable[FeatureGroup], metas: dict[str, ShardMeta | None]
) -> dict[tuple[str, str, int], int]:
    """(topic, topic id, partition) -> the last offset that every shard concerned has applied.

    A partition that some shard does not know is left out: it is read from its beginning.
    """
    found: dict[tuple[str, str, int], list[int]] = {}
    concerned: dict[str, int] = {}
    for group in groups:
        for topic in {source.topic for source in group.sources}:
            concerned[topic] = concerned.get(topic, 0) + group.shards
        for number in range(group.shards):
            meta = metas[shard_label(group, number)]
            for of, position in meta.vector.items() if meta is not None else ():
                found.setdefault(of, []).append(position.offset)
    return {of: min(offsets) for of, offsets in found.items() if len(offsets) == concerned.get(of[0])}


def committed_positions(settings: StreamingSettings, groups: Iterable[FeatureGroup]) -> dict[PartitionKey, int]:
    """What the source wants to know. RefusedError where a topic is another one than the shards have applied."""
    groups = tuple(groups)
    metas = stored_metas(settings, groups)
    described = Topics(settings).describe({source.topic for group in groups for source in group.sources})
    for label, meta in metas.items():
        for topic, topic_id, _ in meta.vector if meta is not None else ():
            if topic in described and described[topic].id != topic_id:
                raise RefusedError(
                    f"shard {label} has applied topic {topic} with id {topic_id}; the brokers' one has id "
                    f"{described[topic].id}: it was deleted and created again. Raise the version of its group to "
                    "begin anew, or restore the topic"
                )
    return {(topic, number): offset for (topic, _, number), offset in smallest_positions(groups, metas).items()}
