"""What the brokers know about topics: ids, partitions, where each log begins and ends, configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    ConfigResource,
    OffsetSpec,
    ResourceType,
)

from streaming.errors import StoppedWaiting
from streaming.job.backoff import Backoff, Tries
from streaming.job.outage import Outage
from streaming.job.stopping import stop_requested
from streaming.kafka.client import KafkaOutage, client_options
from streaming.log import get_log
from streaming.settings import StreamingSettings

_LOG = get_log("topics")
_ANSWER_S = 5.0
_BACKOFF = Backoff(first_s=0.1, longest_s=2.0)
_STOPPED = "asked to stop while waiting for Kafka"
_MISSING_TOPIC = "the topic does not exist yet; waiting for it"
_EARLIEST, _LATEST = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]  # untyped there
_MISSING = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)
_NOT_TOLD = (KafkaError._UNSUPPORTED_FEATURE, KafkaError.UNSUPPORTED_VERSION, KafkaError.INVALID_REQUEST)

PartitionKey = tuple[str, int]
"""(topic, partition)"""


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
    what is unavailable, instead of waiting.
    """

    def __init__(
        self, settings: StreamingSettings, outage: KafkaOutage | None = None, *, within_s: float | None = None
    ) -> None:
        self._outage, self._within_s = outage or KafkaOutage(), within_s
        options = client_options(settings, self._outage)
        if within_s is not None:  # the caller gets the exception; nothing is logged
            options["error_cb"] = lambda error: None
        self._admin = AdminClient(options)

    def describe(self, names: Iterable[str]) -> dict[str, Topic]:
        """The topics of these names. One that does not exist is waited for; with `within_s` it is left out."""
        wanted = sorted(set(names))
        missing = {name: Outage(_LOG, _MISSING_TOPIC, "the topic exists now", topic=name) for name in wanted}

        def ask() -> dict[str, Topic]:
            found: dict[str, Topic] = {}
            for name, future in self.ask_for(wanted).items():
                topic = _existing(future)
                if topic is not None:
                    found[name] = topic
                    missing[name].answered()
                elif self._within_s is None:
                    missing[name].failed()
            if len(found) < len(wanted) and self._within_s is None:
                raise _NotYet
            return found

        return self._patiently(ask)

    def bounds(self, partitions: Iterable[PartitionKey]) -> dict[PartitionKey, Bounds]:
        """Where the log of each partition begins and ends."""
        wanted = list(partitions)
        if not wanted:
            return {}

        def ask() -> dict[PartitionKey, Bounds]:
            low, high = (self._ask_for_offsets(wanted, spec) for spec in (_EARLIEST, _LATEST))
            return {key: Bounds(low[key].result().offset, future.result().offset) for key, future in high.items()}

        return self._patiently(ask)

    def config(self, name: str) -> Mapping[str, str] | None:
        """The topic's configuration. None where the brokers do not tell it, as the simulator does not."""
        resource = ConfigResource(ResourceType.TOPIC, name)

        def ask() -> dict[str, str] | None:
            try:
                answer = self._admin.describe_configs([resource], request_timeout=self._answer_s)[resource].result()
            except KafkaException as error:
                if error.args[0].code() in _NOT_TOLD:
                    return None
                raise
            return {key: entry.value for key, entry in answer.items()}

        return self._patiently(ask)

    def ask_for(self, names: list[str]) -> dict[str, Future[Any]]:
        """Futures of the descriptions. Does not wait."""
        asked: dict[str, Future[Any]] = self._admin.describe_topics(
            TopicCollection(names), request_timeout=self._answer_s
        )
        return asked

    def ask_for_ends(self, partitions: Iterable[PartitionKey]) -> dict[PartitionKey, Future[Any]]:
        """Futures of the ends of logs. Does not wait."""
        return self._ask_for_offsets(partitions, _LATEST)

    @property
    def _answer_s(self) -> float:
        return _ANSWER_S if self._within_s is None else self._within_s

    def _ask_for_offsets(self, partitions: Iterable[PartitionKey], spec: Any) -> dict[PartitionKey, Future[Any]]:
        asked = self._admin.list_offsets(
            {TopicPartition(*each): spec for each in partitions},
            isolation_level=IsolationLevel.READ_UNCOMMITTED,
            request_timeout=self._answer_s,
        )
        return {(each.topic, each.partition): future for each, future in asked.items()}

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        if self._within_s is not None:
            return ask()
        tries = Tries(_BACKOFF, _STOPPED)
        while True:
            if stop_requested():
                raise StoppedWaiting(_STOPPED)
            try:
                answer = ask()
            except KafkaException as error:
                self._outage.on_error(error.args[0])
                if not _is_passing(error.args[0]):
                    raise
            except _NotYet:
                self._outage.answered()
            else:
                self._outage.answered()
                return answer
            tries.wait()


class _NotYet(Exception):
    """A topic does not exist yet."""


def _is_passing(error: KafkaError) -> bool:
    code = error.code()
    return bool(error.retriable()) or (code < 0 and code != KafkaError._UNSUPPORTED_FEATURE)


def _existing(future: Future[Any]) -> Topic | None:
    """The topic that a description is of; None where there is none."""
    try:
        return as_topic(future.result())
    except KafkaException as error:
        if error.args[0].code() in _MISSING:
            return None
        raise


def as_topic(description: Any) -> Topic:
    """A Topic of confluent-kafka's TopicDescription."""
    return Topic(description.name, str(description.topic_id), tuple(sorted(each.id for each in description.partitions)))


def partitions_of(topics: Iterable[Topic]) -> list[PartitionKey]:
    """Every partition of these topics."""
    return [(topic.name, number) for topic in topics for number in topic.partitions]
