"""How far the stored features of each group lag behind the clock, measured when somebody looks at the metrics."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from serving.errors import OnlineStoreError
from serving.features.live_features import facts_of
from serving.metrics import Metrics
from serving.online_store.online_store import OnlineStore
from shared_features.stored_features.shards import Shard, ShardFacts


class StoredFreshness:
    """Of all groups, over all of their shards, whether or not requests read them."""

    def __init__(self, store: OnlineStore, shards: Iterable[Shard], clock: Callable[[], int], metrics: Metrics) -> None:
        self._store, self._clock, self._metrics = store, clock, metrics
        self._shards = list({shard.meta_key: shard for shard in shards}.values())

    async def measure(self) -> None:
        """Read every shard's meta, and tell the metrics the worst of each group."""
        now_us = self._clock()
        found: list[tuple[Shard, float | None]]
        try:
            found = [(shard, _seconds(facts, now_us)) for shard, facts in await facts_of(self._store, self._shards)]
        except OnlineStoreError:
            found = [(shard, math.inf) for shard in self._shards]
        worst: dict[str, float] = {}
        for shard, seconds in found:
            if seconds is not None:
                worst[shard.group.part_name] = max(seconds, worst.get(shard.group.part_name, 0.0))
        for name, seconds in worst.items():
            self._metrics.freshness(name, seconds)


def _seconds(facts: ShardFacts, now_us: int) -> float | None:
    """Infinite where the shard cannot be used. None where nothing has arrived yet."""
    if facts.problem is not None:
        return math.inf
    if facts.consumed_until_us is None:
        return None
    return max(0.0, (now_us - facts.consumed_until_us) / 1e6)
