"""Kafka in memory: logs with two record clocks, retention, quiet and new partitions; and a reader of them."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from shared_features.definitions import EventSource
from shared_features.kernel.event_time import MILLISECOND_US
from streaming.errors import RestartNeeded
from streaming.kafka.brokers.topics import PartitionKey, Topic
from streaming.kafka.consumed_partition import ConsumedPartition
from streaming.kafka.records.polled import Polled
from streaming.kafka.records.record_reader import LOG_APPEND_TIME, RecordReader, Records, StampRule
from tests.simulation.chances import Chances
from tests.simulation.domain import FUTURE_S, LENGTH_S

TOPIC_ID = "id"
START_S = 1_700_000_000
LATENESS_S = 12
KEYS = 16
_READERS, _PAGES = (0, 0, 0, 1, 1, 1, *range(2, KEYS)), (0, 0, 0, 1, 1, *range(2, 10))  # some often, some hardly ever


@dataclass
class PartitionLog:
    """All records ever, (stamp in ms, value); those from `start` to before `visible` can be read."""

    records: list[tuple[int, bytes]] = field(default_factory=list)
    start: int = 0
    visible: int = 0
    skew_s: int = 0
    quiet_until_s: int = 0


class KafkaModel:
    """The topics of some sources."""

    def __init__(self, sources: tuple[EventSource, ...], chances: Chances) -> None:
        self.sources = {source.topic: source for source in sources}
        self.chances = chances
        self.now_s = START_S
        self.logs = {(source.topic, number): PartitionLog() for source in sources for number in range(2)}
        self.logs = {key: log for key, log in self.logs.items() if key[1] == 0 or key[0] == "visits"}
        self._next_id = 0
        self._recent: list[tuple[str, dict[str, Any]]] = []

    @property
    def topics(self) -> dict[str, Topic]:
        return {
            topic: Topic(topic, TOPIC_ID, tuple(number for name, number in sorted(self.logs) if name == topic))
            for topic in self.sources
        }

    def clock_us(self) -> int:
        return self.now_s * 1_000 * MILLISECOND_US + 999

    def starts(self) -> dict[tuple[str, str, int], int]:
        """Where each log begins, by (topic, id, number)."""
        return {(topic, TOPIC_ID, number): log.start for (topic, number), log in self.logs.items()}

    def produce(self) -> None:
        """One record, on a partition that is not quiet: usual, late, early, too early, again, or no event at all."""
        r = self.chances.random
        self.now_s += r.choice((0, 0, 0, 1, 1, 2, 5))
        awake = [key for key, log in self.logs.items() if log.quiet_until_s <= self.now_s] or list(self.logs)
        key = r.choice(awake)
        if r.random() < 0.05:
            self.logs[r.choice(awake)].quiet_until_s = self.now_s + r.randint(10, 60)
        if r.random() < 0.05:
            self.logs[key].skew_s = r.choice((0, 0, -3, 3, -5))
            self.chances.counts["Kafka: a leader with another clock"] += 1
        stamp_s = self.now_s + self.logs[key].skew_s
        again = [event for topic, event in self._recent if topic == key[0]]
        if again and r.random() < 0.12:
            event = dict(r.choice(again))
            self.chances.counts["Kafka: an event again"] += 1
            if r.random() < 0.2:
                event["value"] = (event["value"] + 1) % 100
        else:
            event = self._event(r, stamp_s)
            self._recent = [*self._recent, (key[0], event)][-12:]
        value = b"{" if r.random() < 0.03 else json.dumps(event).encode()
        self.logs[key].records.append((stamp_s * 1_000, value))

    def _event(self, r: random.Random, stamp_s: int) -> dict[str, Any]:
        lateness = (
            *(((0, 2),) * 12),
            *(((0, LATENESS_S),) * 4),
            *(((LATENESS_S + 1, LENGTH_S + 15),) * 2),
            *(((-FUTURE_S, -1),) * 2),
            (-FUTURE_S - 5, -FUTURE_S - 1),
        )
        self._next_id += 1
        at_us = (stamp_s - r.randint(*r.choice(lateness))) * 1_000_000 + r.choice((0, 999, 999))
        who = {"reader": r.choice(_READERS), "page": r.choice(_PAGES)}
        if self._recent and r.random() < 0.4:  # what comes, comes in bursts: all of it may lie in one gap
            _, event = r.choice(self._recent[-4:])
            who = {name: event.get(name, who[name]) for name in who}
        return {"id": self._next_id * 7919 % 100_003, "event_time": at_us, **who, "value": r.randint(1, 99)}

    def show(self) -> None:
        """Some of what was produced becomes readable."""
        log = self.chances.random.choice(list(self.logs.values()))
        log.visible = min(len(log.records), log.visible + self.chances.random.randint(0, 4))

    def show_all(self) -> None:
        for log in self.logs.values():
            log.visible = len(log.records)

    def forget(self) -> None:
        """Retention."""
        for log in self.logs.values():
            log.start = max(log.start, log.visible - self.chances.random.choice((0, 0, 1, 2, 4, 8)))
        self.chances.counts["Kafka: retention"] += 1

    def grow(self) -> None:
        """A topic gets another partition."""
        if ("visits", 2) not in self.logs and "visits" in self.sources:
            self.logs["visits", 2] = PartitionLog()
            self.chances.counts["Kafka: a topic grew"] += 1


class Reader:
    """A consumer of all partitions, from behind `positions` on, as `streaming.kafka.source` reads them."""

    def __init__(self, kafka: KafkaModel, positions: Mapping[PartitionKey, int]) -> None:
        self._kafka, self._known = kafka, kafka.topics
        self._partitions = [
            ConsumedPartition(self._known[key[0]], key[1], record_reader(kafka.sources[key[0]]), positions.get(key, -1))
            for key in sorted(kafka.logs)
        ]

    def poll(self) -> list[Polled]:
        """What can be read now, some of it, and marks of partitions that were read to their end."""
        chances = self._kafka.chances
        if (chances.calm or chances.random.random() < 0.1) and self._kafka.topics != self._known:
            raise RestartNeeded("a topic has changed: more partitions")
        asked_us = self._kafka.clock_us()  # before the questions: the answers speak of a later moment
        chances.point()
        polled: list[Polled] = []
        for partition in self._partitions:
            if chances.calm or chances.random.random() < 0.7:
                polled += self._read(partition)
        chances.point()
        for partition in self._partitions:
            log = self._kafka.logs[partition.key]
            if partition.last + 1 >= log.visible and (chances.calm or chances.random.random() < 0.4):
                polled.append(partition.polled(partition.last, partition.last, idle_until_us=asked_us))
                chances.counts["Kafka: a mark"] += 1
        return polled

    @property
    def at_end(self) -> bool:
        return all(each.last + 1 >= self._kafka.logs[each.key].visible for each in self._partitions)

    def _read(self, partition: ConsumedPartition) -> list[Polled]:
        log, chances = self._kafka.logs[partition.key], self._kafka.chances
        found = []
        first = partition.last + 1
        if first < log.start:
            found.append(partition.polled(partition.last, log.start - 1, gap=(first, log.start)))
            partition.last, first = log.start - 1, log.start
        end = log.visible if chances.calm else min(log.visible, first + chances.random.randint(0, 5))
        if end > first:
            read = partition.reader.read(records(partition.key, log, first, end))
            after, partition.last = partition.last, end - 1
            more = {"events": read.events, "offsets": read.offsets, "dead": read.dead}
            found.append(partition.polled(after, end - 1, record_time_us=read.record_time_us, **more))
        return found


@cache
def record_reader(source: EventSource) -> RecordReader:
    """It has no state, and takes long to make: one for all schedules."""
    return RecordReader(source, StampRule("live"))


def records(key: PartitionKey, log: PartitionLog, first: int, end: int) -> Records:
    """The records with these offsets, as they come from a consumer."""
    return Records(
        topic=key[0],
        partition=key[1],
        offsets=np.arange(first, end),
        stamps_ms=np.array([stamp for stamp, _ in log.records[first:end]], np.int64),
        stamp_types=np.full(end - first, LOG_APPEND_TIME),
        key_of=lambda row: None,
        values=[value for _, value in log.records[first:end]],
    )
