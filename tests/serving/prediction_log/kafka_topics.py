"""What lies in a topic, for tests of what was written to it."""

from __future__ import annotations

import time

from confluent_kafka import Consumer, TopicPartition

from shared_features.formats.prediction_log import LoggedPrediction, decode_record

TOPIC, PARTITIONS = "predictions", 2


def logged_in(bootstrap_servers: str, count: int, within_s: float = 60.0) -> list[LoggedPrediction]:
    """All records, once there are so many, and those that come in the half second after it."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "tests", "fetch.wait.max.ms": 10})
    consumer.assign([TopicPartition(TOPIC, number, 0) for number in range(PARTITIONS)])
    found: list[LoggedPrediction] = []
    until_s = time.monotonic() + within_s
    try:
        while time.monotonic() < until_s:
            messages = consumer.consume(1000, 0.1)
            found += [decode_record(each.value() or b"") for each in messages if each.error() is None]
            if len(found) >= count:
                until_s = min(until_s, time.monotonic() + 0.5)
                count = 1 << 60
    finally:
        consumer.close()
    return found
