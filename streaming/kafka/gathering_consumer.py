"""A consumer that gathers: a record, and what follows it within a time. It is replaced where it brings nothing more."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streaming.job.stopping import stop_requested
from streaming.kafka.brokers.client import KafkaOutage, consumer_options
from streaming.kafka.brokers.topics import PartitionKey
from streaming.kafka.records.messages import Message
from streaming.settings import StreamingSettings

QUIET_POLL_S = 0.1
"""How long a poll waits for its first record; as long as it gathers, where that is longer. A request to stop waits as
long, see `job.stopping`."""
_PATIENT_S = 0.5
"""A reader that gathers so long can wait as long for the brokers to gather."""


class GatheringConsumer:
    """Reads the partitions that are assigned to it. gather_s: how long records are gathered after the first one."""

    def __init__(self, settings: StreamingSettings, outage: KafkaOutage, gather_s: float) -> None:
        self._settings, self._outage, self._gather_s = settings, outage, gather_s
        self.client = self._new_client()

    def gather(self, first_within_s: float) -> list[Message]:
        """The first record and what follows it. `consume` itself would wait for its whole time after the first one."""
        most = self._settings.poll_records
        messages: list[Message] = self.client.consume(1, first_within_s)
        until_s = time.monotonic() + self._gather_s
        left_s = self._gather_s
        while messages and len(messages) < most and left_s > 0 and not stop_requested():
            try:
                messages += self.client.consume(most - len(messages), min(left_s, QUIET_POLL_S))
            except KafkaException as error:  # what came before is not lost
                self._outage.on_error(error.args[0])
                break
            left_s = until_s - time.monotonic()
        return messages

    def assign(self, positions: Iterable[tuple[PartitionKey, int]]) -> None:
        """Read each of these partitions from its offset on, and no other."""
        self.client.assign([TopicPartition(*key, offset) for key, offset in positions])

    def replace(self) -> None:
        """Take a new consumer, to which nothing is assigned yet."""
        # In a thread: a consumer in this state may never end (public report 1726 of confluent-kafka-dotnet).
        threading.Thread(target=self.client.close, name="old-consumer", daemon=True).start()
        self.client = self._new_client()

    def _new_client(self) -> Consumer:
        patient = self._gather_s >= _PATIENT_S
        return Consumer(consumer_options(self._settings, self._outage, patient=patient))

    def close(self) -> None:
        """Close the connection to the brokers."""
        self.client.close()
