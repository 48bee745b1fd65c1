"""Marks of quiet partitions: up to when they are known to hold nothing more."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

from streaming.job.clock import Clock
from streaming.kafka.consumed_partition import ConsumedPartition
from streaming.kafka.polled import Polled
from streaming.kafka.topics import PartitionKey, Topics


class IdleMarks:
    """Marks of quiet partitions: all that their logs held after the clock was read has been taken."""

    def __init__(
        self,
        topics: Topics,
        partitions: Mapping[PartitionKey, ConsumedPartition],
        every: timedelta,
        clock: Clock,
    ) -> None:
        self._topics, self._partitions, self._clock = topics, partitions, clock
        self._every_s = every.total_seconds()
        self._asked_at = time.monotonic()
        self._asked_us = 0
        self._answers: dict[PartitionKey, Future[Any]] = {}

    def marks(self) -> list[Polled]:
        """The marks that follow from answers that came in; then asks anew when it is time."""
        marks: list[Polled] = []
        if self._answers and all(answer.done() for answer in self._answers.values()):
            for key, answer in self._answers.items():
                partition = self._partitions[key]
                if answer.exception() is None and answer.result().offset <= partition.last + 1:
                    marks.append(partition.polled(partition.last, partition.last, idle_until_us=self._asked_us))
            self._answers = {}
        now = time.monotonic()
        if not self._answers and now - self._asked_at >= self._every_s:
            self._asked_at = now
            quiet = [key for key, each in self._partitions.items() if now - each.read_at >= self._every_s]
            if quiet:
                self._asked_us = self._clock()  # before the question: the answer speaks of a later moment
                self._answers = self._topics.ask_for_ends(quiet)
        return marks
