"""The Bytewax sink: one partition per shard, so that each shard has one writer among all workers.

Bytewax deals the partitions to the workers and brings every item to the one that owns its shard, in order; the shard
owns its position, so there is nothing for Bytewax to recover.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from streaming.online.absent_shard import AbsentShard
from streaming.online.shard import Shard
from streaming.online.sub_batch import SubBatch

BuildShard = Callable[[str], Shard | AbsentShard]


class RedisSink(FixedPartitionedSink[list[SubBatch], None]):
    """Writes shards; `build_shard` makes one of its label.

    Every worker lists every shard, also those that are still built: which of them it takes is settled where one is
    made, so that workers who look at different moments cannot deal items differently.
    """

    def __init__(self, labels: list[str], build_shard: BuildShard) -> None:
        self._labels = labels
        self._numbers = {label: number for number, label in enumerate(sorted(labels))}
        self._build_shard = build_shard
        self._ending = Ending()

    def list_parts(self) -> list[str]:
        """All shards: any worker can write any of them."""
        return self._labels

    def part_fn(self, item_key: str) -> int:
        """An item's key is its shard's label."""
        return self._numbers[item_key]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> ShardPartition:
        """The writer of one shard, which reads from Redis where the shard stands."""
        return ShardPartition(self._build_shard(for_part), self._ending)


@dataclass
class Ending:
    """Whether a shard of this process has failed, which ends the process.

    Bytewax closes the others while it unwinds; one that raises then aborts the process (seen: SIGABRT in the place of
    the exit code that asks for a restart at once). What they hold uncommitted is read again.
    """

    failed: bool = False


class ShardPartition(StatefulSinkPartition[list[SubBatch], None]):
    """A shard as a partition of the sink."""

    def __init__(self, shard: Shard | AbsentShard, ending: Ending) -> None:
        self._shard, self._ending = shard, ending

    def write_batch(self, values: list[list[SubBatch]]) -> None:
        """All that is waiting goes into one commit."""
        with self._noticed():
            self._shard.write([batch for batches in values for batch in batches])

    def snapshot(self) -> None:
        """Nothing: the position is in Redis."""

    def close(self) -> None:
        """Drained: commit what is held."""
        if not self._ending.failed:
            with self._noticed():
                self._shard.close()

    @contextmanager
    def _noticed(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._ending.failed = True
            raise
