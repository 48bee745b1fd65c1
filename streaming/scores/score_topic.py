"""The topic of one view's scores: written in transactions, and read back to learn how far they have come.

The last record of a partition names the event that it is about, so a position stands in the transaction that moves it.
A process that opens the topic fences every earlier writer of it: the brokers end its open transaction, and take nothing
of it any more. So what is read back then is final. (The simulator fences nobody. There the lease keeps writers apart.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from confluent_kafka import KafkaError, KafkaException, Producer

from shared_features.formats.scored_event import ScoredEvent, decode_scored_event
from streaming.errors import RefusedError, RestartNeeded
from streaming.job.backoff import Backoff, Tries
from streaming.kafka.brokers.client import KafkaOutage, client_options
from streaming.kafka.brokers.topics import Topics
from streaming.scores.newest_records import newest_records
from streaming.settings import StreamingSettings

TRANSACTION_MS = 30_000
"""Then the brokers end the transaction of a process that stands still. Readers of committed records wait for it."""
_ANSWER_S = 5.0
_BACKOFF = Backoff(first_s=0.1, longest_s=2.0)
_WHILE_STOPPING = 3
_NOT_ALLOWED = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
)

Record = tuple[int, bytes, bytes]
"""Partition, key and value."""


class ScoreTopic:
    """view: its name. Opening waits until the topic exists and the brokers answer."""

    def __init__(self, settings: StreamingSettings, view: str, partitions: Iterable[int]) -> None:
        """partitions: of the view's events. Raises RefusedError where the topic has fewer."""
        self._settings, self.name = settings, settings.score_topics[view]
        self._outage = KafkaOutage()
        self._topics = Topics(settings, self._outage)
        self.partitions = tuple(partitions)
        found = self._topics.describe([self.name])[self.name]
        if lacking := set(self.partitions) - set(found.partitions):
            raise RefusedError(
                f"Topic {self.name} of the scores has {len(found.partitions)} partitions, and the events of view "
                f"{view} come in {len(self.partitions)}. Partition {min(lacking)} is missing. Add partitions to it"
            )
        self._id = f"millrace-scores-{settings.redis_namespace}-{view}"
        options = {
            "transactional.id": self._id,
            "transaction.timeout.ms": TRANSACTION_MS,
            "compression.type": "lz4",
            "linger.ms": 0,
        }
        self._producer = Producer({**client_options(settings, self._outage), **options})
        self._patiently(lambda: self._producer.init_transactions(_ANSWER_S))

    def written(self) -> dict[int, ScoredEvent]:
        """The last score of each partition that has any. Raises RefusedError where the topic holds something else."""
        keys = [(self.name, number) for number in self.partitions]
        newest = newest_records(self._settings, self._outage, self._topics.bounds(keys))
        return {number: decode_scored_event(value) for (_, number), value in newest.items()}

    def write(self, records: Iterable[Record]) -> None:
        """All of them or none. Raises RestartNeeded where it is not known which: then they are read back."""
        self._patiently(self._producer.begin_transaction)
        for partition, key, value in records:
            self._producer.produce(self.name, value, key, partition)
        self._patiently(lambda: self._producer.commit_transaction(_ANSWER_S))

    def _patiently(self, call: Callable[[], object]) -> None:
        """Repeat a call that may be repeated, while the brokers are unavailable."""
        stopped = "asked to stop while Kafka is unavailable; what was not scored is read again"
        tries = Tries(_BACKOFF, stopped, while_stopping=_WHILE_STOPPING)
        while True:
            try:
                call()
            except KafkaException as error:
                found = error.args[0]
                if found.code() in _NOT_ALLOWED:
                    raise RefusedError(
                        f"Kafka does not let this job write scores ({found.str()}). Allow it to write to topic "
                        f"{self.name} and to the transactional id {self._id}"
                    ) from error
                if not found.retriable():
                    raise RestartNeeded(f"scores of topic {self.name} were not written ({found.str()})") from error
                self._outage.failed(error=found.str())
                tries.wait()
            else:
                self._outage.answered()
                return
