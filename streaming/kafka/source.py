"""The Bytewax source of events: a worker's share of the Kafka partitions, read by one consumer, in columns.

There is no consumer group and no Bytewax recovery. Sinks own their positions, and `positions` tells the source where
they are. Partitions are assigned to workers by number, so one worker reads each partition. There is one item per
partition and poll. The items of one poll leave together, so a sink can write them in one commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from bytewax.inputs import DynamicSource

from shared_features.definitions import EventSource
from streaming.job.clock import Clock, system_clock_us
from streaming.job.timer_slack import precise
from streaming.kafka.brokers.topics import PartitionKey
from streaming.kafka.records.polled import Polled
from streaming.kafka.share import KafkaShare
from streaming.settings import StreamingSettings

HeldOffsets = Callable[[], Mapping[PartitionKey, int]]
"""(topic, partition) -> the last offset that the sink holds durably. Partitions without one are left out."""


class KafkaSource(DynamicSource[Polled]):
    """Reads the topics of `sources`, starting after `positions`, which is called once, when a worker starts.

    `on_polled` gets the polled batches. `each_time` is called before every poll. `gather`: how long a poll waits for
    more records after its first one; by default the setting `poll_timeout`. A poll costs the same for one record as for
    hundreds, so a sink that is in no hurry gathers longer. `mark_every`: how often quiet partitions are marked, by
    default the setting `idle_mark`. A sink that commits seldom needs fewer marks.
    """

    def __init__(
        self,
        settings: StreamingSettings,
        sources: Iterable[EventSource],
        positions: HeldOffsets,
        *,
        clock: Clock = system_clock_us,
        on_polled: Callable[[list[Polled]], None] | None = None,
        each_time: Callable[[], None] | None = None,
        gather: timedelta | None = None,
        mark_every: timedelta | None = None,
    ) -> None:
        self._settings = settings
        self._sources = tuple(sources)
        self._positions = positions
        self._clock = clock
        self._on_polled = on_polled
        self._each_time = each_time
        self._gather = settings.poll_timeout if gather is None else gather
        self._mark_every = settings.idle_mark if mark_every is None else mark_every

    def build(self, step_id: str, worker_index: int, worker_count: int) -> KafkaShare:
        """The share of one worker: every `worker_count`-th partition."""
        precise()
        return KafkaShare(
            self._settings,
            self._sources,
            self._positions(),
            (worker_index, worker_count),
            self._clock,
            self._on_polled,
            self._each_time,
            self._gather,
            self._mark_every,
        )
