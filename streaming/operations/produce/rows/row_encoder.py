"""From a row of a file to a record of a source: which column is which field, and the bytes of the event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from shared_features.arguments import did_you_mean
from shared_features.definitions import Catalogue, EventSource
from shared_features.definitions.field_types import Decimal, Integer, Timestamp
from streaming.errors import RefusedError
from streaming.kafka.decoders.field_spelling import spelling
from streaming.kafka.decoders.registry import event_format
from streaming.operations.produce.rows.file_rows import UNREADABLE, Row
from streaming.operations.produce.rows.wire_values import Convert, converter, epoch_unit, instant_us, with_point

ROW_NUMBER = "#row"
"""The column that --map may name where a file has none: the number of the row in the file, from 1."""
_NOT_OF_THE_FILE = (UNREADABLE, ROW_NUMBER)
_NUMBER_THEM = (
    " It is the event id, by which an event that is sent again counts once. If no column differs in every row, number "
    f"the rows with --map {{}}={ROW_NUMBER}, and leave their order in the file as it is."
)


@dataclass(frozen=True)
class Reading:
    """How a file is to be read: columns of fields that are named otherwise, and what times mean.

    arrival: the column that says when a row became known; None is the event time. known_after_us: it became known so
    much later. moved_us: by how much all times of the source are moved. decimal_comma: whether "1.234,50" is a number.
    """

    columns: Mapping[str, str]
    zone: tzinfo = UTC
    epoch: str | None = None
    arrival: str | None = None
    known_after_us: int = 0
    moved_us: int = 0
    decimal_comma: bool = False


class RowEncoder:
    """Encodes the rows of one file for one source. `sample`: its first rows; units of times are guessed from them."""

    def __init__(self, source: EventSource, key: Sequence[str], sample: Sequence[Row], reading: Reading) -> None:
        encode = event_format(source.format).encode
        if encode is None:
            raise RefusedError(
                f"Event source {source.name} has the format {source.format}, and its EventFormat has no `encode`. "
                "Give it one, or let the producer of the topic send these rows."
            )
        self.source, self.reading = source, reading
        self._encode = encode
        self._key = key
        self.seen = list(dict.fromkeys(name for row in sample for name in row if name not in _NOT_OF_THE_FILE))
        self.columns = self._matched()
        self.epochs = {
            column: reading.epoch or epoch_unit(row.get(column) for row in sample) for column in self._time_columns()
        }
        self._convert = {name: self._conversion(name, column) for name, column in self.columns.items()}
        self._names = {*self.seen, *_NOT_OF_THE_FILE}
        self.late: list[str] = []
        """The columns that no field takes and that no row of the sample has."""

    def encode(self, row: Row) -> tuple[int | None, bytes, bytes]:
        """The instant at which the row became known (None: it names none), the key, the event."""
        if UNREADABLE in row:
            return None, b"", row[UNREADABLE].encode("utf-8", "replace")
        if not row.keys() <= self._names:
            self._learn(row)
        event = {name: convert(row.get(column)) for name, (column, convert) in self._convert.items()}
        if self.reading.moved_us:
            event = {name: self._moved(name, value) for name, value in event.items()}
        known = self._known_us(row)
        key = "|".join(str(event.get(name)) for name in self._key)
        return known, key.encode(), self._encode({name: value for name, value in event.items() if value is not None})

    @property
    def ignored(self) -> list[str]:
        """The columns that no field takes."""
        return [name for name in self.seen if name not in self.columns.values() and name != self.reading.arrival]

    def _learn(self, row: Row) -> None:
        """Look at columns that no row had before. A missing value says nothing: its column is looked at again."""
        for column in [name for name, value in row.items() if name not in self._names and value is not None]:
            self._names.add(column)
            self.seen.append(column)
            field = self._field_of(column)
            if field is None:
                self.late.append(column)
                continue
            self.columns[field] = column
            if isinstance(self.source.field(field).type, Timestamp):
                self.epochs[column] = self.reading.epoch or epoch_unit([row[column]])
            self._convert[field] = self._conversion(field, column)

    def _field_of(self, column: str) -> str | None:
        """The field that takes a late column: one without a column, and whose name no other column shares."""
        alike = [name for name in self.seen if spelling(name) == spelling(column)]
        for field in self.source.fields:
            same = column == field.name or (alike == [column] and spelling(column) == spelling(field.name))
            if same and field.name not in self.columns:
                return field.name
        return None

    def _conversion(self, field: str, column: str) -> tuple[str, Convert]:
        kind = self.source.field(field).type
        convert = converter(kind, self.reading.zone, self._epoch(field, column))
        if self.reading.decimal_comma and isinstance(kind, Decimal | Integer):
            return column, lambda value: convert(with_point(value))
        return column, convert

    def _known_us(self, row: Row) -> int | None:
        """A row that does not say when it became known was known at its event time, or so long after that."""
        column = self.reading.arrival
        if column is None or row.get(column) in (None, ""):
            column = self.columns[self.source.event_time]
        found = self._instant_us(row, column)
        return None if found is None else found + self.reading.known_after_us

    def happened_us(self, row: Row) -> int | None:
        """The event time of a row, whatever --arrival says. None: it names none."""
        return self._instant_us(row, self.columns[self.source.event_time])

    def _instant_us(self, row: Row, column: str) -> int | None:
        found = instant_us(row.get(column), self.reading.zone, self.epochs.get(column) or "us")
        return None if found is None else found + self.reading.moved_us

    def _moved(self, name: str, value: Any) -> Any:
        kind = self.source.field(name).type
        found = instant_us(value, UTC, kind.unit) if isinstance(kind, Timestamp) and kind.unit != "rfc3339" else None
        if isinstance(kind, Timestamp) and kind.unit == "rfc3339":
            found = instant_us(value, UTC, "us") if isinstance(value, str) else None
        if found is None:
            return value
        return converter(kind, UTC, "us")(found + self.reading.moved_us)

    def _epoch(self, field: str, column: str) -> str:
        kind = self.source.field(field).type
        declared = kind.unit if isinstance(kind, Timestamp) and kind.unit != "rfc3339" else "us"
        return self.epochs.get(column) or declared

    def _time_columns(self) -> set[str]:
        found = {column for name, column in self.columns.items() if isinstance(self.source.field(name).type, Timestamp)}
        return found | ({self.reading.arrival} if self.reading.arrival else set())

    def _matched(self) -> dict[str, str]:
        """Field -> column. Raises RefusedError for a required field, or a named column, that the file lacks."""
        spelled: dict[str, list[str]] = {}
        for name in self.seen:
            spelled.setdefault(spelling(name), []).append(name)
        found: dict[str, str] = {}
        faults: list[str] = []
        for field in self.source.fields:
            column = self.reading.columns.get(field.name)
            near = spelled.get(spelling(field.name), [])
            if column is None:
                column = field.name if field.name in self.seen else near[0] if len(near) == 1 else None
            elif column not in (*self.seen, ROW_NUMBER):
                faults.append(f"--map names column {column}, which it lacks.{did_you_mean(column, self.seen)}")
            if column is not None:
                found[field.name] = column
            elif not field.optional:
                advice = _NUMBER_THEM.format(field.name) if field.name == self.source.event_id else ""
                faults.append(
                    f"it has no column for the field {field.name}.{did_you_mean(field.name, self.seen)}{advice}"
                )
        faults += [f"--map names {name}, which is not a field" for name in self.reading.columns if not self._is(name)]
        if self.reading.arrival is not None and self.reading.arrival not in self.seen:
            arrival = self.reading.arrival
            faults.append(f"--arrival names column {arrival}, which it lacks.{did_you_mean(arrival, self.seen)}")
        if faults and self.seen:
            raise RefusedError(
                f"The file does not fit event source {self.source.name}: {'; '.join(faults)} It has the columns "
                f"{', '.join(self.seen)}. Name the column of a field with --map FIELD=COLUMN"
            )
        return found

    def _is(self, name: str) -> bool:
        return self.source.has(name)


def key_fields(catalogue: Catalogue, source: EventSource) -> tuple[str, ...]:
    """The fields whose values are the key of a record: those of the entity of the first group that reads the source.

    Of labels, the fields that join them: corrections of one label stay in the order in which they were sent.
    """
    for group in catalogue.groups:
        if source in group.sources:
            return tuple(group.entity.keys)
    joins = [each.joins for view in catalogue.views for each in view.label_sources if each.source == source]
    return joins[0] if joins else (source.event_id,)
