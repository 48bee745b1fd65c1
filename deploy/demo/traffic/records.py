"""Kafka records in bulk: what the generator yields and the producer takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

Record = tuple[str, bytes, bytes, int]
"""Topic, key, value, timestamp in milliseconds."""


@dataclass(frozen=True)
class Records:
    """Records in order of arrival, a list per part of them."""

    topics: list[str]
    keys: list[bytes]
    values: list[bytes]
    timestamps_ms: list[int]

    def __len__(self) -> int:
        return len(self.topics)

    def __iter__(self) -> Iterator[Record]:
        return iter(zip(self.topics, self.keys, self.values, self.timestamps_ms, strict=True))


@dataclass
class Truth:
    """What was really sent, to be compared with what the other end counted. It grows while records are taken.

    transactions and labels: accepted events, each once. late: of the transactions, those that arrived more than
    10 minutes after their event time. duplicates: further deliveries of an event. dead: records that
    the stream sets aside. malformed: how many of each kind; one with an unknown field is still a transaction.
    """

    transactions: int = 0
    labels: int = 0
    frauds: int = 0
    late: int = 0
    duplicates: int = 0
    dead: int = 0
    malformed: dict[str, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        return self.transactions + self.labels + self.duplicates + self.dead
