"""Marks of quiet partitions: up to which time everything in their logs has been read."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import timedelta
from typing import Any

from confluent_kafka import KafkaException

from streaming.job.clock import Clock
from streaming.kafka.brokers.admin_link import NO_ANSWER_WITHIN_S, PartitionKey, offset_in
from streaming.kafka.brokers.topics import Topics
from streaming.kafka.consumed_partition import ConsumedPartition
from streaming.kafka.records.polled import Polled
from streaming.kafka.stalls import Stalls


class IdleMarks:
    """Marks of quiet partitions. A mark says: everything in the log up to this clock time has been read.

    `stalls` is told where the logs end.
    """

    def __init__(
        self,
        topics: Topics,
        partitions: Mapping[PartitionKey, ConsumedPartition],
        every: timedelta,
        clock: Clock,
        stalls: Stalls,
    ) -> None:
        self._stalls = stalls
        self._topics, self._partitions, self._clock = topics, partitions, clock
        self._every_s = every.total_seconds()
        self._asked_at = time.monotonic()
        self._asked_us = 0
        self._answers: dict[PartitionKey, Future[Any]] = {}

    def marks(self) -> list[Polled]:
        """The marks that follow from the answers so far. Then asks again if the interval has passed."""
        marks: list[Polled] = []
        late = time.monotonic() - self._asked_at > NO_ANSWER_WITHIN_S
        if self._answers and (late or all(answer.done() for answer in self._answers.values())):
            for key, answer in self._answers.items():
                partition = self._partitions[key]
                end = self._end_in(answer)
                if end is None:
                    continue
                self._stalls.note(key, end)
                if end <= partition.last + 1:
                    marks.append(partition.polled(partition.last, partition.last, idle_until_us=self._asked_us))
            self._answers = {}
        now = time.monotonic()
        if not self._answers and now - self._asked_at >= self._every_s:
            self._asked_at = now
            quiet = [key for key, each in self._partitions.items() if now - each.read_at >= self._every_s]
            if quiet:
                self._asked_us = self._clock()  # before the question, so that the answer is about a later moment
                self._answers = self._topics.ask_for_ends(quiet)
        return marks

    def _end_in(self, answer: Future[Any]) -> int | None:
        try:
            return offset_in(answer.result(0.0))
        except (KafkaException, FutureTimeout):  # no answer, no mark: the partition may have more records
            self._topics.renew()
            return None
