"""What the Redis server of the online store says: the meta of every shard, and how the server is configured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from redis import ResponseError

from shared_features.definitions import FeatureGroup
from shared_features.formats.online_state import definition_key, meta_key
from shared_features.formats.shard_meta import Partition, ShardMeta
from streaming.online_store.link import RedisLink
from streaming.online_store.score_positions import ScorePositions
from streaming.online_store.shard_store import readable_meta
from streaming.online_store.told_waits import ToldWait, ToldWaits
from streaming.settings import StreamingSettings

GroupMetas = Mapping[str, tuple[ShardMeta | None, ...]]
"""Group label -> the meta of each shard in order, None for a shard without meta."""
ALL_SLOTS = 16_384
"""Of a Redis Cluster."""
_FIRST_SLOT_FIELD = 8  # of a line of CLUSTER NODES


class StoreServer:
    """Asks Redis. While Redis is unavailable, every method waits with back-off until the process is asked to stop.

    within_s: do not wait. Every method answers within this time or raises redis.RedisError (RefusedError where Redis
    refuses the password, or where another server of a cluster has the key).
    """

    def __init__(self, settings: StreamingSettings, *, within_s: float | None = None) -> None:
        self._namespace = settings.redis_namespace
        self._link = RedisLink(settings, within_s=within_s)
        self._told_waits = ToldWaits(self._link, settings.redis_namespace)

    def metas(self, groups: Iterable[FeatureGroup]) -> dict[str, tuple[ShardMeta | None, ...]]:
        """Where the shards of each group stand. None also for a meta that cannot be read: that shard is rebuilt."""
        of_group = {
            group.label: [meta_key(self._namespace, group, number) for number in range(group.shards)]
            for group in groups
        }
        keys = [key for keys in of_group.values() for key in keys]
        # A call per key: each may be in another slot of a cluster.
        stored = dict(zip(keys, self._link.calls([("MGET", key) for key in keys]), strict=True))
        return {label: tuple(readable_meta(stored[key][0], key) for key in keys) for label, keys in of_group.items()}

    def definition(self, group: FeatureGroup) -> str | None:
        """The definition by which a group's states were built. None where none was kept."""
        stored = self._link.call("GET", definition_key(self._namespace, group))
        return None if stored is None else str(stored, "utf-8")

    def waits(self) -> list[ToldWait]:
        """What the processes of the job wait for now, the longest wait first."""
        return self._told_waits.read()

    def scored(self, view: str) -> dict[Partition, int]:
        """How far the events of a view were scored; empty where none ever was."""
        return ScorePositions(self._link, self._namespace, view).read()

    def info(self, section: str) -> dict[str, str]:
        """A section of INFO."""
        lines = str(self._link.call("INFO", section), "utf-8").splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def slots(self) -> int:
        """How many slots of its cluster this server serves. All of them where the server belongs to no cluster."""
        if self.info("cluster").get("cluster_enabled", "0") == "0":
            return ALL_SLOTS
        nodes = [line.split(" ") for line in str(self._link.call("CLUSTER", "NODES"), "utf-8").splitlines()]
        (own,) = (node[_FIRST_SLOT_FIELD:] for node in nodes if "myself" in node[2].split(","))
        spans = [each.split("-") for each in own if not each.startswith("[")]  # `[`: a slot that is being moved
        return sum(int(span[-1]) - int(span[0]) + 1 for span in spans)

    def config(self, name: str) -> str | None:
        """A value of CONFIG. None where the server does not tell it, as managed servers may not."""
        try:
            answer = self._link.call("CONFIG", "GET", name)
        except ResponseError:
            return None
        values = answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True))
        stored = values.get(name.encode())
        return None if stored is None else str(stored, "utf-8")

    def close(self) -> None:
        self._link.close()
