"""How the first rows of a file fit a source: what is read as what, and which rows would be dead letters and why.

The reader of the stream itself decides, so its answer is the stream's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from shared_features.counted import counted
from shared_features.definitions.field_types import Decimal, Integer
from shared_features.kernel.event_time import MILLISECOND_US
from streaming.kafka.records.record_reader import CREATE_TIME, LOG_APPEND_TIME, Read, RecordReader, Records, StampRule
from streaming.operations.produce.rows.file_rows import Row
from streaming.operations.produce.rows.row_encoder import RowEncoder
from streaming.operations.produce.rows.wire_values import has_decimal_comma
from streaming.settings import StreamingSettings

_PLACE = re.compile(r" \(topic .*\)$")


@dataclass(frozen=True)
class Fit:
    """Of the rows that were tried: how many are events, how many repeat another, and why the others are not."""

    rows: int
    events: int
    repeated: int
    refused: Counter[str]


def tried(encoder: RowEncoder, rows: Sequence[Row], settings: StreamingSettings, now_us: int) -> Fit:
    """Whether the stream accepts the rows, if they are sent now."""
    return fit_of(read_rows(encoder, rows, settings, now_us), len(rows))


def fit_of(read: Read, rows: int) -> Fit:
    """How the records of so many rows were read."""
    refused = Counter(_kind(letter.reason) for letter in read.dead)
    return Fit(rows, len(read.events), len(read.events) - len(np.unique(read.events.digest)), refused)


def read_rows(encoder: RowEncoder, rows: Sequence[Row], settings: StreamingSettings, now_us: int) -> Read:
    """What the stream makes of the rows, if they are sent now."""
    return RecordReader(encoder.source, StampRule.of(settings)).read(records_of(encoder, rows, settings, now_us))


def records_of(encoder: RowEncoder, rows: Sequence[Row], settings: StreamingSettings, now_us: int) -> Records:
    """The rows as Kafka would hand them out."""
    live = settings.topic_mode == "live"
    values, stamps = [], []
    for row in rows:
        known_us, _, value = encoder.encode(row)
        values.append(value)
        stamps.append(stamp_ms(now_us if live else known_us, now_us))
    count = len(values)
    return Records(
        encoder.source.topic,
        0,
        np.arange(count, dtype=np.int64),
        np.array(stamps, np.int64),
        np.full(count, LOG_APPEND_TIME if live else CREATE_TIME, np.int64),
        values,
        key_of=lambda _: None,
    )


def stamp_ms(known_us: int | None, now_us: int) -> int:
    """The stamp of a record: when it became known, and never later than now."""
    return min(now_us if known_us is None else known_us, now_us) // MILLISECOND_US


def _kind(reason: str) -> str:
    """A reason without its place and its values, so that equal faults count together."""
    kind = _PLACE.sub("", reason)
    kind = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", kind)
    return re.sub(r"(out of bounds \S+ to \S+): .*? - at", r"\1 - at", kind)


def fit_lines(encoder: RowEncoder, rows: Sequence[Row], fit: Fit, unsent: Iterable[str] = ()) -> Iterator[str]:
    """The table that a person reads. unsent: what is said of columns that are not sent."""
    source = encoder.source
    lines = [("field", "column", "found", "becomes")]
    for field in source.fields:
        column = encoder.columns.get(field.name)
        found = "" if column is None else _found(column, encoder, rows)
        becomes = f"{type(field.type).__name__}: {field.type.words}" + (", may be missing" if field.optional else "")
        lines.append((field.name, column or "(none)", found, becomes))
    widths = [max(len(line[at]) for line in lines) for at in range(3)]
    for line in lines:
        yield "  ".join([*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[3]]).rstrip()
    yield from unsent
    again = "repeats another and counts once" if fit.repeated == 1 else "repeat another and count once"
    repeats = f", {fit.repeated:,} of them {again}" if fit.repeated else ""
    events = "is an event" if fit.events == 1 else "are events"
    yield f"of the first {counted(fit.rows, 'row')}, {fit.events:,} {events}{repeats}"
    for reason, count in fit.refused.most_common():
        yield f"  {count:,} would be {'a dead letter' if count == 1 else 'dead letters'}: {reason}"
    yield from _comma_lines(encoder, rows)


def _comma_lines(encoder: RowEncoder, rows: Sequence[Row]) -> Iterator[str]:
    """What to do about numbers that are written with a decimal comma."""
    for field in encoder.source.fields:
        column = encoder.columns.get(field.name)
        if column is None or encoder.reading.decimal_comma or not isinstance(field.type, Decimal | Integer):
            continue
        found = [row[column] for row in rows if has_decimal_comma(row.get(column))]
        if found:
            where = counted(len(found), "row")
            yield f"  {column} has decimal commas in {where}, such as {found[0]}: add --decimal-comma"


def _found(column: str, encoder: RowEncoder, rows: Sequence[Row]) -> str:
    kinds = Counter(type(value).__name__ for row in rows if (value := row.get(column)) is not None)
    missing = sum(row.get(column) is None for row in rows)
    words = " or ".join(kind for kind, _ in kinds.most_common()) or "nothing"
    if unit := encoder.epochs.get(column):
        words += f" (epoch in {unit})"
    return words + (f", {missing:,} missing" if missing else "")
