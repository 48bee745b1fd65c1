"""The status as text: small tables, and what was unavailable."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from shared_features.kernel.event_time import to_datetime
from streaming.operations.status.answer import (
    GroupStatus,
    LatenessBucket,
    PartitionStatus,
    ScoresStatus,
    SourceStatus,
    Status,
    WaitStatus,
)
from streaming.operations.status.shard import shards_text
from streaming.operations.status.side_by_side import side_by_side

_UNKNOWN, _GAP = "-", "  "
Lines = Sequence[Sequence[str]]
"""A head and its rows, as cells."""
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def status_table(status: Status, width: int | None = None) -> str:
    """Several lines without colours. A dash means "not known" or "not yet". width: of the screen, if there is one."""
    parts = [f"streaming at {instant_text(status.at_us)}"]
    parts += [f"  ! {part}: {reason}" for part, reason in status.away.items()]
    parts += [f"  ~ {wait_text(each, status.at_us)}" for each in status.waits]
    tables = (
        (_sources(status.sources), ()),
        (_lateness(status.sources), ()),
        (_partitions(status.sources), (1,)),
        (_groups(status.groups), (5,)),
        *([(_scores(status.scores), ())] if status.scores else []),
    )
    return "\n".join([*parts, *(line for lines, names in tables for line in ("", *_drawn(lines, width, names)))])


def wait_text(wait: WaitStatus, now_us: int) -> str:
    """What a process waits for, since when, and why."""
    why = f" ({wait.why})" if wait.why else ""
    return (
        f"{wait.process}: {wait.what} since {instant_text(wait.since_us)}, {age((now_us - wait.since_us) / 1e6)}{why}"
    )


def _sources(sources: Sequence[SourceStatus]) -> Lines:
    head = ("source", "topic", "archived", "late", "duplicates", "dead letters", "watermark")
    rows = [
        (
            each.source,
            each.topic,
            count(each.events),
            count(each.late),
            count(each.duplicates),
            count(each.dead_letters),
            instant_text(each.watermark_us),
        )
        for each in sources
    ]
    return [head, *rows]


def _lateness(sources: Sequence[SourceStatus]) -> Lines:
    counted = [each for each in sources if each.lateness]
    if not counted:
        return [("(no events are stored yet)",)]
    rows = [(each.source, *(count(bucket.events) for bucket in each.lateness)) for each in counted]
    return [("late by up to", *map(_bucket, counted[0].lateness)), *rows]


def _bucket(bucket: LatenessBucket) -> str:
    """The upper end of a bucket. A star marks events that are later than allowed."""
    if bucket.upto_s is None:
        return "more *"
    unit, seconds = next((each for each in _UNITS if bucket.upto_s >= each[1]), _UNITS[-1])
    return f"{bucket.upto_s / seconds:.4g} {unit}" + (" *" if bucket.late else "")


def _partitions(sources: Sequence[SourceStatus]) -> Lines:
    head = ("topic", "partition", "log start", "log end", "online", "lag", "archive", "lag")
    rows = [
        (source.topic, str(each.partition), count(each.log_start), count(each.log_end), *_sinks(each))
        for source in sources
        for each in source.partitions
    ]
    return [head, *rows]


def _groups(groups: Sequence[GroupStatus]) -> Lines:
    head = ("group", "shards", "lag", "freshness", "last commit", "on", "feature rows", "complete up to")
    rows = [
        (*_shards(each), spine, count(each.feature_rows.get(spine)), instant_text(each.cut_us.get(spine)))
        for each in groups
        for spine in each.cut_us or {_UNKNOWN: None}
    ]
    return [head, *rows]


def _scores(scores: Sequence[ScoresStatus]) -> Lines:
    return [("scores of view", "topic", "lag"), *((each.view, each.topic, count(each.lag)) for each in scores)]


def _sinks(partition: PartitionStatus) -> list[str]:
    pairs = [(partition.sinks.get(sink), partition.lag(sink)) for sink in ("online", "archive")]
    return [count(number) for pair in pairs for number in pair]


def _shards(group: GroupStatus) -> tuple[str, ...]:
    shards = shards_text(group.shards) if group.shards else _UNKNOWN
    return group.group, shards, count(group.lag), age(group.freshness_s), age(group.committed_age_s)


def _drawn(lines: Lines, width: int | None, names: Collection[int]) -> Iterator[str]:
    """names: numbers of the columns that name the rows, besides the first."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for part, columns in enumerate(side_by_side(widths, len(_GAP), width, names=names)):
        if part:
            yield ""
        for line in lines:
            yield _GAP.join(line[number].ljust(widths[number]) for number in columns).rstrip()


def count(number: int | None) -> str:
    """A number, or a dash."""
    return _UNKNOWN if number is None else f"{number:,}"


def age(seconds: float | None) -> str:
    """A length of time, or a dash."""
    if seconds is None:
        return _UNKNOWN
    return f"{seconds:.1f} s" if seconds < 600 else f"{seconds / 3600:,.1f} h"


def instant_text(time_us: int | None) -> str:
    """An instant, or a dash."""
    return _UNKNOWN if time_us is None or time_us <= 0 else to_datetime(time_us).strftime("%Y-%m-%d %H:%M:%S")
