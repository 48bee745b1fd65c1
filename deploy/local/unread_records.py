"""Records of Kafka that a sink has not stored yet: waited for before a simulator ends, and counted if in vain."""

from __future__ import annotations

import time
from collections.abc import Callable

from confluent_kafka import KafkaException

from shared_features.definitions import load_definitions
from streaming.kafka.topics import Topics, partitions_of
from streaming.operations.status.positions import DurablePositions
from streaming.settings import StreamingSettings

_NOTHING_MOVES_S = 10.0
_LOOK_EVERY_S = 0.3


def wait_until_read(settings: StreamingSettings, ended: Callable[[], bool]) -> int:
    """Wait until every sink has stored everything, or none stores any more; how many records are left.

    ended: whether the stream job has ended.
    """
    stored, asked = DurablePositions(settings), Topics(settings, within_s=5.0)
    names = {source.topic for source in load_definitions(settings.definitions).sources}
    moved_s, least = time.monotonic(), None
    while True:
        try:
            ends = {key: each.high for key, each in asked.bounds(partitions_of(asked.describe(names).values())).items()}
        except KafkaException:  # it has ended, with all that it held
            return 0
        left = sum(
            max(0, ends.get(key, 0) - 1 - offset)
            for positions in stored().values()
            for key, offset in positions.items()
        )
        if least is None or left < least:
            moved_s, least = time.monotonic(), left
        if not left or ended() or time.monotonic() - moved_s > _NOTHING_MOVES_S:
            return left
        time.sleep(_LOOK_EVERY_S)
