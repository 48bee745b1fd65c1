"""Checks, while a source reads, whether its topics have changed since it began."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent import futures
from concurrent.futures import Future
from datetime import timedelta
from itertools import chain
from typing import Any

from streaming.errors import RestartNeeded
from streaming.job.outage import Outage
from streaming.job.stopping import wait
from streaming.kafka.brokers.admin_link import NO_ANSWER_WITHIN_S
from streaming.kafka.brokers.topics import Topic, Topics
from streaming.kafka.records.polled import Polled
from streaming.log import get_log

_LOG = get_log("kafka_source")
_AGAIN_S = 0.1
_MOST_POLLS = 4
"""Maximum number of polls that are held. At full speed one waits for its answer while the next is polled."""


class TopicWatch:
    """Hands on what was polled once it is known that its topics were still the same after it was fetched.

    The consumer does not notice that a topic was deleted and re-created. It reads on at its offset, in another log.
    (Seen: the new log's first records were left out, the others were taken for the old log's.) So what was polled is
    held until the brokers have described the topics after it came. While the watch is `full`, nothing more may be
    polled: brokers that give out records but describe no topic would fill the memory. Partitions that were added to a
    topic are noticed the same way, within `every` where no records come. Shares and positions are settled at the start.
    """

    def __init__(self, topics: Topics, known: Mapping[str, Topic], every: timedelta) -> None:
        self._topics, self._known = topics, known
        self._every_s = every.total_seconds()
        self._asked_at = self._asked_for_all_at = time.monotonic()
        self._failed = False
        self._outage = Outage(
            _LOG,
            "pausing reads until the brokers describe topics",
            "resuming reads, the brokers describe topics again",
        )
        self._answers: dict[str, Future[Any]] = {}
        self._asked: list[list[Polled]] = []
        self._held: list[list[Polled]] = []

    @property
    def full(self) -> bool:
        """Whether so much is held that nothing more may be polled before an answer arrives."""
        return len(self._asked) + len(self._held) >= _MOST_POLLS

    @property
    def holds_records(self) -> bool:
        """Whether something was polled that waits for an answer."""
        return bool(self._asked or self._held)

    def wait(self, wait_s: float) -> None:
        """Wait until there is an answer or the brokers may be asked again, but no longer than `wait_s`."""
        if self._answers:
            futures.wait(self._answers.values(), wait_s)
        else:
            wait(min(wait_s, self._asked_at + self._pause_s - time.monotonic()))

    def confirmed(self, polled: list[Polled], wait_s: float) -> list[Polled]:
        """The polled records that may be passed on, in order. Waits up to `wait_s` for an answer that is outstanding.

        Raises RestartNeeded if a topic has changed.
        """
        if polled:
            self._held.append(polled)
        found = self._settle(0.0)
        if not self._answers and time.monotonic() - self._asked_at >= self._pause_s:
            self._asked_at = time.monotonic()
            self._asked, self._held = self._held, []
            self._answers = self._topics.ask_for(self._concerned())
            found += self._settle(wait_s if self._asked else 0.0)
        return found

    def _concerned(self) -> list[str]:
        """The topics of what is held. From time to time all topics: one without records may get more partitions."""
        if self._asked and not self._failed and self._asked_at - self._asked_for_all_at < self._every_s:
            return sorted({each.topic for polled in self._asked for each in polled})
        self._asked_for_all_at = self._asked_at
        return sorted(self._known)

    @property
    def _pause_s(self) -> float:
        """Pause between two questions, seconds."""
        return _AGAIN_S if self._failed else 0.0 if self._held else self._every_s

    def _settle(self, wait_s: float) -> list[Polled]:
        if self._answers and wait_s:
            futures.wait(self._answers.values(), wait_s)
        waited_s = time.monotonic() - self._asked_at
        if not self._answers or not (
            waited_s > NO_ANSWER_WITHIN_S or all(each.done() for each in self._answers.values())
        ):
            return []
        answers, self._answers = self._answers, {}
        asked, self._asked = self._asked, []
        for name, answer in answers.items():
            if not answer.done() or answer.exception() is not None:
                continue
            if self._topics.told_by(answer.result()) != self._known[name]:
                raise RestartNeeded(
                    f"topic {name} has changed: it has more partitions, or it was deleted and re-created"
                )
        errors = {name: error for name, answer in answers.items() if (error := _error_in(answer)) is not None}
        self._failed = bool(errors)
        if errors:  # the brokers or the topic are unavailable: it is unknown which log the held records are from
            self._held = asked + self._held
            self._topics.renew()
            if self.full:
                self._outage.failed(errors=errors)
            return []
        self._outage.answered()
        self._topics.answered()  # on a quiet topic no record says that Kafka is back, or that one broker is enough
        return list(chain.from_iterable(asked))


def _error_in(answer: Future[Any]) -> str | None:
    """Why there is no description; None if there is one."""
    if not answer.done():
        return "no answer"
    error = answer.exception()
    return None if error is None else str(error)
