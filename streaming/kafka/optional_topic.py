"""A topic that a process can do without: it works on while the topic does not exist, and restarts when that changes."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaException

from streaming.errors import RestartNeeded
from streaming.kafka.brokers.admin_link import NO_ANSWER_WITHIN_S
from streaming.kafka.brokers.broker_errors import is_missing
from streaming.kafka.brokers.topics import Topics

_EVERY_S = 5.0
_GONE_AFTER = 3
"""A broker that has just become a leader may not know a topic for a moment. After so many looks it is gone."""


class OptionalTopic:
    """exists: whether the process began with the topic. topics: asked by nobody else, and never waited for."""

    def __init__(self, topics: Topics, name: str, *, exists: bool) -> None:
        self._topics, self._name, self._exists = topics, name, exists
        self._answer: Future[Any] | None = None
        self._asked_s = time.monotonic()
        self._missing = 0

    def look(self) -> None:
        """Call this before each poll: it asks now and then. Raises RestartNeeded where the topic came, or went."""
        now_s = time.monotonic()
        if self._answer is None:
            if now_s - self._asked_s >= _EVERY_S:
                self._answer, self._asked_s = self._topics.ask_for([self._name])[self._name], now_s
        elif self._answer.done() or now_s - self._asked_s > NO_ANSWER_WITHIN_S:
            answer, self._answer = self._answer, None
            self._heed(answer)

    def _heed(self, answer: Future[Any]) -> None:
        error = answer.exception() if answer.done() else TimeoutError()
        if error is None:
            self._missing = 0
            if not self._exists:
                raise RestartNeeded(f"topic {self._name} exists now")
        elif isinstance(error, KafkaException) and is_missing(error.args[0]):
            self._missing += 1
            if self._exists and self._missing >= _GONE_AFTER:
                raise RestartNeeded(f"topic {self._name} does not exist any more")
        else:
            self._topics.renew()
