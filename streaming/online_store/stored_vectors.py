"""The vectors of all shards in Redis, and the positions from which a source has to read for the shards."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from shared_features.definitions import FeatureGroup
from shared_features.formats.shard_meta import ShardMeta
from streaming.errors import RefusedError, StoppedWaiting
from streaming.job.stopping import wait
from streaming.job.waits import waiting
from streaming.kafka.brokers.recreated_topic import WAY_ON
from streaming.kafka.brokers.topics import PartitionKey, Topics
from streaming.log import get_log
from streaming.online_store.server import StoreServer
from streaming.online_store.shard_store import is_live, shard_label
from streaming.settings import StreamingSettings

_LOG = get_log("online")
_LOOK_EVERY_S = 0.25
_GRACE_S = 1.0
_FIRST_SHARD = "waiting for `bootstrap` to build the first shard"


def stored_metas(settings: StreamingSettings, groups: Iterable[FeatureGroup]) -> dict[str, ShardMeta | None]:
    """The meta of every shard by its label, None if there is no readable one. Waits while Redis is unavailable."""
    server = StoreServer(settings)
    try:
        return shard_metas(server, groups)
    finally:
        server.close()


def shard_metas(server: StoreServer, groups: Iterable[FeatureGroup]) -> dict[str, ShardMeta | None]:
    """The same, from a server that is kept open."""
    groups = tuple(groups)
    metas = server.metas(groups)
    return {shard_label(group, number): meta for group in groups for number, meta in enumerate(metas[group.label])}


def wait_until_live(
    settings: StreamingSettings, groups: Iterable[FeatureGroup], meanwhile: Callable[[], None] = lambda: None
) -> None:
    """Return when a shard is live. If this had to wait, give the other shards a moment to be built too."""
    groups = tuple(groups)
    live = _live(settings, groups)
    if any(live):
        return
    _LOG.info(_FIRST_SHARD)
    grace_s = _GRACE_S
    with waiting(_FIRST_SHARD):
        while not all(live) and grace_s > 0:
            meanwhile()
            if wait(_LOOK_EVERY_S):
                raise StoppedWaiting("asked to stop before any shard was live")
            live = _live(settings, groups)
            grace_s -= _LOOK_EVERY_S if any(live) else 0


def _live(settings: StreamingSettings, groups: tuple[FeatureGroup, ...]) -> list[bool]:
    return [is_live(meta) for meta in stored_metas(settings, groups).values()]


def smallest_positions(
    groups: Iterable[FeatureGroup], metas: dict[str, ShardMeta | None]
) -> dict[tuple[str, str, int], int]:
    """(topic, topic id, partition) -> the last offset that every live shard of its groups has applied.

    A partition that some live shard does not know is left out, and read from its beginning.
    """
    found: dict[tuple[str, str, int], list[int]] = {}
    concerned: dict[str, int] = {}
    for group in groups:
        live = [meta for number in range(group.shards) if is_live(meta := metas[shard_label(group, number)])]
        for topic in {source.topic for source in group.sources}:
            concerned[topic] = concerned.get(topic, 0) + len(live)
        for meta in live:
            for of, position in meta.vector.items() if meta is not None else ():
                found.setdefault(of, []).append(position.offset)
    return {of: min(offsets) for of, offsets in found.items() if len(offsets) == concerned.get(of[0])}


def committed_positions(settings: StreamingSettings, groups: Iterable[FeatureGroup]) -> dict[PartitionKey, int]:
    """The positions for the source. Raises RefusedError if a topic was re-created after the shards had applied it."""
    groups = tuple(groups)
    metas = stored_metas(settings, groups)
    described = Topics(settings).describe({source.topic for group in groups for source in group.sources})
    for label, meta in metas.items():
        for topic, topic_id, _ in meta.vector if meta is not None else ():
            if topic in described and described[topic].id != topic_id:
                raise RefusedError(
                    f"Shard {label} has applied events of an earlier topic {topic}, with id {topic_id}. That topic was "
                    f"deleted and re-created; its id is now {described[topic].id}. {WAY_ON}"
                )
    return {(topic, number): offset for (topic, _, number), offset in smallest_positions(groups, metas).items()}
