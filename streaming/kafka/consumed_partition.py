"""One partition as a source reads it: how far, and by what reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from streaming.kafka.polled import Polled
from streaming.kafka.record_reader import RecordReader
from streaming.kafka.topics import PartitionKey, Topic


@dataclass
class ConsumedPartition:
    """How far one partition was read: `last` is the last offset covered; `read_at` when, on the monotonic clock."""

    topic: Topic
    number: int
    reader: RecordReader
    last: int
    read_at: float = 0.0

    @property
    def key(self) -> PartitionKey:
        return self.topic.name, self.number

    def polled(self, after: int, to: int, **more: Any) -> Polled:
        """A batch of this partition; without `more` it holds nothing."""
        given = {"events": self.reader.no_events, "offsets": np.empty(0, np.int64), **more}
        return Polled(self.topic.name, self.topic.id, self.number, self.reader.source, after, to, **given)
