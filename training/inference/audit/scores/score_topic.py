"""The topic of one view's scores, read from its begin to where it ended when it was opened: committed records alone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple

from shared_features.arguments import did_you_mean
from training.errors import TrainingError
from training.settings import TrainingSettings

_AT_ONCE = 10_000
_POLL_S = 0.5
_ANSWER_S = 15.0
_TRIES = 2
"""A process that was stopped for a while finds its first question timed out."""
_SILENT_S = 60.0
"""So long without a record or an end, while some are left: the brokers are unavailable."""
Bounds = Mapping[int, tuple[int, int]]
"""Per partition the first offset, and the one behind the last."""


class StoredScore(NamedTuple):
    """A record of the topic. value: None of one that has none."""

    partition: int
    offset: int
    value: bytes | None


class ScoreTopic:
    """Raises TrainingError where the brokers cannot be reached, and where the topic does not exist or holds nothing.

    after: per partition the offset to begin at, where earlier records are not wanted; nothing new is then not an error.
    answer_s: how long the brokers may take for an answer.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        name: str,
        after: Mapping[int, int] = MappingProxyType({}),
        answer_s: float = _ANSWER_S,
    ) -> None:
        self.name, self._servers, self._answer_s = name, settings.kafka_bootstrap_servers, answer_s
        self._after = after
        self._consumer = _consumer(settings)
        try:
            self.bounds = self._found()
            self.read_to = {number: first for number, (first, _) in self.bounds.items()}
            """Per partition the offset behind what was read. A transaction that is still open is read another time."""
        except BaseException:
            self._consumer.close()
            raise

    def __enter__(self) -> ScoreTopic:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def batches(self) -> Iterator[list[StoredScore]]:
        """All records, those of a partition in their order. Raises TrainingError where the brokers become silent."""
        from confluent_kafka import TopicPartition

        left = {number: end for number, (first, end) in self.bounds.items() if first < end}
        self._consumer.assign([TopicPartition(self.name, number, self.bounds[number][0]) for number in left])
        heard_s = time.monotonic()
        while left:
            messages = self._consumer.consume(_AT_ONCE, _POLL_S)
            if messages:
                heard_s = time.monotonic()
            elif time.monotonic() - heard_s > _SILENT_S:
                raise TrainingError(
                    f"Kafka at {self._servers} has sent nothing of topic {self.name} for {_SILENT_S:.0f} s. Partitions "
                    f"{', '.join(map(str, left))} are not read to their ends. Audit again when the brokers answer."
                )
            if found := [each for message in messages for each in self._taken(message, left)]:
                yield found

    def _taken(self, message: Any, left: dict[int, int]) -> Iterator[StoredScore]:
        """The record of a message, if it is one of those that were there. left: partition -> its end; loses it."""
        from confluent_kafka import KafkaError, TopicPartition

        error, number, offset = message.error(), message.partition(), message.offset()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            raise TrainingError(
                f"Kafka does not give topic {self.name} ({error.str()}). Correct that, and audit again."
            )
        if number not in left:
            return
        if error is None and offset < left[number]:
            yield StoredScore(number, offset, message.value())
        self.read_to[number] = min(left[number], offset if error is not None else offset + 1)
        if error is not None or offset >= left[number] - 1:  # behind the last record may be markers of transactions
            del left[number]
            self._consumer.pause([TopicPartition(self.name, number)])

    def _found(self) -> Bounds:
        from confluent_kafka import KafkaException

        for left in reversed(range(_TRIES)):
            try:
                ends = self._ends()
            except KafkaException as error:
                if not left:
                    raise TrainingError(
                        f"Kafka at {self._servers} does not answer ({error.args[0].str()}). Start it, or correct "
                        "KAFKA_BOOTSTRAP_SERVERS and MILLRACE_KAFKA_OPTIONS."
                    ) from error
            else:
                break
        if not self._after and all(first >= end for first, end in ends.values()):
            raise TrainingError(f"Topic {self.name} has no scores. Wait until the stream job has scored something.")
        for number, start in self._after.items():
            if start > ends.get(number, (0, 0))[1]:
                raise TrainingError(
                    f"Scores of {self.name} were audited up to offset {start} of partition {number}, and the partition "
                    "is shorter. The topic was re-created. Leave out --new, which audits all that it has."
                )
        return {number: (max(first, self._after.get(number, 0)), end) for number, (first, end) in ends.items()}

    def _ends(self) -> dict[int, tuple[int, int]]:
        """Where each partition begins and ends. Raises TrainingError where there is no topic, KafkaException."""
        from confluent_kafka import TopicPartition

        topic = self._consumer.list_topics(self.name, self._answer_s).topics[self.name]
        if topic.error is not None:
            raise TrainingError(
                f"Kafka at {self._servers} has no topic {self.name} ({topic.error.str()}). Correct "
                "MILLRACE_SCORE_TOPICS, or wait until the stream job has scored something."
            )
        partitions = [TopicPartition(self.name, number) for number in sorted(topic.partitions)]
        return {at.partition: self._consumer.get_watermark_offsets(at, self._answer_s) for at in partitions}


def topic_of(settings: TrainingSettings, view: str | None) -> tuple[str, str]:
    """The view whose scores are meant, and their topic. view: None where there is one. Raises TrainingError."""
    topics = settings.score_topics
    if view is None and len(topics) == 1:
        return next(iter(topics.items()))
    if not topics or view is None:
        named = f"names {', '.join(sorted(topics))}. Choose one by --view" if topics else "is empty"
        raise TrainingError(
            f"MILLRACE_SCORE_TOPICS {named}." + ("" if topics else " Set it as the stream job has it: view -> topic.")
        )
    if view not in topics:
        raise TrainingError(
            f"MILLRACE_SCORE_TOPICS names no topic for view {view!r}. It has {', '.join(sorted(topics))}."
            f"{did_you_mean(view, topics)} Set it as the stream job has it."
        )
    return view, topics[view]


def _consumer(settings: TrainingSettings) -> Any:
    try:
        from confluent_kafka import Consumer  # only here: who audits no scores does without it
    except ImportError as error:
        raise TrainingError(
            "An audit of scores reads Kafka, and confluent-kafka is not installed. Install the extra `millrace[kafka]`."
        ) from error
    return Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap_servers,
            "client.id": "millrace-audit",
            "group.id": "millrace-audit",  # librdkafka requires one; nothing joins or commits
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",  # what retention deletes meanwhile is passed over
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "fetch.queue.backoff.ms": 2,
            "fetch.wait.max.ms": 100,
            "log_level": 2,
            "error_cb": lambda error: None,  # an answer that does not come is told where it is awaited
            **settings.kafka_options,
        }
    )
