"""Stall: the log of a partition has more records, and the consumer brings none of them.

librdkafka can leave a partition with a broker that does not lead it any more. It then fetches nothing, without an error
and for ever (public reports 2625, 3399 and 5593 of librdkafka). A new consumer fetches at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from streaming.job.waits import Wait
from streaming.kafka.brokers.admin_link import PartitionKey
from streaming.kafka.consumed_partition import ConsumedPartition

_FIRST_S, _LONGEST_S = 30.0, 600.0
_NOT_POLLED_S = 5.0
"""After a pause in the polls the consumer first needs the time to bring what it has."""


class Stalls:
    """Notes the ends of logs, and says when the consumer has to be replaced: after 30 s without a record.

    A consumer reads committed records only. An open transaction looks like a stall, and a new consumer does not help.
    So the time doubles with every replacement until records come, up to 10 minutes.
    """

    def __init__(
        self, partitions: Mapping[PartitionKey, ConsumedPartition], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._partitions, self._clock_s = partitions, clock_s
        self._stalled: dict[PartitionKey, tuple[int, float]] = {}
        self._bound_s, self._replaced_at = _FIRST_S, float("-inf")
        self._looked_at = clock_s()
        self._wait = Wait("waiting for records that the log has", clock_s)

    def note(self, key: PartitionKey, end: int) -> None:
        """A partition that brought nothing lately has a log that ends there."""
        last = self._partitions[key].last
        if end <= last + 1:
            self._stalled.pop(key, None)
        elif self._stalled.get(key, (None, 0.0))[0] != last:
            self._stalled[key] = last, self._clock_s()

    def due(self) -> list[PartitionKey]:
        """The stalled partitions, if it is time to replace the consumer; else nothing. Call this at every poll."""
        now_s = self._clock_s()
        if now_s - self._looked_at > _NOT_POLLED_S:
            self._stalled.clear()
        self._looked_at = now_s
        if not self._stalled and self._bound_s == _FIRST_S:
            return []
        self._stalled = {key: at for key, at in self._stalled.items() if self._partitions[key].last == at[0]}
        return self._late(now_s)

    def _late(self, now_s: float) -> list[PartitionKey]:
        since_s = min((since_s for _, since_s in self._stalled.values()), default=now_s)
        if not self._stalled:
            self._bound_s = _FIRST_S
            self._wait.end()
        elif now_s - since_s >= _FIRST_S:
            some, number = min(self._stalled)
            self._wait.begin(topic=some, partition=number, after_offset=self._partitions[some, number].last)
        if now_s - max(since_s, self._replaced_at) < self._bound_s:
            return []
        self._bound_s, self._replaced_at = min(2 * self._bound_s, _LONGEST_S), now_s
        return sorted(self._stalled)
