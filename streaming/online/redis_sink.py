"""The Bytewax sink: one partition per shard, so that each shard has one writer among all workers.

Bytewax assigns the partitions to the workers and sends every item to the worker that owns its shard, in order. The
shard owns its position, so Bytewax has nothing to recover.
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
    """Writes shards. `build_shard` creates the writer of a shard from its label.

    Every worker lists every shard, also those that are still being built. Whether a shard takes events is decided when
    its writer is created. So workers that look at different moments still distribute items alike.
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
        """The writer of one shard. It reads the shard's position from Redis."""
        return ShardPartition(self._build_shard(for_part), self._ending)


@dataclass
class Ending:
    """Whether a shard of this process has failed, which ends the process.

    Bytewax then closes the other shards. If one of them raises too, Python aborts the process (seen: SIGABRT instead of
    the exit code that asks for a restart at once). Their uncommitted events are read again.
    """

    failed: bool = False


class ShardPartition(StatefulSinkPartition[list[SubBatch], None]):
    """A shard as a partition of the sink."""

    def __init__(self, shard: Shard | AbsentShard, ending: Ending) -> None:
        self._shard, self._ending = shard, ending

    def write_batch(self, values: list[list[SubBatch]]) -> None:
        """Everything that waits goes into one commit."""
        with self._noticed():
            self._shard.write([batch for batches in values for batch in batches])

    def snapshot(self) -> None:
        """Nothing: the position is in Redis."""

    def close(self) -> None:
        """The input has ended: commit what is held."""
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
