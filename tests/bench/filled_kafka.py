"""Apache Kafka with the whole history in it: transactions and their labels, stamped with their own times."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from deploy.demo.traffic.cards.event_bytes import EVENT, LABEL, LABEL_DELAY_US, encode
from deploy.demo.traffic.cards.transactions import Transactions
from deploy.demo.traffic.paced_producer import PacedProducer
from deploy.demo.traffic.records import Records
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.kafka.apache_kafka import ApacheKafka
from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS

PARTITIONS = 2
_CHUNK = 50_000


@dataclass(frozen=True)
class FilledKafka:
    """A running broker. records: how many each topic holds; newest_us: the latest stamp among them."""

    bootstrap_servers: str
    process_id: int
    records: dict[str, int]
    newest_us: int

    @property
    def total(self) -> int:
        return sum(self.records.values())


@contextmanager
def filled_kafka(rows: Transactions) -> Iterator[FilledKafka]:
    """Both topics, of two partitions, CreateTime, nothing deleted. Raises EmbeddedError where Kafka cannot run here."""
    if missing := ApacheKafka.missing():
        raise EmbeddedError(f"the streaming figures need Apache Kafka itself. {' '.join(missing)}")
    with ApacheKafka(heap="1g") as kafka:
        topics = (CARD_TRANSACTIONS.topic, CARD_LABELS.topic)
        for topic in topics:
            kafka.create_topic(topic, PARTITIONS, {"message.timestamp.type": "CreateTime", "retention.ms": "-1"})
        print(f"bench: filling Kafka with {2 * len(rows):,} records ...", file=sys.stderr, flush=True)
        producer = PacedProducer(kafka.bootstrap_servers)
        for _ in producer.send(_records(some, kind) for kind in (EVENT, LABEL) for some in _chunks(rows)):
            pass
        producer.flush()
        newest_us = int(rows.event_time_us[-1]) + LABEL_DELAY_US
        yield FilledKafka(kafka.bootstrap_servers, kafka.pid, dict.fromkeys(topics, len(rows)), newest_us)


def _chunks(rows: Transactions) -> Iterator[Transactions]:
    for start in range(0, len(rows), _CHUNK):
        yield rows.take(slice(start, start + _CHUNK))


def _records(some: Transactions, kind: int) -> Records:
    topics, keys, values = encode(some, np.full(len(some), kind, np.uint8))
    times_us = some.event_time_us + (LABEL_DELAY_US if kind == LABEL else 0)
    return Records(topics.tolist(), keys.tolist(), values.tolist(), (times_us // 1000).tolist())
