"""One look at the brokers, without waiting for them: for status and check, which say what cannot be reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec, ResourceType

from streaming.kafka.client import client_options
from streaming.kafka.topics import Bounds, PartitionKey, Topic, as_topic
from streaming.settings import StreamingSettings

_MISSING = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)
_NOT_TOLD = (KafkaError._UNSUPPORTED_FEATURE, KafkaError.UNSUPPORTED_VERSION, KafkaError.INVALID_REQUEST)


class KafkaLook:
    """Every method answers within the time or raises KafkaException."""

    def __init__(self, settings: StreamingSettings, within_s: float = 5.0) -> None:
        self._within_s = within_s
        # No callback would write each failed connection to standard error; who asked gets the exception.
        options: dict[str, Any] = {**client_options(settings), "error_cb": lambda error: None}
        self._admin = AdminClient(options)

    def topics(self, names: Iterable[str]) -> dict[str, Topic]:
        """The topics of these names that exist."""
        asked = self._admin.describe_topics(TopicCollection(sorted(set(names))), request_timeout=self._within_s)
        found = {}
        for name, future in asked.items():
            try:
                found[name] = as_topic(future.result())
            except KafkaException as error:
                if error.args[0].code() not in _MISSING:
                    raise
        return found

    def bounds(self, topics: Iterable[Topic]) -> dict[PartitionKey, Bounds]:
        """Where the log of each of their partitions begins and ends."""
        partitions = [TopicPartition(topic.name, number) for topic in topics for number in topic.partitions]
        if not partitions:
            return {}
        specs: list[Any] = [OffsetSpec.earliest(), OffsetSpec.latest()]  # type: ignore[no-untyped-call]
        low, high = (
            self._admin.list_offsets(
                dict.fromkeys(partitions, spec),
                isolation_level=IsolationLevel.READ_UNCOMMITTED,
                request_timeout=self._within_s,
            )
            for spec in specs
        )
        lows = {(each.topic, each.partition): future.result().offset for each, future in low.items()}
        return {
            (each.topic, each.partition): Bounds(lows[each.topic, each.partition], future.result().offset)
            for each, future in high.items()
        }

    def config(self, name: str) -> Mapping[str, str] | None:
        """The topic's configuration; None where the brokers do not tell, as the simulator."""
        resource = ConfigResource(ResourceType.TOPIC, name)
        try:
            entries = self._admin.describe_configs([resource], request_timeout=self._within_s)[resource].result()
        except KafkaException as error:
            if error.args[0].code() in _NOT_TOLD:
                return None
            raise
        return {key: entry.value for key, entry in entries.items()}
