"""From Kafka records to acceptable events and dead letters: decoder, the rule for stamps, tolerated future and past.

The record alone decides whether it is accepted, so every process decides alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import EventSource
from shared_features.definitions.field_types import MAX_MAGNITUDE
from shared_features.formats.events import EventBatch, record_time_us
from shared_features.kernel.event_time import MILLISECOND_US, spelled_duration, to_text
from streaming.kafka.decoders.registry import decoder_of
from streaming.kafka.records.polled import DeadLetter
from streaming.settings import StreamingSettings

CREATE_TIME, LOG_APPEND_TIME = 1, 2
"""Kafka's types of a record's timestamp; 0 means no timestamp."""

_FEW = 256
_MAX_STAMP_MS = MAX_MAGNITUDE // MILLISECOND_US


@dataclass(frozen=True)
class Records:
    """Records of one partition, side by side: offsets, stamps and their types int64[n], raw values.

    key_of: the key of a row; only dead letters need it.
    """

    topic: str
    partition: int
    offsets: NDArray[np.int64]
    stamps_ms: NDArray[np.int64]
    stamp_types: NDArray[np.int64]
    values: Sequence[bytes | None]
    key_of: Callable[[int], bytes | None]


@dataclass(frozen=True)
class Read:
    """Every record once: as a row of `events` (with its offset) or in `dead`, both by ascending offset."""

    events: EventBatch
    offsets: NDArray[np.int64]
    dead: tuple[DeadLetter, ...]
    record_time_us: int


@dataclass(frozen=True)
class StampRule:
    """Whose clock may stamp records: see the setting `topic_mode`."""

    mode: str
    import_until_us: int | None = None

    @classmethod
    def of(cls, settings: StreamingSettings) -> StampRule:
        return cls(settings.topic_mode, settings.import_until_us)

    def usable(self, records: Records, times_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """bool[n]: whether the record's time counts."""
        sane = (records.stamps_ms >= 0) & (records.stamps_ms <= _MAX_STAMP_MS)
        produced = records.stamp_types == CREATE_TIME
        if self.mode == "live":
            produced = np.zeros(len(sane), np.bool_)
        elif self.mode == "import" and self.import_until_us is not None:
            produced &= times_us <= self.import_until_us
        usable: NDArray[np.bool_] = sane & (produced | (records.stamp_types == LOG_APPEND_TIME))
        return usable

    def refusal(self, stamp_ms: int, stamp_type: int) -> str:
        """Why a record's stamp cannot be used."""
        if stamp_type not in (CREATE_TIME, LOG_APPEND_TIME) or not 0 <= stamp_ms <= _MAX_STAMP_MS:
            return f"no usable record time: {stamp_ms} ms"
        stamp = f"stamped by its producer {to_text(stamp_ms * MILLISECOND_US)}"
        if self.mode == "import" and self.import_until_us is not None:
            return f"{stamp}, but the topic is imported until {to_text(self.import_until_us)}"
        return f"{stamp}, but the topic is live: set its message.timestamp.type to LogAppendTime"


class RecordReader:
    """Reads the records of one source."""

    def __init__(self, source: EventSource, rule: StampRule) -> None:
        self.source = source
        self._decoder = decoder_of(source)
        self._rule = rule
        nothing = self._decoder.decode([])
        self.no_events = EventBatch(source, nothing.columns, nothing.valid, np.empty(0, np.int64))

    def read(self, records: Records) -> Read:
        """The events and dead letters of these records."""
        stamps = np.minimum(np.maximum(records.stamps_ms, -1), _MAX_STAMP_MS)  # clip() takes three times as long
        times_us = record_time_us(stamps, records.stamp_types == LOG_APPEND_TIME)
        usable = self._rule.usable(records, times_us)
        reasons: dict[int, str] = {}
        values, kept = records.values, None
        if not usable.all():
            for row in np.flatnonzero(~usable).tolist():
                reasons[row] = self._rule.refusal(int(records.stamps_ms[row]), int(records.stamp_types[row]))
            kept = np.flatnonzero(usable)
            values = [records.values[row] for row in kept.tolist()]
        decoded = self._decoder.decode(values)
        rows = decoded.rows if kept is None else kept[decoded.rows]
        for fault in decoded.faults:
            reasons[fault.index if kept is None else int(kept[fault.index])] = fault.reason
        events = EventBatch(self.source, decoded.columns, decoded.valid, times_us[rows])
        if not events.acceptable.all():
            reasons |= self._untimely(events, rows)
            rows, events = rows[events.acceptable], events.take(events.acceptable)
        dead = tuple(_dead_letter(records, row, times_us, usable, reasons[row]) for row in sorted(reasons))
        newest = int(times_us[usable].max(initial=-1))
        return Read(events, records.offsets[rows], dead, newest)

    def read_all(self, records: Sequence[Records]) -> list[Read]:
        """What `read` returns for the records of each partition.

        A look at few records costs as much as a look at many, so few records of several partitions are read at once.
        """
        if len(records) == 1 or sum(len(each.values) for each in records) > _FEW:
            return [self.read(each) for each in records]
        together = self.read(_joined(records))
        if together.dead:  # a dead letter names its partition, and takes a row from the events
            return [self.read(each) for each in records]
        found: list[Read] = []
        start = 0
        for each in records:
            end = start + len(each.values)
            events = together.events.take(slice(start, end))
            found.append(Read(events, each.offsets, (), int(events.record_time_us.max(initial=-1))))
            start = end
        return found

    def _untimely(self, events: EventBatch, rows: NDArray[np.int64]) -> dict[int, str]:
        refused = np.flatnonzero(~events.acceptable)
        times = zip(events.event_time_us[refused].tolist(), events.record_time_us[refused].tolist(), strict=True)
        return {
            row: f"{self._why_untimely(event_us, record_us)} - at $.{self.source.event_time}"
            for row, (event_us, record_us) in zip(rows[refused].tolist(), times, strict=True)
        }

    def _why_untimely(self, event_us: int, record_us: int) -> str:
        source = self.source
        if event_us > record_us:
            named, tolerated, side = "future", source.tolerated_future, "after"
        else:
            named, tolerated, side = "past", source.tolerated_past, "before"
        other = source.field(source.event_time).type.in_another_unit(event_us)
        return (
            f"from the {named}: {to_text(event_us)} is more than {spelled_duration(tolerated)} {side} its record time "
            f"{to_text(record_us)}" + (f"; {other}" if other else "")
        )


def _joined(records: Sequence[Records]) -> Records:
    """The records of several partitions, one partition after the other, for a reading that has no dead letters."""
    return Records(
        topic=records[0].topic,
        partition=records[0].partition,
        offsets=np.concatenate([each.offsets for each in records]),
        stamps_ms=np.concatenate([each.stamps_ms for each in records]),
        stamp_types=np.concatenate([each.stamp_types for each in records]),
        values=[value for each in records for value in each.values],
        key_of=lambda row: None,
    )


def _dead_letter(
    records: Records, row: int, times_us: NDArray[np.int64], usable: NDArray[Any], reason: str
) -> DeadLetter:
    offset = int(records.offsets[row])
    where = f"(topic {records.topic}, partition {records.partition}, offset {offset})"
    time_us = int(times_us[row]) if usable[row] else -1
    return DeadLetter(offset, time_us, f"{reason} {where}", records.key_of(row), records.values[row])
