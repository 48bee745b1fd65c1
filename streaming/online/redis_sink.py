"""The Bytewax sink: each part writes some shards, so that each shard has one writer among all workers.

Bytewax assigns the parts to the workers and sends every item to the worker that owns its part, in order. A shard owns
its position, so Bytewax has nothing to recover. One worker alone writes all shards together. Among several workers
each shard is a part, so that they share the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from streaming.online.absent_shard import AbsentShard
from streaming.online.router import ShardItem
from streaming.online.shard import Shard, write_together
from streaming.online.sub_batch import SubBatch


@dataclass(frozen=True)
class ShardSet:
    """Shards by their labels. They share a connection, and those of one group a cache.

    `flush` sends what they have begun.
    """

    shards: Mapping[str, Shard | AbsentShard]
    flush: Callable[[], None]


_MANY = 500
"""So many events of a group are sent before the next group is applied: Redis then works on them meanwhile."""
BuildShards = Callable[[Sequence[str]], ShardSet]


class RedisSink(FixedPartitionedSink[list[ShardItem], None]):
    """Writes shards. `parts`: the labels of each part's shards. `build_shards` creates their writers.

    Every worker lists every shard, also those that are still being built. Whether a shard takes events is decided when
    its writer is created. So workers that look at different moments still distribute items alike.
    """

    def __init__(self, parts: Mapping[str, Sequence[str]], build_shards: BuildShards) -> None:
        self._parts, self._build_shards = parts, build_shards
        self._numbers = {part: number for number, part in enumerate(sorted(parts))}
        self._part_of = {label: part for part, labels in parts.items() for label in labels}
        self._ending = Ending()

    def addressed(self, items: Sequence[ShardItem]) -> list[tuple[str, list[ShardItem]]]:
        """The items of shards as items of the parts that write them: one for each part."""
        found: dict[str, list[ShardItem]] = {}
        for item in items:
            found.setdefault(self._part_of[item[0]], []).append(item)
        return list(found.items())

    def list_parts(self) -> list[str]:
        """All parts: any worker can write any of them."""
        return list(self._parts)

    def part_fn(self, item_key: str) -> int:
        """An item's key is its part."""
        return self._numbers[item_key]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> ShardsPart:
        """The writer of a part's shards. It reads their positions from Redis."""
        return ShardsPart(self._build_shards(self._parts[for_part]), self._ending)


@dataclass
class Ending:
    """Whether a shard of this process has failed, which ends the process.

    Bytewax then closes the other parts. If one of them raises too, Python aborts the process (seen: SIGABRT instead of
    the exit code that asks for a restart at once). Their uncommitted events are read again.
    """

    failed: bool = False


class ShardsPart(StatefulSinkPartition[list[ShardItem], None]):
    """A set of shards as a part of the sink."""

    def __init__(self, built: ShardSet, ending: Ending) -> None:
        self.shards, self._flush, self._ending = built.shards, built.flush, ending

    def write_batch(self, values: list[list[ShardItem]]) -> None:
        """Everything that waits for a shard goes into one commit."""
        waiting: dict[str, list[SubBatch]] = {}
        for items in values:
            for label, batches in items:
                waiting.setdefault(label, []).extend(batches)
        live: dict[str, list[tuple[Shard, list[SubBatch]]]] = {}
        with self._noticed():
            for label, batches in waiting.items():
                shard = self.shards[label]
                if isinstance(shard, Shard):
                    live.setdefault(shard.group_label, []).append((shard, batches))
                else:
                    shard.write(batches)
            for of_group in live.values():
                write_together(of_group)
                if sum(len(batch) for _, batches in of_group for batch in batches) >= _MANY:
                    self._flush()
            self._flush()

    def snapshot(self) -> None:
        """Nothing: the position is in Redis."""

    def close(self) -> None:
        """The input has ended: commit what is held."""
        if not self._ending.failed:
            with self._noticed():
                for shard in self.shards.values():
                    shard.close()

    @contextmanager
    def _noticed(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._ending.failed = True
            raise
