"""One look at Redis, without waiting for it: the meta of every shard, and how the server is set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared_features.definitions import FeatureGroup
from shared_features.formats.online_state import definition_key, meta_key
from shared_features.formats.shard_meta import ShardMeta
from streaming.online_store.shard_store import readable_meta
from streaming.settings import StreamingSettings

GroupMetas = Mapping[str, tuple[ShardMeta | None, ...]]
"""Group label -> the meta of each shard in order, None where there is none."""
ALL_SLOTS = 16_384
"""Of a Redis Cluster."""


class RedisLook:
    """Every method answers within the time or raises redis.RedisError."""

    def __init__(self, settings: StreamingSettings, within_s: float = 3.0) -> None:
        self._namespace = settings.redis_namespace
        self._client: Any = redis.Redis.from_url(
            settings.redis_url,
            socket_timeout=within_s,
            socket_connect_timeout=within_s,
            retry=Retry(NoBackoff(), 0),
        )

    def metas(self, groups: Iterable[FeatureGroup]) -> dict[str, tuple[ShardMeta | None, ...]]:
        """Where the shards of each group stand; None also for a meta of another schema, which is built anew."""
        found = {}
        for group in groups:
            with self._client.pipeline(transaction=False) as calls:
                for number in range(group.shards):
                    calls.get(meta_key(self._namespace, group, number))
                found[group.label] = tuple(map(readable_meta, calls.execute()))
        return found

    def definition(self, group: FeatureGroup) -> str | None:
        """The definition that a group's states were made by; None where none was kept."""
        stored = self._client.get(definition_key(self._namespace, group))
        return None if stored is None else stored.decode()

    def info(self, section: str) -> dict[str, Any]:
        """A section of INFO."""
        answer: dict[str, Any] = self._client.info(section)
        return answer

    def slots(self) -> int:
        """How many of a cluster's slots this server serves; all where it is no cluster's."""
        if not self.info("cluster").get("cluster_enabled"):
            return ALL_SLOTS
        (own,) = (node["slots"] for node in self._client.cluster("nodes").values() if "myself" in node["flags"])
        return sum(int(span[-1]) - int(span[0]) + 1 for span in own)

    def config(self, name: str) -> str | None:
        """A value of CONFIG; None where the server does not tell, as managed ones may not."""
        try:
            answer: dict[str, str] = self._client.config_get(name)
        except redis.ResponseError:
            return None
        return answer.get(name)

    def close(self) -> None:
        self._client.close()
