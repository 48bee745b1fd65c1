"""A producer that never runs further ahead of the slowest sink than the log can hold.

librdkafka's simulator keeps about 5 MB per partition and forgets the rest: 35,000 events of 107 bytes plain, more
than 200,000 in full batches under zstd (measured). So what is sent and not yet durable in every sink is counted in
bytes as stored, and the producer waits where a partition has too much of it. Apache Kafka needs no pacing.
"""

from __future__ import annotations

import time
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from deploy.demo.traffic.records import Records
from streaming.kafka.brokers.topics import PartitionKey
from streaming.operations.produce.sender import Durable

BUDGET_BYTES = 2_500_000
LOOK_EVERY_S = 0.1
_ANSWER_S = 10.0
_RECORD_BYTES, _BATCH_BYTES = 40, 100  # of the log's format, rounded up
_FULL_BATCH = 500  # fewer records at once may leave in batches too small to compress
_SAFETY = 1.5


@dataclass(frozen=True, slots=True)
class Progress:
    """After a batch, and now and then while waiting. ahead: the greatest share of a partition's budget in use."""

    records: int
    bytes: int
    waiting: bool
    ahead: float


@dataclass
class _Ahead:
    """One partition: its next offset, and (last offset, stored bytes) of what is not durable yet."""

    next_offset: int
    parts: deque[tuple[int, int]] = field(default_factory=deque)
    stored: int = 0

    def sent(self, count: int, stored: int) -> None:
        self.next_offset += count
        self.parts.append((self.next_offset - 1, stored))
        self.stored += stored

    def durable_up_to(self, offset: int) -> None:
        while self.parts and self.parts[0][0] <= offset:
            self.stored -= self.parts.popleft()[1]


class PacedProducer:
    """The only producer of its topics while it lives: it counts their offsets. `durable` None: never waits."""

    def __init__(
        self, bootstrap_servers: str, durable: Durable | None = None, *, budget_bytes: int = BUDGET_BYTES
    ) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._durable = durable
        self._budget = budget_bytes
        self._ahead: dict[PartitionKey, _Ahead] = {}
        self._partitions: dict[str, int] = {}
        self._failed: KafkaError | None = None
        self._records = self._bytes = 0
        self._looked_s = 0.0
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                "enable.idempotence": True,  # a retry neither repeats nor reorders: offsets can be counted
                "compression.type": "zstd",
                "linger.ms": 20,
                "batch.num.messages": 10_000,
                "batch.size": 1_000_000,
                "queue.buffering.max.messages": 500_000,
                "delivery.report.only.error": True,
                "on_delivery": self._note_failure,
                "log_level": 2,
            }
        )

    def send(self, batches: Iterable[Records]) -> Iterator[Progress]:
        """Send all, in order. Take the progress to the end, then `flush`. Raises KafkaException for a lost record."""
        for batch in batches:
            parts = self._by_partition(batch)
            stored = {partition: self._stored_bytes(batch, rows) for partition, rows in parts.items()}
            # All of it waits or none: a part that came much later than its peers would look late to the archive.
            yield from self._wait_for_room(stored)
            for partition, rows in parts.items():
                self._send(batch, partition, rows)
                self._ahead[partition].sent(len(rows), stored[partition])
            yield self._progress(waiting=False)

    def flush(self, within_s: float = 60.0) -> None:
        """Return when every record is in the log. Raises KafkaException where one is not."""
        left = self._producer.flush(within_s)
        self._check()
        if left:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{left} records were not taken in {within_s:g} s"))

    def _by_partition(self, batch: Records) -> dict[PartitionKey, list[int]]:
        found: dict[PartitionKey, list[int]] = {}
        for topic in set(batch.topics):
            if topic not in self._partitions:
                self._learn(topic)
        count = self._partitions
        for row, (topic, key) in enumerate(zip(batch.topics, batch.keys, strict=True)):
            # The hash of librdkafka's own default partitioner.
            found.setdefault((topic, zlib.crc32(key) % count[topic]), []).append(row)
        return found

    def _learn(self, topic: str) -> None:
        consumer = Consumer({"bootstrap.servers": self._bootstrap_servers, "group.id": "producer", "log_level": 2})
        try:
            known = consumer.list_topics(topic, _ANSWER_S).topics[topic].partitions
            if not known:
                raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, f"topic {topic} does not exist"))
            for each in known:
                _, high = consumer.get_watermark_offsets(TopicPartition(topic, each), _ANSWER_S)
                self._ahead[topic, each] = _Ahead(high)
            self._partitions[topic] = len(known)
        finally:
            consumer.close()

    def _stored_bytes(self, batch: Records, rows: list[int]) -> int:
        plain = sum(len(batch.values[row]) + len(batch.keys[row]) for row in rows)
        if self._durable is None or len(rows) < _FULL_BATCH:
            return plain + _RECORD_BYTES * len(rows) + _BATCH_BYTES
        text = b"".join([batch.keys[row] + batch.values[row] for row in rows])
        return int(_SAFETY * (len(pa.compress(text, codec="zstd", asbytes=True)) + _BATCH_BYTES))

    def _wait_for_room(self, stored: Mapping[PartitionKey, int]) -> Iterator[Progress]:
        while self._durable is not None and not self._has_room(stored):
            self._look()
            if not self._has_room(stored):
                yield self._progress(waiting=True)
                self._producer.poll(LOOK_EVERY_S)

    def _has_room(self, stored: Mapping[PartitionKey, int]) -> bool:
        # Where nothing is under way a batch goes, however large: else it would wait for ever.
        own = ((self._ahead[partition], size) for partition, size in stored.items())
        return all(not ahead.parts or ahead.stored + size <= self._budget for ahead, size in own)

    def _look(self) -> None:
        if self._durable is None or time.monotonic() - self._looked_s < LOOK_EVERY_S:
            return
        sinks = list(self._durable().values())
        for partition, ahead in self._ahead.items():
            ahead.durable_up_to(min((sink[partition] for sink in sinks if partition in sink), default=-1))
        self._looked_s = time.monotonic()

    def _send(self, batch: Records, partition: PartitionKey, rows: list[int]) -> None:
        topic, number = partition
        produce = self._producer.produce
        keys, values, times = batch.keys, batch.values, batch.timestamps_ms
        for row in rows:
            try:
                produce(topic, values[row], keys[row], number, timestamp=times[row])
            except BufferError:
                self._check()
                while len(self._producer) > 250_000:
                    self._producer.poll(0.05)
                produce(topic, values[row], keys[row], number, timestamp=times[row])
            self._bytes += len(values[row])
        self._records += len(rows)
        self._producer.poll(0)
        self._check()

    def _progress(self, *, waiting: bool) -> Progress:
        used = max((each.stored for each in self._ahead.values()), default=0) / self._budget
        return Progress(self._records, self._bytes, waiting, used if self._durable is not None else 0.0)

    def _note_failure(self, error: KafkaError | None, message: Message) -> None:
        if error is not None and self._failed is None:
            self._failed = error

    def _check(self) -> None:
        if self._failed is not None:
            raise KafkaException(self._failed)
