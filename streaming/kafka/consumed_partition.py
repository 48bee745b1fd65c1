"""One partition that a source reads: its reader, and how far it was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from streaming.kafka.brokers.topics import PartitionKey, Topic
from streaming.kafka.records.polled import Polled
from streaming.kafka.records.record_reader import RecordReader


@dataclass
class ConsumedPartition:
    """How far one partition was read. `last`: the last offset covered. `read_at`: when, on the monotonic clock."""

    topic: Topic
    number: int
    reader: RecordReader
    last: int
    read_at: float = 0.0

    @property
    def key(self) -> PartitionKey:
        return self.topic.name, self.number

    def polled(self, after: int, to: int, **more: Any) -> Polled:
        """A batch of this partition. Without `more` the batch is empty."""
        given = {"events": self.reader.no_events, "offsets": np.empty(0, np.int64), **more}
        return Polled(self.topic.name, self.topic.id, self.number, self.reader.source, after, to, **given)
