"""The newest records of a Kafka topic: as rows to propose fields from, and as they are, to try the proposal with."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
from confluent_kafka import Consumer, KafkaException, TopicPartition

from deploy.project.errors import ProjectError
from shared_features.arguments import did_you_mean
from streaming.kafka.brokers.client import client_options
from streaming.kafka.brokers.topics import Topics, partitions_of
from streaming.kafka.decoders.nested_json_format import NAME as NESTED_JSON
from streaming.kafka.records.record_reader import Records
from streaming.operations.produce.rows.file_rows import UNREADABLE, Row, flat_row
from streaming.settings import StreamingSettings

_ANSWER_S, _QUIET_S = 10.0, 10.0


@dataclass(frozen=True)
class TopicSample:
    """format: in which the records are written. rows: one for each record that is an object, keys as written."""

    topic: str
    format: str
    records: Records
    rows: list[Row]


def read_topic(settings: StreamingSettings, topic: str, most: int) -> TopicSample:
    """Raises ProjectError where there is nothing to read, and says what to do."""
    try:
        taken = _newest(settings, topic, most)
    except KafkaException as error:
        raise ProjectError(
            f"Kafka at {settings.kafka_bootstrap_servers} cannot be reached ({error.args[0].str()}). Set "
            "KAFKA_BOOTSTRAP_SERVERS to your brokers"
        ) from error
    if not taken:
        raise ProjectError(f"topic {topic} holds no records. Send some events first, or give --from a file")
    values = [message.value() for message in taken]
    found = {name: [_object(name, value) for value in values] for name in ("json", "messagepack")}
    written = max(found, key=lambda name: sum(each is not None for each in found[name]))
    stamps = [message.timestamp() for message in taken]
    records = Records(
        topic,
        0,
        np.arange(len(taken), dtype=np.int64),
        np.array([stamp for _, stamp in stamps], np.int64),
        np.array([kind for kind, _ in stamps], np.int64),
        values,
        key_of=lambda _: None,
    )
    rows = [{UNREADABLE: ""} if each is None else dict(each) for each in found[written]]
    if written == "json" and any(isinstance(value, Mapping) for row in rows for value in row.values()):
        written, rows = NESTED_JSON, [flat_row(row.items()) for row in rows]
    return TopicSample(topic, written, records, rows)


def _newest(settings: StreamingSettings, topic: str, most: int) -> list[Any]:
    asked = Topics(settings, within_s=_ANSWER_S)
    described = asked.describe([topic])
    if topic not in described:
        raise ProjectError(
            f"there is no topic {topic}.{_near(settings, topic)} Give the name of a topic that has events"
        )
    bounds = asked.bounds(partitions_of(described.values()))
    share = max(1, most // len(bounds))
    places = [TopicPartition(topic, number, max(each.low, each.high - share)) for (_, number), each in bounds.items()]
    left = sum(each.high - place.offset for place, each in zip(places, bounds.values(), strict=True))
    options = {**client_options(settings), "group.id": "millrace-new", "enable.auto.commit": False}
    consumer = Consumer({**options, "error_cb": lambda error: None})
    taken: list[Any] = []
    try:
        consumer.assign(places)
        deadline_s = time.monotonic() + _QUIET_S
        while len(taken) < left and time.monotonic() < deadline_s:  # records of transactions leave gaps
            for message in consumer.consume(1_000, 0.5):
                if message.error() is None and message.value() is not None:
                    taken.append(message)
                    deadline_s = time.monotonic() + _QUIET_S
    finally:
        consumer.close()
    return taken[:most]


def _near(settings: StreamingSettings, topic: str) -> str:
    consumer = Consumer({**client_options(settings), "group.id": "millrace-new", "error_cb": lambda error: None})
    try:
        return did_you_mean(topic, consumer.list_topics(timeout=_ANSWER_S).topics)
    finally:
        consumer.close()


def _object(written: str, value: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(value, parse_float=Decimal) if written == "json" else msgspec.msgpack.decode(value)
    except (ValueError, RecursionError, msgspec.DecodeError):
        return None
    return found if isinstance(found, Mapping) and all(isinstance(name, str) for name in found) else None
