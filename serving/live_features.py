"""Whether every feature that a view reads is up to date: all shards of its groups are live, and none is behind.

A shard that is live may still be where its stream was stopped days ago. So the shards of a view have to reach a
target: what any shard of the definitions had applied when the view was first asked about. A view that needs longer than
a minute gets a new target. The rule uses offsets and not event times, so it also works while a history is imported.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from serving.errors import CatchingUpError, OnlineStoreError, RefusedRequestError, UnreadableStateError
from serving.online_store import OnlineStore
from serving.shards import Shard, ShardFacts
from shared_features.definitions import FeatureView
from shared_features.formats.shard_meta import Partition

REACHED_WITHIN_S = 60.0
"""How far, at most, the features of a view version may be behind other features when its model begins to answer."""


@dataclass(frozen=True)
class _Target:
    """The furthest offset that any shard had applied of each partition, and when that was seen (monotonic seconds)."""

    offsets: Mapping[Partition, int]
    seen_s: float


class LiveFeatures:
    """Asked by threads other than the event loop on which the store lives; `start` is called on that one."""

    def __init__(
        self,
        store: OnlineStore,
        shards: Mapping[str, Sequence[Shard]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._shards, self._clock = store, shards, clock
        self._targets: dict[str, _Target] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Remember the event loop of the store. From now on other threads can ask."""
        self._loop = asyncio.get_running_loop()

    def __call__(self, view: FeatureView) -> RefusedRequestError | None:
        """Why features of the view are not up to date, as a request would be told. None when they are."""
        if self._loop is None:
            return OnlineStoreError("The service has not started yet. Send the request again.")
        return asyncio.run_coroutine_threadsafe(self._ask(view.label), self._loop).result()

    async def _ask(self, label: str) -> RefusedRequestError | None:
        every = {shard.meta_key: shard for shards in self._shards.values() for shard in shards}
        try:
            found = await facts_of(self._store, list(every.values()))
        except OnlineStoreError as error:
            return error
        facts = {shard.meta_key: fact for shard, fact in found}
        wanted = [(shard, facts[shard.meta_key]) for shard in self._shards[label]]
        problems = [(shard, fact.problem) for shard, fact in wanted if fact.problem is not None]
        problems = problems or self._not_reached(label, wanted, facts.values())
        if not problems:
            return None
        shard, problem = problems[0]
        others = f" The same goes for {len(problems) - 1} more shards of the view." if len(problems) > 1 else ""
        refusal = UnreadableStateError if facts[shard.meta_key].unreadable else CatchingUpError
        return refusal(problem + others, group=shard.group.part_name)

    def _not_reached(
        self, label: str, wanted: Sequence[tuple[Shard, ShardFacts]], every: Iterable[ShardFacts]
    ) -> list[tuple[Shard, str]]:
        """The shards that have not reached the target. A target is set here, and dropped when it is reached."""
        now_s = self._clock()
        target = self._targets.get(label)
        if target is None or now_s - target.seen_s > REACHED_WITHIN_S:
            target = self._targets[label] = _Target(_furthest(every), now_s)
        problems = [
            (shard, problem)
            for shard, fact in wanted
            if (problem := _short_of(target.offsets, shard, fact)) is not None
        ]
        if not problems:
            del self._targets[label]
        return problems


async def facts_of(store: OnlineStore, shards: Sequence[Shard]) -> list[tuple[Shard, ShardFacts]]:
    """What the shards' metas say now. Raises OnlineStoreError."""
    values = await store.read([[shard.meta_key] for shard in shards])
    return [(shard, shard.facts(value[0])) for shard, value in zip(shards, values, strict=True)]


async def problems_of(store: OnlineStore, shards: Sequence[Shard]) -> list[tuple[Shard, str]]:
    """The shards that cannot be served from, and why. Raises OnlineStoreError."""
    return [(shard, fact.problem) for shard, fact in await facts_of(store, shards) if fact.problem is not None]


def _furthest(every: Iterable[ShardFacts]) -> dict[Partition, int]:
    found: dict[Partition, int] = {}
    for facts in every:
        for partition, offset in facts.offsets.items():
            found[partition] = max(offset, found.get(partition, offset))
    return found


def _short_of(target: Mapping[Partition, int], shard: Shard, facts: ShardFacts) -> str | None:
    topics = {source.topic for source in shard.group.sources}
    for partition, offset in sorted(target.items()):
        has = facts.offsets.get(partition, -1)
        if partition[0] in topics and has < offset:
            return (
                f"shard {shard.number} of {shard.group.label} has applied {partition[0]}, partition {partition[2]}, "
                f"up to offset {has}, others up to {offset}. Wait until it catches up, and see that "
                "`python -m streaming run` runs with its definition."
            )
    return None
