"""Records of Kafka that a sink has not stored yet: waited for before a simulator ends, and counted if in vain."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaException

from shared_features.definitions import EventSource
from shared_features.formats.offline_tables import events_table
from shared_features.formats.prediction_log import SOURCE_NAME
from streaming.archive.archived_sources import archived
from streaming.archive.stored_log import refuse_other_log
from streaming.errors import RefusedError
from streaming.kafka.brokers.topics import PartitionKey, Topic, Topics, partitions_of
from streaming.lake.look import LakeLook
from streaming.operations.status.positions import DurablePositions
from streaming.settings import StreamingSettings

_NOTHING_MOVES_S = 10.0
_LOOK_EVERY_S = 0.3


@dataclass(frozen=True)
class Unread:
    """sent: the records that the logs were ever given. left: those of them that some sink has not stored, each once
    for each sink. left_out: those of the prediction log that no sink will store, as the archive cannot take it.
    """

    sent: int
    left: int
    left_out: int = 0


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

        def behind(positions: Mapping[PartitionKey, int]) -> int:
            return sum(max(0, ends.get(key, 0) - 1 - offset) for key, offset in positions.items())

        left, left_out = sum(map(behind, self._stored().values())), 0
        for log in self._sources:  # the definitions do not name the prediction log
            if log.name == SOURCE_NAME and (topic := topics.get(log.topic)) is not None:
                unstored = behind(self._lake.stored_offsets(log, topic))
                left, left_out = (left, unstored) if self._refuses(log, topic) else (left + unstored, 0)
        return Unread(sum(ends.values()), left, left_out)

    def _refuses(self, log: EventSource, topic: Topic) -> bool:
        """Whether the archive leaves the log out: `archive.archived_sources`."""
        table = self._lake.table(events_table(log))
        if table is None:
            return False
        try:
            refuse_other_log(table, log, [(topic.name, topic.id)])
        except RefusedError:
            return True
        return False


def wait_until_read(settings: StreamingSettings, ended: Callable[[], bool]) -> int:
    """Wait until every sink has stored what it takes, or none stores any more; how many records are left, and left out.

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
            return found.left + found.left_out
        time.sleep(_LOOK_EVERY_S)
