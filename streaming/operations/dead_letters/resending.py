"""Kafka for a replay: sends some letters in one transaction, and finds letters that were sent earlier.

The transactional id of the producer belongs to the record. So a new producer fences every earlier one, dead or asleep,
and ends its open transaction. What the earlier producer has not committed by then never appears in the log.
(The simulator accepts transactions but fences nobody: there, do not run two replays at once.)
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from streaming.errors import RefusedError
from streaming.kafka.brokers.client import client_options
from streaming.kafka.brokers.topics import Bounds, PartitionKey
from streaming.operations.dead_letters.mending import Mended
from streaming.operations.dead_letters.replay_record import Original
from streaming.settings import StreamingSettings

HEADER = "millrace-replay-of"
"""Header of a replayed record: the original position as JSON (topic, topic_id, partition, offset)."""
_WITHIN_S = 30.0
_POLL_S = 0.1
_OPEN_AT_MOST_MS = 20_000  # the longest time for which a killed replay holds back readers of committed records


class Resender:
    """A producer that fences its predecessors when it is created."""

    def __init__(self, settings: StreamingSettings, record_id: str) -> None:
        options: dict[str, Any] = {
            **client_options(settings),
            "error_cb": lambda error: None,
            "transactional.id": f"millrace-replay-{record_id}",
            "transaction.timeout.ms": _OPEN_AT_MOST_MS,
        }
        self._producer = Producer(options)
        try:
            self._producer.init_transactions(_WITHIN_S)
        except KafkaException as error:
            raise RefusedError(
                f"Kafka does not open a transaction ({error.args[0].str()}). Nothing was sent. Run this again"
            ) from error

    def send(self, letters: Mapping[Original, Mended]) -> dict[Original, int]:
        """Send all letters or none. Returns the new offset of each."""
        sent: dict[Original, int] = {}
        try:
            self._producer.begin_transaction()
            for of, mended in letters.items():
                self._produce(of, mended, sent)
            self._producer.commit_transaction(_WITHIN_S)
        except KafkaException as error:
            self._give_up(error.args[0])
            raise RefusedError(
                f"The brokers did not accept the letters ({error.args[0].str()}). Run this again: it first looks up "
                "which letters were sent"
            ) from error
        return sent

    def _produce(self, of: Original, mended: Mended, sent: dict[Original, int]) -> None:
        def delivered(error: KafkaError | None, message: Any) -> None:
            if error is None:
                sent[of] = message.offset()

        stamp: dict[str, Any] = {} if mended.stamp_ms is None else {"timestamp": mended.stamp_ms}
        while True:
            try:
                self._producer.produce(
                    of.topic,
                    mended.value,
                    mended.letter.key,
                    partition=of.partition,  # the partition of the key, whichever rule chose it
                    headers={HEADER: header(of)},
                    on_delivery=delivered,
                    **stamp,
                )
                return
            except BufferError:
                self._producer.poll(0.1)

    def _give_up(self, error: KafkaError) -> None:
        if error.txn_requires_abort():
            try:
                self._producer.abort_transaction(_WITHIN_S)
            except KafkaException:
                return  # the brokers end the transaction themselves


def header(of: Original) -> bytes:
    plain = {"topic": of.topic, "topic_id": of.topic_id, "partition": of.partition, "offset": of.offset}
    return json.dumps(plain).encode()


def _original(message: Any) -> Original | None:
    for name, value in message.headers() or ():
        if name == HEADER:
            try:
                return Original(**json.loads(value))
            except (ValueError, TypeError):
                return None
    return None


def find_sent(
    settings: StreamingSettings, dangling: Mapping[Original, int], bounds: Mapping[PartitionKey, Bounds]
) -> dict[Original, int]:
    """The offsets of the letters that are in the log. Each is searched from its given offset to the end of the log.

    `bounds`: of the logs, read after a Resender was created.
    """
    starts: dict[PartitionKey, int] = {}
    for of, log_end in dangling.items():
        key = of.topic, of.partition
        starts[key] = min(log_end, starts.get(key, log_end))
    found: dict[Original, int] = {}
    consumer = Consumer(_reading(settings))
    try:
        for key, start in starts.items():
            for message in _messages(consumer, key, start, bounds[key].high):
                original = _original(message)
                if original is not None and original in dangling:
                    found[original] = message.offset()
    finally:
        consumer.close()
    return found


def _reading(settings: StreamingSettings) -> dict[str, Any]:
    return {
        **client_options(settings),
        "error_cb": lambda error: None,
        "group.id": "millrace",
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "fetch.wait.max.ms": 50,
    }


def _messages(consumer: Any, key: PartitionKey, start: int, end: int) -> Iterable[Any]:
    """The committed records in [start, end). Waits for an open transaction of another producer, which hides records."""
    if start >= end:
        return
    consumer.assign([TopicPartition(*key, start)])
    answered_s = time.monotonic()
    while True:
        batch: Sequence[Any] = consumer.consume(10_000, _POLL_S)  # waits the whole time, even if there are few records
        if batch:
            answered_s = time.monotonic()
        elif time.monotonic() - answered_s > _WITHIN_S:
            raise RefusedError(f"Topic {key[0]}, partition {key[1]}: the broker did not answer. Run this again")
        for message in batch:
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise RefusedError(f"Topic {key[0]}, partition {key[1]} cannot be read ({error.str()}). Run this again")
            if message.offset() >= end:
                return
            if error is None:
                yield message
                if message.offset() == end - 1:
                    return
