"""The answer of `status`: where every part stands."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from streaming.operations.status.shard import ShardStatus


@dataclass(frozen=True)
class PartitionStatus:
    """Offsets of one partition: the log's first and end (exclusive), and the last one of each sink. None: not known."""

    partition: int
    log_start: int | None
    log_end: int | None
    sinks: dict[str, int | None]

    def lag(self, sink: str) -> int | None:
        """The number of offsets that the sink has not stored yet."""
        position = self.sinks.get(sink)
        if position is None or self.log_end is None or self.log_start is None:
            return None
        return max(0, self.log_end - max(position + 1, self.log_start))


@dataclass(frozen=True)
class LatenessBucket:
    """Stored events with at most this lateness, and more than the previous bucket. `late`: more than is allowed."""

    upto_s: float | None
    events: int
    late: bool


@dataclass(frozen=True)
class SourceStatus:
    """One event source. Counts are from the events table: late by the allowed lateness, duplicates by content.

    late_counted: how many of the late ones count; the others are repeated, or were older than every window when they
    came. dead_letter_reasons: how many there are of each kind of reason, the most frequent first.
    """

    source: str
    topic: str
    partitions: list[PartitionStatus] = field(default_factory=list)
    events: int | None = None
    late: int | None = None
    late_counted: int | None = None
    duplicates: int | None = None
    dead_letters: int | None = None
    dead_letter_reasons: dict[str, int] = field(default_factory=dict)
    watermark_us: int | None = None
    lateness: list[LatenessBucket] = field(default_factory=list)


@dataclass(frozen=True)
class GroupStatus:
    """One feature group. lag: offsets that its slowest shard has not applied. freshness_s: record time between the
    newest data of its slowest shard and now, seconds. cut_us and feature_rows: per spine source.
    """

    group: str
    shards: list[ShardStatus]
    lag: int | None
    freshness_s: float | None
    committed_age_s: float | None
    cut_us: dict[str, int | None]
    feature_rows: dict[str, int | None]


@dataclass(frozen=True)
class ScoresStatus:
    """The scores of one view's events. lag: offsets without a score, from the first one that is to have one. None: not
    known, or nothing was ever scored.
    """

    view: str
    topic: str
    lag: int | None


@dataclass(frozen=True)
class WaitStatus:
    """A wait of one process, as the process itself told it in Redis. `process`: host, program, number of the worker."""

    process: str
    what: str
    why: str
    since_us: int


@dataclass(frozen=True)
class Status:
    """away: what was unavailable, and why. waits: what the processes of the job wait for, the longest wait first."""

    at_us: int
    away: dict[str, str]
    waits: list[WaitStatus]
    sources: list[SourceStatus]
    groups: list[GroupStatus]
    scores: list[ScoresStatus] = field(default_factory=list)


def status_json(status: Status) -> dict[str, Any]:
    """The status as plain data, with the lag of each sink beside its position."""
    plain = asdict(status)
    for source, filled in zip(status.sources, plain["sources"], strict=True):
        for partition, row in zip(source.partitions, filled["partitions"], strict=True):
            row["lag"] = {sink: partition.lag(sink) for sink in partition.sinks}
    return plain
