"""Records of Kafka that a sink has not stored yet: waited for before a simulator ends, and counted if in vain."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaException

from shared_features.formats.prediction_log import SOURCE_NAME
from streaming.archive.archived_sources import archived
from streaming.kafka.brokers.topics import Topic, Topics, partitions_of
from streaming.lake.look import LakeLook
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
        self._sources, self._lake = archived(settings).sources, LakeLook(settings.lake)

    def __call__(self) -> Unread | None:
        try:
            topics = self._asked.describe(source.topic for source in self._sources)
            ends = {key: each.high for key, each in self._asked.bounds(partitions_of(topics.values())).items()}
        except KafkaException:
            return None
        left = sum(
            max(0, ends.get(key, 0) - 1 - offset)
            for positions in (*self._stored().values(), self._logged(topics))
            for key, offset in positions.items()
        )
        return Unread(sum(ends.values()), left)

    def _logged(self, topics: Mapping[str, Topic]) -> dict[tuple[str, int], int]:
        """What the archive has of the prediction log, which the definitions do not name."""
        found: dict[tuple[str, int], int] = {}
        for log in self._sources:
            if log.name == SOURCE_NAME and log.topic in topics:
                found |= self._lake.stored_offsets(log, topics[log.topic])
        return found


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
