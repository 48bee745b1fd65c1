"""What the brokers say of topics: ids, partitions, where each log begins and ends, how they are configured."""

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

from streaming.errors import RefusedError, StoppedWaiting
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

PartitionKey = tuple[str, int]
"""(topic, partition)"""


Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the brokers know it. `id` is another one after it was deleted and created again."""

    name: str
    id: str
    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The offsets a partition's log holds: `low <= offset < high`, transactions still open included."""

    low: int
    high: int


class Topics:
    """Asks the brokers. Every method waits with back-off while they are away, until asked to stop."""

    def __init__(self, settings: StreamingSettings, outage: KafkaOutage | None = None) -> None:
        self._outage = outage or KafkaOutage()
        self._admin = AdminClient(client_options(settings, self._outage))

    def describe(self, names: Iterable[str]) -> dict[str, Topic]:
        """The topics of these names; waits for one that does not exist yet, saying so once."""
        wanted = sorted(set(names))
        missing = {name: Outage(_LOG, _MISSING_TOPIC, "the topic exists now", topic=name) for name in wanted}

        def ask() -> dict[str, Topic]:
            found = {
                name: future.result()
                for name, future in self.ask_for(wanted).items()
                if self._exists(future, missing[name])
            }
            if len(found) < len(wanted):
                raise _NotYet
            return {name: as_topic(description) for name, description in found.items()}

        return self._patiently(ask)

    def bounds(self, partitions: Iterable[PartitionKey]) -> dict[PartitionKey, Bounds]:
        """Where the log of each partition begins and ends."""
        wanted = list(partitions)
        if not wanted:
            return {}

        def ask() -> dict[PartitionKey, Bounds]:
            low, high = (
                self._admin.list_offsets(
                    {TopicPartition(*each): spec for each in wanted},
                    isolation_level=IsolationLevel.READ_UNCOMMITTED,
                    request_timeout=_ANSWER_S,
                )
                for spec in (_EARLIEST, _LATEST)
            )
            lows = {(each.topic, each.partition): future.result().offset for each, future in low.items()}
            return {
                (each.topic, each.partition): Bounds(lows[each.topic, each.partition], future.result().offset)
                for each, future in high.items()
            }

        return self._patiently(ask)

    def config(self, name: str) -> Mapping[str, str]:
        """The topic's configuration; raises RefusedError where the brokers do not tell (the simulator)."""
        resource = ConfigResource(ResourceType.TOPIC, name)

        def ask() -> dict[str, str]:
            try:
                answer = self._admin.describe_configs([resource], request_timeout=_ANSWER_S)[resource].result()
            except KafkaException as error:
                if error.args[0].code() == KafkaError._UNSUPPORTED_FEATURE:
                    raise RefusedError(f"the brokers do not tell how topic {name} is configured") from error
                raise
            return {key: entry.value for key, entry in answer.items()}

        return self._patiently(ask)

    def ask_for(self, names: list[str]) -> dict[str, Future[Any]]:
        """Descriptions to come; does not wait."""
        asked: dict[str, Future[Any]] = self._admin.describe_topics(TopicCollection(names), request_timeout=_ANSWER_S)
        return asked

    def ask_for_ends(self, partitions: Iterable[PartitionKey]) -> dict[PartitionKey, Future[Any]]:
        """Ends of logs to come; does not wait."""
        asked = self._admin.list_offsets(
            {TopicPartition(*each): _LATEST for each in partitions},
            isolation_level=IsolationLevel.READ_UNCOMMITTED,
            request_timeout=_ANSWER_S,
        )
        return {(each.topic, each.partition): future for each, future in asked.items()}

    def _exists(self, future: Future[Any], missing: Outage) -> bool:
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() not in _MISSING:
                raise
            missing.failed()
            return False
        missing.answered()
        return True

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
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
                pass
            else:
                self._outage.answered()
                return answer
            tries.wait()


class _NotYet(Exception):
    """A topic is not there yet."""


def _is_passing(error: KafkaError) -> bool:
    code = error.code()
    return bool(error.retriable()) or (code < 0 and code != KafkaError._UNSUPPORTED_FEATURE)


def as_topic(description: Any) -> Topic:
    """A Topic of confluent-kafka's TopicDescription."""
    return Topic(description.name, str(description.topic_id), tuple(sorted(each.id for each in description.partitions)))
