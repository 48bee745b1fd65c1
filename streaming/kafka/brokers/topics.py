"""What the brokers know about topics: ids, partitions, where each log begins and ends, configuration."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from confluent_kafka import KafkaException

from streaming.errors import RestartNeeded, StoppedWaiting
from streaming.job.backoff import Backoff, Tries
from streaming.job.outage import Outage
from streaming.job.stopping import stop_requested
from streaming.kafka.brokers.admin_link import EARLIEST, LATEST, AdminLink, PartitionKey, offset_in
from streaming.kafka.brokers.broker_errors import is_missing, is_not_told, is_passing
from streaming.kafka.brokers.client import KafkaOutage, client_options
from streaming.log import get_log
from streaming.settings import StreamingSettings

__all__ = ["Bounds", "PartitionKey", "Topic", "Topics", "id_in_embedded_log", "partitions_of"]

_LOG = get_log("topics")
_ANSWER_S = 5.0
_BACKOFF = Backoff(first_s=0.1, longest_s=2.0)
_MISSING = "the topic does not exist yet; waiting for it"
_STOPPED = "asked to stop while waiting for Kafka"
_MISSING_AT_MOST = 5
"""A broker that has just become a leader may not know a partition for a moment. After so many tries it is gone."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the brokers know it. A topic that was deleted and re-created has another `id`."""

    name: str
    id: str
    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The offsets in the log of a partition: `low <= offset < high`, including transactions that are still open."""

    low: int
    high: int


class Topics:
    """Asks the brokers. While they are unavailable, every method waits with back-off until asked to stop.

    within_s: do not wait. Every method answers within this time, or raises KafkaException. For programs that report
    what is unavailable, instead of waiting. Either way, after a failure a new client asks.
    """

    def __init__(
        self, settings: StreamingSettings, outage: KafkaOutage | None = None, *, within_s: float | None = None
    ) -> None:
        self._outage, self._within_s = outage or KafkaOutage(), within_s
        self._embedded_log = settings.embedded_log
        options = client_options(settings, self._outage)
        if within_s is not None:  # the caller gets the exception; nothing is logged
            options["error_cb"] = lambda error: None
        self._link = AdminLink(options, within_s or _ANSWER_S)

    def describe(self, names: Iterable[str]) -> dict[str, Topic]:
        """The topics of these names. One that does not exist is waited for; with `within_s` it is left out."""
        if self._within_s is not None:
            return self.existing(names)
        wanted = sorted(set(names))
        missing = {name: Outage(_LOG, _MISSING, "the topic exists now", topic=name) for name in wanted}

        def ask() -> dict[str, Topic]:
            found = self._existing(wanted)
            for name, outage in missing.items():
                (outage.answered if name in found else outage.failed)()
            if len(found) < len(wanted):
                raise _NotYet
            return found

        return self._patiently(ask)

    def existing(self, names: Iterable[str]) -> dict[str, Topic]:
        """Those of these topics that exist now."""
        wanted = sorted(set(names))
        return self._patiently(lambda: self._existing(wanted))

    def bounds(self, partitions: Iterable[PartitionKey]) -> dict[PartitionKey, Bounds]:
        """Where the log of each partition begins and ends."""
        wanted = list(partitions)
        if not wanted:
            return {}

        def ask() -> dict[PartitionKey, Bounds]:
            low, high = (self._link.offsets(wanted, spec) for spec in (EARLIEST, LATEST))
            return {key: Bounds(self._offset(low[key]), self._offset(high[key])) for key in wanted}

        return self._patiently(ask)

    def config(self, name: str) -> Mapping[str, str] | None:
        """The topic's configuration. None where the brokers do not tell it, as the simulator does not."""

        def ask() -> dict[str, str] | None:
            try:
                answer = self._link.answer(self._link.config(name))
            except KafkaException as error:
                if is_not_told(error.args[0]):
                    return None
                raise
            return {key: entry.value for key, entry in answer.items()}

        return self._patiently(ask)

    def ask_for(self, names: list[str]) -> dict[str, Future[Any]]:
        """Futures of the descriptions. Does not wait. Call `renew` if one fails."""
        return self._link.describe(names)

    def told_by(self, description: Any) -> Topic:
        """The topic that an answer to `ask_for` describes."""
        name = str(description.name)
        partitions = tuple(sorted(each.id for each in description.partitions))
        if self._embedded_log is not None:
            return Topic(name, id_in_embedded_log(self._embedded_log, name), partitions)
        return Topic(name, str(description.topic_id), partitions)

    def ask_for_ends(self, partitions: Iterable[PartitionKey]) -> dict[PartitionKey, Future[Any]]:
        """Futures of the ends of logs, for `offset_in`. Does not wait. Call `renew` if one fails."""
        return self._link.offsets(partitions, LATEST)

    def answered(self) -> None:
        """The brokers have answered a question that did not wait here: an outage of Kafka is over."""
        self._outage.answered()

    def renew(self) -> None:
        """Ask by a new client from now on."""
        self._link.renew()

    def _offset(self, future: Future[Any]) -> int:
        return offset_in(self._link.answer(future))

    def _existing(self, names: list[str]) -> dict[str, Topic]:
        found: dict[str, Topic] = {}
        for name, future in self.ask_for(names).items():
            try:
                found[name] = self.told_by(self._link.answer(future))
            except KafkaException as error:
                if not is_missing(error.args[0]):
                    raise
        return found

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        tries, began_s = Tries(_BACKOFF, _STOPPED), time.monotonic()
        self._link.answer_s = self._within_s or _ANSWER_S
        while True:
            if self._within_s is None and stop_requested():
                raise StoppedWaiting(_STOPPED)
            try:
                answer = ask()
            except KafkaException as error:
                self._link.renew()
                if not is_passing(error.args[0]) or not self._has_time(began_s):
                    raise
                if is_missing(error.args[0]) and tries.failed >= _MISSING_AT_MOST:
                    raise RestartNeeded(f"a topic does not exist any more ({error.args[0].str()})") from error
                if self._within_s is None:
                    self._outage.failed(error=error.args[0].str())
            except _NotYet:
                self._outage.answered()
            else:
                self._outage.answered()
                return answer
            tries.wait()

    def _has_time(self, began_s: float) -> bool:
        """Whether to ask again. With `within_s` the next answer has only the time that is left."""
        if self._within_s is None:
            return True
        self._link.answer_s = began_s + self._within_s - time.monotonic()
        return self._link.answer_s > self._within_s / 2


class _NotYet(Exception):
    """A topic does not exist yet."""


def id_in_embedded_log(log: str, topic: str) -> str:
    """The id of a topic of a log that outlives its simulator, as long as Kafka's own ids are."""
    digest = hashlib.sha256(f"{log}/{topic}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


def partitions_of(topics: Iterable[Topic]) -> list[PartitionKey]:
    """Every partition of these topics."""
    return [(topic.name, number) for topic in topics for number in topic.partitions]
