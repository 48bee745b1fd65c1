"""A log to poll from without a broker: records by partition, cut into batches wherever a test likes."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shared_features.definitions import EventSource
from shared_features.formats.events import EventBatch
from streaming.kafka.records.polled import DeadLetter, Polled

TOPIC_ID = "topic-id"


@dataclass
class Record:
    """A record time, microseconds, and an event's fields (None: a record that is no event)."""

    time_us: int
    event: dict[str, Any] | None


@dataclass
class KafkaLog:
    """Records per (source name, partition)."""

    sources: dict[str, EventSource]
    partitions: dict[str, int]
    records: dict[tuple[str, int], list[Record]] = field(default_factory=dict)

    @property
    def topics(self) -> dict[tuple[str, str], int]:
        return {(self.sources[name].topic, TOPIC_ID): count for name, count in self.partitions.items()}

    def all(self) -> list[tuple[str, int]]:
        return [(name, number) for name, count in sorted(self.partitions.items()) for number in range(count)]

    def of(self, key: tuple[str, int]) -> list[Record]:
        return self.records.setdefault(key, [])

    def poll(self, key: tuple[str, int], after: int, to: int | None = None, idle_us: int | None = None) -> Polled:
        """The records with offsets in (after, to]."""
        source, records = self.sources[key[0]], self.of(key)
        to = len(records) - 1 if to is None else to
        taken = [(offset, records[offset]) for offset in range(after + 1, to + 1)]
        events = [(offset, each) for offset, each in taken if each.event is not None]
        dead = tuple(
            DeadLetter(offset, each.time_us, "no event", None, b"{") for offset, each in taken if each.event is None
        )
        return Polled(
            source.topic,
            TOPIC_ID,
            key[1],
            source,
            after,
            to,
            batch(source, [(each.time_us, each.event) for _, each in events if each.event is not None]),
            np.array([offset for offset, _ in events], np.int64),
            dead,
            None,
            max((each.time_us for _, each in taken), default=-1),
            idle_us,
        )


def batch(source: EventSource, events: list[tuple[int, dict[str, Any]]]) -> EventBatch:
    """Events given as (record time, fields)."""
    columns: dict[str, Any] = {}
    valid: dict[str, Any] = {}
    for each in source.fields:
        values = [event.get(each.name) for _, event in events]
        if each.optional:
            valid[each.name] = np.array([value is not None for value in values], np.bool_)
        if each.is_text:
            columns[each.name] = np.array(values, object)
        else:
            columns[each.name] = np.array([0 if value is None else value for value in values], np.int64)
    return EventBatch(source, columns, valid, np.array([time_us for time_us, _ in events], np.int64))
