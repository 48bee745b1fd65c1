"""Whether every feature that a view reads can be had now: no shard of its groups is behind or of another meaning."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from serving.errors import CatchingUpError, OnlineStoreError, ServingError
from serving.online_store import OnlineStore
from serving.shards import Shard
from shared_features.definitions import FeatureView


class LiveFeatures:
    """Asked by threads other than the event loop on which the store lives; `start` is called on that one."""

    def __init__(self, store: OnlineStore, shards: Mapping[str, Sequence[Shard]]) -> None:
        self._store, self._shards = store, shards
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """From now on the store can be asked."""
        self._loop = asyncio.get_running_loop()

    def __call__(self, view: FeatureView) -> ServingError | None:
        """Why not, as a request would be told; None when all are live."""
        if self._loop is None:
            return OnlineStoreError("the service is not up yet")
        return asyncio.run_coroutine_threadsafe(self._ask(self._shards[view.label]), self._loop).result()

    async def _ask(self, shards: Sequence[Shard]) -> ServingError | None:
        try:
            problems = await problems_of(self._store, shards)
        except OnlineStoreError as error:
            return error
        if not problems:
            return None
        shard, problem = problems[0]
        others = f" (and {len(problems) - 1} more of its shards)" if len(problems) > 1 else ""
        return CatchingUpError(problem + others, group=shard.group.part_name)


async def problems_of(store: OnlineStore, shards: Sequence[Shard]) -> list[tuple[Shard, str]]:
    """The shards that cannot be served from, and why. Raises OnlineStoreError."""
    values = await store.read([[shard.meta_key] for shard in shards])
    facts = [shard.facts(value[0]) for shard, value in zip(shards, values, strict=True)]
    return [(shard, fact.problem) for shard, fact in zip(shards, facts, strict=True) if fact.problem is not None]
