"""Records of Kafka that a sink has not stored yet: waited for before a simulator ends, and counted if in vain."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import KafkaException

from shared_features.definitions import load_definitions
from streaming.kafka.brokers.topics import Topics, partitions_of
from streaming.operations.status.positions import DurablePositions
from streaming.settings import StreamingSettings

_NOTHING_MOVES_S = 10.0
_LOOK_EVERY_S = 0.3


@dataclass(frozen=True)
class Unread:
    """sent: the records that the logs were ever given. left: those of them that some sink has not stored, each once
    for each sink.
    """

    sent: int
    left: int


class UnreadRecords:
    """Called: how many there are. None while Kafka cannot be reached."""

    def __init__(self, settings: StreamingSettings) -> None:
        self._stored, self._asked = DurablePositions(settings), Topics(settings, within_s=5.0)
        self._names = {source.topic for source in load_definitions(settings.definitions).sources}

    def __call__(self) -> Unread | None:
        try:
            topics = self._asked.describe(self._names).values()
            ends = {key: each.high for key, each in self._asked.bounds(partitions_of(topics)).items()}
        except KafkaException:
            return None
        left = sum(
            max(0, ends.get(key, 0) - 1 - offset)
            for positions in self._stored().values()
            for key, offset in positions.items()
        )
        return Unread(sum(ends.values()), left)


def wait_until_read(settings: StreamingSettings, ended: Callable[[], bool]) -> int:
    """Wait until every sink has stored everything, or none stores any more; how many records are left.

    ended: whether the stream job has ended.
    """
    count = UnreadRecords(settings)
    moved_s, least = time.monotonic(), None
    while True:
        found = count()
        if found is None:  # Kafka has ended, with all that it held
            return 0
        if least is None or found.left < least:
            moved_s, least = time.monotonic(), found.left
        if not found.left or ended() or time.monotonic() - moved_s > _NOTHING_MOVES_S:
            return found.left
        time.sleep(_LOOK_EVERY_S)
