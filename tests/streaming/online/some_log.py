"""A log with everything in it that a stream may bring, and its records as producers write them."""

import json
import random
from typing import Any

from confluent_kafka import Producer

from shared_features.kernel.event_time import SECOND_US
from tests.streaming.kafka_log import KafkaLog, Record
from tests.streaming.small_domain import OUTCOMES, PAYMENTS

T0_US = 1_700_000_000 * SECOND_US
TOPICS = {"payments": 2, "outcomes": 1}


def a_log(seed=1, count=60):
    """Payments on two partitions and outcomes on one: late, early, equal, duplicate and dead records among them."""
    r = random.Random(seed)
    log = KafkaLog({"payments": PAYMENTS, "outcomes": OUTCOMES}, dict(TOPICS))
    now_us = T0_US
    recent: list[tuple[str, dict[str, Any]]] = []
    for number in range(count):
        now_us += r.choice((0, 0, 1, 3)) * SECOND_US
        name, partition = r.choice((("payments", 0), ("payments", 1), ("outcomes", 0)))
        event_us = now_us - r.choice((0, 0, 1, 7, 30, 90, 200, -5)) * SECOND_US
        event: dict[str, Any] = {"id": number, "event_time": event_us, "shop": r.choice(("a|b", "b\\", "ü"))}
        if name == "payments":
            event |= {"payer": r.randrange(7), "amount": r.randrange(1000), "note": r.choice((None, "x", "y"))}
        else:
            event |= {"bad": r.randrange(2)}
        if recent and r.random() < 0.15:
            name, event = r.choice(recent)
        recent = [*recent, (name, event)][-10:]
        log.of((name, partition if name == "payments" else 0)).append(
            Record(now_us, None if r.random() < 0.05 else event)
        )
    return log


def produce(bootstrap_servers: str, log: KafkaLog, share: tuple[float, float] = (0.0, 1.0)) -> None:
    """Write a share of each partition's records, in order, stamped as the log says."""
    producer = Producer({"bootstrap.servers": bootstrap_servers, "log_level": 2, "linger.ms": 1})
    for name, partition in log.all():
        records = log.of((name, partition))
        for record in records[int(share[0] * len(records)) : int(share[1] * len(records))]:
            stamp_ms = record.time_us // 1000
            producer.produce(name, encode(record), partition=partition, timestamp=stamp_ms)
    producer.flush(60)


def encode(record: Record) -> bytes:
    if record.event is None:
        return b"{"
    event = dict(record.event)
    if "amount" in event:
        event["amount"] /= 100
    if "bad" in event:
        event["bad"] = bool(event["bad"])
    return json.dumps(event).encode()
