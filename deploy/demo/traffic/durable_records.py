"""What every sink holds durably: for the producer's pace, and in records for the progress bar."""

from __future__ import annotations

from collections.abc import Mapping

from streaming.kafka.brokers.topics import PartitionKey
from streaming.operations.status.positions import DurablePositions
from streaming.settings import StreamingSettings


class DurableRecords:
    """Called as the producer wants it; remembers the last answer."""

    def __init__(self, settings: StreamingSettings) -> None:
        self._look = DurablePositions(settings)
        self._last: Mapping[str, Mapping[PartitionKey, int]] = {}

    def __call__(self) -> Mapping[str, Mapping[PartitionKey, int]]:
        self._last = self._look()
        return self._last

    @property
    def records(self) -> int:
        """How many records every sink has, as of the last look, in topics that began empty."""
        sinks = list(self._last.values())
        partitions = {partition for sink in sinks for partition in sink}
        return sum(min(sink.get(each, -1) for sink in sinks) + 1 for each in partitions)
