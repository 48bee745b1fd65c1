"""Whether every feature that a view reads is up to date: all shards of its groups are live, and none is behind.

A shard that is live may still be where its stream was stopped days ago. So the shards of a view have to reach a
target: what any shard of the definitions had applied when the view was first asked about. A view that needs longer than
a minute gets a new target. The rule uses offsets and not event times, so it also works while a history is imported.

Where no model answers for a view yet, waiting is an outage. Then a shard may lack what arrived in the last minute that
any shard has seen: a stream that was killed leaves its shards a few events apart, and they stay so until it continues.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from serving.errors import CatchingUpError, OnlineStoreError, RefusedRequestError, UnreadableStateError
from serving.online_store.online_store import OnlineStore
from shared_features.definitions import FeatureView
from shared_features.formats.shard_meta import Partition, VectorEntry
from shared_features.stored_features.shards import Shard, ShardFacts

REACHED_WITHIN_S = 60.0
"""How far, at most, the features of a view version may be behind other features when its model begins to answer."""

_REACHED_WITHIN_US = int(REACHED_WITHIN_S * 1_000_000)
_NOTHING = VectorEntry(-1, -1)


@dataclass(frozen=True)
class _Target:
    """The furthest that any shard had applied each partition, and when that was seen (monotonic seconds)."""

    vector: Mapping[Partition, VectorEntry]
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

    def __call__(self, view: FeatureView, *, nothing_answers: bool = False) -> RefusedRequestError | None:
        """Why features of the view are not up to date, as a request would be told. None when they are.

        nothing_answers: whether requests for the view are refused meanwhile.
        """
        if self._loop is None:
            return OnlineStoreError("The service has not started yet. Send the request again.")
        return asyncio.run_coroutine_threadsafe(self._ask(view.label, nothing_answers), self._loop).result()

    async def _ask(self, label: str, nothing_answers: bool) -> RefusedRequestError | None:
        every = {shard.meta_key: shard for shards in self._shards.values() for shard in shards}
        try:
            found = await facts_of(self._store, list(every.values()))
        except OnlineStoreError as error:
            return error
        facts = {shard.meta_key: fact for shard, fact in found}
        wanted = [(shard, facts[shard.meta_key]) for shard in self._shards[label]]
        problems = [(shard, fact.problem) for shard, fact in wanted if fact.problem is not None]
        problems = problems or self._not_reached(label, wanted, facts.values(), nothing_answers)
        if not problems:
            return None
        shard, problem = problems[0]
        others = f" The same goes for {len(problems) - 1} more shards of the view." if len(problems) > 1 else ""
        refusal = UnreadableStateError if facts[shard.meta_key].unreadable else CatchingUpError
        return refusal(problem + others, group=shard.group.part_name)

    def _not_reached(
        self,
        label: str,
        wanted: Sequence[tuple[Shard, ShardFacts]],
        every: Iterable[ShardFacts],
        nothing_answers: bool,
    ) -> list[tuple[Shard, str]]:
        """The shards that have not reached the target. A target is set here, and dropped when it is reached."""
        now_s = self._clock()
        target = self._targets.get(label)
        if target is None or now_s - target.seen_s > REACHED_WITHIN_S:
            target = self._targets[label] = _Target(_furthest(every), now_s)
        problems = [
            (shard, problem)
            for shard, fact in wanted
            if (problem := _short_of(target.vector, shard, fact, nothing_answers)) is not None
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


def _furthest(every: Iterable[ShardFacts]) -> dict[Partition, VectorEntry]:
    found: dict[Partition, VectorEntry] = {}
    for facts in every:
        for partition, entry in facts.vector.items():
            found[partition] = VectorEntry(*map(max, entry, found.get(partition, entry)))
    return found


def _short_of(
    target: Mapping[Partition, VectorEntry], shard: Shard, facts: ShardFacts, nothing_answers: bool
) -> str | None:
    topics = {source.topic for source in shard.group.sources}
    for partition, entry in sorted(target.items()):
        has = facts.vector.get(partition, _NOTHING)
        if partition[0] in topics and has.offset < entry.offset and not (nothing_answers and _is_near(has, entry)):
            return (
                f"shard {shard.number} of {shard.group.label} has applied {partition[0]}, partition {partition[2]}, "
                f"up to offset {has.offset}, others up to {entry.offset}. Wait until it catches up, and see that "
                "`python -m streaming run` runs with its definition."
            )
    return None


def _is_near(has: VectorEntry, target: VectorEntry) -> bool:
    """Whether it lacks only what arrived within a minute."""
    return has.consumed_until_us >= 0 and target.consumed_until_us - has.consumed_until_us <= _REACHED_WITHIN_US
