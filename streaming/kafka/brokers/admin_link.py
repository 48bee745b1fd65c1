"""The admin client of a process: what it asks the brokers. After a failure a new client takes its place.

librdkafka 2.16 does not learn of a new leader from the answers to its admin questions. (Seen, two brokers, one of them
frozen for 8 s: `list_offsets` failed with FENCED_LEADER_EPOCH for as long as anybody waited, and `describe_topics` with
"waiting for controller", while a new client answered in 0.05 s.)
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec, ResourceType

EARLIEST, LATEST = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]  # untyped there
_LONGER_S = 1.0
"""librdkafka gives every question up after its time. So much later this program gives up without it."""
_APART_S = 2.0
_KEPT_S = 15.0
"""So long a replaced client lives on: a question that it has not answered when it ends may never be answered."""
NO_ANSWER_WITHIN_S = 15.0
"""Every question has its answer or its error long before. After so long there is none, whatever librdkafka does."""

PartitionKey = tuple[str, int]
"""(topic, partition)"""


class AdminLink:
    """Questions to the brokers. Each method gives futures and does not wait. `answer_s`: time for an answer."""

    def __init__(self, options: dict[str, Any], answer_s: float) -> None:
        self._options, self.answer_s = options, answer_s
        self._admin = AdminClient(options)
        self._renewed_at = float("-inf")
        self._replaced: list[tuple[float, AdminClient]] = []

    def renew(self) -> None:
        """Call this after a failure. Takes a new client, at most one in two seconds. The old one still answers."""
        now_s = time.monotonic()
        self._replaced = [each for each in self._replaced if now_s - each[0] < _KEPT_S]
        if now_s - self._renewed_at >= _APART_S:
            self._replaced.append((now_s, self._admin))
            self._admin = AdminClient(self._options)
            self._renewed_at = now_s

    def describe(self, names: list[str]) -> dict[str, Future[Any]]:
        asked: dict[str, Future[Any]] = self._admin.describe_topics(
            TopicCollection(names), request_timeout=self.answer_s
        )
        return asked

    def offsets(self, partitions: Iterable[PartitionKey], spec: Any) -> dict[PartitionKey, Future[Any]]:
        """EARLIEST or LATEST: where logs begin or end, including transactions that are still open."""
        asked = self._admin.list_offsets(
            {TopicPartition(*each): spec for each in partitions},
            isolation_level=IsolationLevel.READ_UNCOMMITTED,
            request_timeout=self.answer_s,
        )
        return {(each.topic, each.partition): future for each, future in asked.items()}

    def config(self, topic: str) -> Future[Any]:
        resource = ConfigResource(ResourceType.TOPIC, topic)
        asked: Future[Any] = self._admin.describe_configs([resource], request_timeout=self.answer_s)[resource]
        return asked

    def answer(self, future: Future[Any]) -> Any:
        """What a future brings. Raises KafkaException, also if nothing comes."""
        try:
            return future.result(self.answer_s + _LONGER_S)
        except FutureTimeout:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the client gave no answer in time")) from None


def offset_in(answer: Any) -> int:
    """The offset in the answer to a question for one. Raises KafkaException if there is none.

    librdkafka says -1001, and no error, for a partition whose leader did not answer in time.
    """
    offset = int(answer.offset)
    if offset < 0:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the partition's leader gave no answer in time"))
    return offset
