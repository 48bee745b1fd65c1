"""Sends records, and never runs further ahead of the sinks than the log can hold.

librdkafka's simulator keeps about 5 MB of a partition and forgets the rest. So with it, what is sent and not yet
durable in every sink is bounded for each partition. Apache Kafka needs no pacing.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from shared_features.counted import counted
from streaming.errors import RefusedError
from streaming.kafka.brokers.client import client_options
from streaming.kafka.brokers.topics import PartitionKey
from streaming.operations.produce.standstill import Standstill
from streaming.settings import StreamingSettings

Durable = Callable[[], Mapping[str, Mapping[PartitionKey, int]]]
"""Per sink, the last safe offset of each partition that it takes."""

AHEAD_BYTES = 2_000_000
"""What a partition may hold that is not yet durable."""
_FRAME_BYTES = 40
_FLUSH_S, _LOOK_S = 60.0, 0.2


class Sender:
    """An idempotent producer: a retry neither repeats nor reorders. durable: None where the log holds everything."""

    def __init__(self, settings: StreamingSettings, durable: Durable | None) -> None:
        self._durable = durable
        self._failed: KafkaError | None = None
        self._ends: dict[PartitionKey, int] = {}
        self._ahead: deque[tuple[dict[PartitionKey, int], Counter[PartitionKey]]] = deque()
        self._unflushed, self._delivered_bytes = 0, Counter[PartitionKey]()
        self.waited_s = 0.0
        """How long the sending waited for the stream job."""
        self._standstill = Standstill()
        self._producer = Producer(
            {
                **client_options(settings),
                "error_cb": lambda error: None,
                "enable.idempotence": True,
                "compression.type": "zstd",
                "linger.ms": 20,
                "queue.buffering.max.messages": 200_000,
                "on_delivery": self._delivered,
            }
        )

    def send(self, topic: str, key: bytes, value: bytes, stamp_ms: int) -> None:
        """Send one record. Raises RefusedError once a record was not taken."""
        while True:
            try:
                self._producer.produce(topic, value, key or None, timestamp=stamp_ms)
                break
            except BufferError:
                self._producer.poll(0.1)
        self._unflushed += len(key) + len(value) + _FRAME_BYTES
        if self._durable is not None and self._unflushed >= AHEAD_BYTES // 4:
            self.flush()
            self._wait_for_sinks()
        else:
            self._producer.poll(0)
        self._check()

    def flush(self) -> None:
        """Return when every record is in the log."""
        left = self._producer.flush(_FLUSH_S)
        self._check()
        if left:
            raise RefusedError(f"Kafka did not take {counted(left, 'record')} within {_FLUSH_S:g} s. {_AGAIN}")
        if self._unflushed:
            self._ahead.append((dict(self._ends), self._delivered_bytes))
            self._unflushed, self._delivered_bytes = 0, Counter()

    def _wait_for_sinks(self) -> None:
        began_s = time.monotonic()
        self._standstill.ends()
        while self._most_ahead() > AHEAD_BYTES:
            before = len(self._ahead)
            self._look()
            if len(self._ahead) < before:
                self._standstill.ends()
            else:
                self._standstill.lasts()
            time.sleep(_LOOK_S)
        self.waited_s += time.monotonic() - began_s

    def _most_ahead(self) -> int:
        """Bytes of the partition that holds most of what is not yet durable."""
        held = sum((each for _, each in self._ahead), Counter[PartitionKey]())
        return max(held.values(), default=0)

    def _look(self) -> None:
        sinks = list(self._durable().values()) if self._durable is not None else []
        while sinks and self._ahead:
            ends, _ = self._ahead[0]
            if any(end > sink[key] for sink in sinks for key, end in ends.items() if key in sink):
                return
            self._ahead.popleft()

    def _delivered(self, error: KafkaError | None, message: Any) -> None:
        if error is not None:
            self._failed = self._failed or error
        else:
            key = message.topic(), message.partition()
            self._ends[key] = message.offset()
            self._delivered_bytes[key] += len(message.key() or b"") + len(message) + _FRAME_BYTES

    def _check(self) -> None:
        if self._failed is not None:
            raise RefusedError(f"Kafka did not take a record ({self._failed.str()}). {_AGAIN}") from KafkaException(
                self._failed
            )


_AGAIN = "Run the same command again: an event that is there already counts once"
