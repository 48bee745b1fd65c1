"""The newest record of partitions, read from their ends. Markers of transactions and aborted records lie between."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaError, TopicPartition

from streaming.errors import StoppedWaiting
from streaming.job.stopping import stop_requested
from streaming.kafka.brokers.client import KafkaOutage, consumer_options
from streaming.kafka.brokers.topics import Bounds, PartitionKey
from streaming.settings import StreamingSettings

_FIRST_BACK, _FURTHER = 64, 16
_POLL_S = 0.5


def newest_records(
    settings: StreamingSettings, outage: KafkaOutage, logs: Mapping[PartitionKey, Bounds]
) -> dict[PartitionKey, bytes]:
    """The value of the newest committed record of each log that has any. Waits while Kafka is unavailable."""
    consumer = Consumer({**consumer_options(settings, outage), "auto.offset.reset": "earliest"})
    try:
        found = {key: _newest(consumer, key, log) for key, log in logs.items() if log.low < log.high}
    finally:
        consumer.close()
    return {key: value for key, value in found.items() if value is not None}


def _newest(consumer: Consumer, key: PartitionKey, log: Bounds) -> bytes | None:
    back = _FIRST_BACK
    while True:
        start = max(log.low, log.high - back)
        found = _last_from(consumer, key, start)
        if found is not None or start == log.low:
            return found
        back *= _FURTHER


def _last_from(consumer: Consumer, key: PartitionKey, start: int) -> bytes | None:
    """The last record from an offset on; None where there are only markers, or what was aborted."""
    consumer.assign([TopicPartition(*key, start)])
    found: bytes | None = None
    while not stop_requested():
        for message in consumer.consume(1_000, _POLL_S):
            error = message.error()
            if error is None:
                found = message.value()
            elif error.code() == KafkaError._PARTITION_EOF:
                return found
    raise StoppedWaiting("asked to stop while the scores are read back")
