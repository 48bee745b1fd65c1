"""A worker's share of the Kafka partitions, read by one consumer. There is one item per partition and poll."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from operator import methodcaller

from bytewax.inputs import StatelessSourcePartition
from confluent_kafka import KafkaError, KafkaException

from shared_features.definitions import EventSource
from streaming.errors import RefusedError
from streaming.job.clock import Clock
from streaming.job.stopping import stop_requested
from streaming.kafka.brokers.client import KafkaOutage
from streaming.kafka.brokers.topics import PartitionKey, Topics
from streaming.kafka.consumed_partition import ConsumedPartition
from streaming.kafka.gathering_consumer import QUIET_POLL_S, GatheringConsumer
from streaming.kafka.idle_marks import IdleMarks
from streaming.kafka.records.messages import Message, by_partition, records_of, without_cycles
from streaming.kafka.records.polled import Polled
from streaming.kafka.records.record_reader import Read, RecordReader, StampRule
from streaming.kafka.stalls import Stalls
from streaming.kafka.topic_watch import TopicWatch
from streaming.log import get_log
from streaming.settings import StreamingSettings

_LOG = get_log("kafka_source")
_CONFIRMED_WITHIN_S = 0.05
_CLUSTER_POLL_S = 0.01
_ANSWER_POLL_S = 0.01
"""While records are held until the brokers describe their topics."""


class KafkaShare(StatelessSourcePartition[Polled]):
    """The partitions of one worker."""

    def __init__(
        self,
        settings: StreamingSettings,
        sources: tuple[EventSource, ...],
        positions: Mapping[PartitionKey, int],
        share: tuple[int, int],
        clock: Clock,
        on_polled: Callable[[list[Polled]], None] | None,
        each_time: Callable[[], None] | None,
        gather: timedelta,
        mark_every: timedelta,
    ) -> None:
        self._on_polled, self._each_time = on_polled, each_time
        # While one worker of several waits, what the others send to its shards waits too.
        alone, longest_s = share[1] == 1, gather.total_seconds()
        # A record ends the wait. Who gathers for longer can as well wait for longer between two looks at the rest.
        self._quiet_s = max(QUIET_POLL_S, longest_s) if alone else _CLUSTER_POLL_S
        self._outage = KafkaOutage()
        self._topics = Topics(settings, self._outage)
        self._known = self._topics.describe(source.topic for source in sources)
        rule = StampRule.of(settings)
        readers = {source.topic: RecordReader(source, rule) for source in sources}
        every = sorted((name, number) for name, topic in self._known.items() for number in topic.partitions)
        self._partitions = {
            (name, number): ConsumedPartition(
                self._known[name], number, readers[name], positions.get((name, number), -1)
            )
            for name, number in every[share[0] :: share[1]]
        }
        self._stalls = Stalls(self._partitions)
        self._idle_marks = IdleMarks(self._topics, self._partitions, mark_every, clock, self._stalls)
        self._topic_watch = TopicWatch(self._topics, self._known, settings.topic_check)
        self._waiting: list[Polled] = []
        self._full_poll = settings.poll_records // 2  # processing so many records takes longer than an answer
        gather_s = longest_s if alone else min(longest_s, _CLUSTER_POLL_S)
        self._consumer = GatheringConsumer(settings, self._outage, gather_s)
        self._waiting += self._assign(self._partitions)

    def next_batch(self) -> list[Polled]:
        """What arrived since the last call, else what arrives within the time that a quiet poll waits."""
        if stop_requested():
            raise StopIteration
        if self._each_time is not None:
            self._each_time()
        if self._topic_watch.full:
            self._topic_watch.wait(_ANSWER_POLL_S)
            polled = self._topic_watch.confirmed([], 0.0)
        else:
            polled = self._take()
            records = sum(len(each.offsets) for each in polled)
            polled = self._topic_watch.confirmed(polled, _CONFIRMED_WITHIN_S if records < self._full_poll else 0.0)
        if self._on_polled is not None and polled:
            self._on_polled(polled)
        return polled

    def _take(self) -> list[Polled]:
        """Batches that wait to be passed on, else what arrives within a time, and the marks of quiet partitions."""
        polled, self._waiting = self._waiting, []
        with without_cycles():
            if polled:
                polled += self._poll(0.0)
            elif self._topic_watch.holds_records:  # they are passed on as soon as there is an answer
                polled += self._poll(_ANSWER_POLL_S)
            else:
                polled += self._poll(self._quiet_s)
        polled += self._idle_marks.marks()
        if stalled := self._stalls.due():
            self._replace_consumer(stalled)
        return polled

    def _poll(self, first_within_s: float) -> list[Polled]:
        try:
            messages = self._consumer.gather(first_within_s)
        except KafkaException as error:
            self._outage.on_error(error.args[0])
            return []
        if not messages:
            return []
        self._outage.answered()
        return self._read(messages)

    def _replace_consumer(self, stalled: list[PartitionKey]) -> None:
        _LOG.warning("taking a new consumer, the present one brings nothing of logs that have more", stalled=stalled)
        self._consumer.replace()
        self._assign(())

    def close(self) -> None:
        """Close the connection to the brokers."""
        self._consumer.close()

    def _assign(self, lost: Iterable[PartitionKey]) -> list[Polled]:
        """Assign every partition after its last offset. For those in `lost`, ask first which offsets exist.

        Returns the gaps, which must be passed on before anything that follows them in the log.
        """
        gaps: list[Polled] = []
        for key, bounds in self._topics.bounds(lost).items():
            partition = self._partitions[key]
            start = partition.last + 1
            if start > bounds.high:
                raise RefusedError(
                    f"Topic {key[0]}, partition {key[1]} has lost records or was replaced. The stored position is "
                    f"offset {partition.last}, but the log ends before {bounds.high}. Restore the topic, or rebuild "
                    "what is stored of it under a new version"
                )
            if start < bounds.low:
                _LOG.warning("skipping records that were deleted before they were read", topic=key[0], partition=key[1],
                             first_missing=start, first_present=bounds.low)  # fmt: skip
                gaps.append(partition.polled(partition.last, bounds.low - 1, gap=(start, bounds.low)))
                partition.last = bounds.low - 1
        self._consumer.assign((each.key, each.last + 1) for each in self._partitions.values())
        return gaps

    def _read(self, messages: list[Message]) -> list[Polled]:
        ends: list[Message] = []
        lost: list[PartitionKey] = []
        if any(map(methodcaller("error"), messages)):
            ends, lost = self._sort_out([message for message in messages if message.error() is not None])
            messages = [message for message in messages if message.error() is None]
        polled = [each for of_topic in self._shares(messages) for each in self._read_topic(of_topic)]
        for message in ends:  # the end may be beyond the last record: markers of transactions take offsets too
            partition = self._partitions[message.topic(), message.partition()]
            if message.offset() - 1 > partition.last:
                polled.append(partition.polled(partition.last, message.offset() - 1))
                partition.last = message.offset() - 1
        if lost:  # last, because records before a deleted offset count
            polled += self._assign(lost)
        return polled

    def _shares(self, messages: list[Message]) -> list[list[tuple[ConsumedPartition, list[Message]]]]:
        """The messages of each partition, topic by topic."""
        if len(self._partitions) == 1 and messages:
            return [[(next(iter(self._partitions.values())), messages)]]
        by_topic: dict[str, list[tuple[ConsumedPartition, list[Message]]]] = {}
        for key, of_one in by_partition(messages).items():
            by_topic.setdefault(key[0], []).append((self._partitions[key], of_one))
        return list(by_topic.values())

    def _read_topic(self, of_topic: list[tuple[ConsumedPartition, list[Message]]]) -> list[Polled]:
        records = [records_of(messages) for _, messages in of_topic]
        reads = of_topic[0][0].reader.read_all(records)
        return [self._covered(each[0], read, each[1]) for each, read in zip(of_topic, reads, strict=True)]

    def _covered(self, partition: ConsumedPartition, read: Read, messages: list[Message]) -> Polled:
        after, partition.last = partition.last, messages[-1].offset()
        partition.read_at = time.monotonic()
        return partition.polled(
            after,
            partition.last,
            events=read.events,
            offsets=read.offsets,
            dead=read.dead,
            record_time_us=read.record_time_us,
        )

    def _sort_out(self, messages: list[Message]) -> tuple[list[Message], list[PartitionKey]]:
        """Handles errors. Returns messages that only say where a log ends, and partitions whose next offset is gone."""
        ends, lost = [], []
        for message in messages:
            error = message.error()
            if error.code() == KafkaError._PARTITION_EOF:
                ends.append(message)
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                lost.append((message.topic(), message.partition()))
            elif error.code() == KafkaError._LOG_TRUNCATION:
                raise RefusedError(
                    f"Topic {message.topic()}, partition {message.partition()}: the log was truncated "
                    f"({error.str()}). Set unclean.leader.election.enable=false, and rebuild what is stored of the "
                    "topic under a new version"
                )
            else:
                self._outage.on_error(error)
        return ends, lost
