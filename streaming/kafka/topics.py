"""What the brokers say of topics: ids, partitions, where each log begins and ends, how they are configured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import stamina
from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    ConfigResource,
    OffsetSpec,
    ResourceType,
)

from streaming.errors import RefusedError, StoppedWaiting
from streaming.job.stopping import stop_requested
from streaming.kafka.client import Reachability, client_options
from streaming.log import get_log
from streaming.settings import StreamingSettings

_LOG = get_log("topics")
_ANSWER_S = 5.0
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

    def __init__(self, settings: StreamingSettings, reachability: Reachability | None = None) -> None:
        self._reachability = reachability or Reachability()
        self._admin = AdminClient(client_options(settings, self._reachability))

    def describe(self, names: Iterable[str]) -> dict[str, Topic]:
        """The topics of these names; waits for one that does not exist yet, saying so once."""
        wanted = sorted(set(names))
        said: set[str] = set()

        def ask() -> dict[str, Topic]:
            found = {
                name: future.result()
                for name, future in self.ask_for(wanted).items()
                if self._there(name, future, said)
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

    def _there(self, name: str, future: Future[Any], said: set[str]) -> bool:
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() not in _MISSING:
                raise
            if name not in said:
                _LOG.warning("topic does not exist yet, waiting for it", topic=name)
            said.add(name)
            return False
        return True

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        for attempt in stamina.retry_context(
            on=_is_passing,
            attempts=None,
            timeout=None,
            wait_initial=timedelta(seconds=0.1),
            wait_max=timedelta(seconds=2),
        ):
            with attempt:
                if stop_requested():
                    raise StoppedWaiting("asked to stop while waiting for Kafka")
                try:
                    answer = ask()
                except KafkaException as error:
                    self._reachability.on_error(error.args[0])
                    raise
                self._reachability.answered()
                return answer
        raise AssertionError("stamina gave up although it was told not to")


class _NotYet(Exception):
    """A topic is not there yet."""


def _is_passing(error: Exception) -> bool:
    if isinstance(error, KafkaException):
        code = error.args[0].code()
        return bool(error.args[0].retriable()) or (code < 0 and code != KafkaError._UNSUPPORTED_FEATURE)
    return isinstance(error, _NotYet)


def as_topic(description: Any) -> Topic:
    """A Topic of confluent-kafka's TopicDescription."""
    return Topic(description.name, str(description.topic_id), tuple(sorted(each.id for each in description.partitions)))
