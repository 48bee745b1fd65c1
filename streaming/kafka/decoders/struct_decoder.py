"""From the bytes of Kafka records to columns of events; what is no event is set aside with its reason.

Every record comes out once: as a row of the batch, or as a fault. A faulty record never touches its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import EventSource, Field

_WORDS = {
    "int": "integer",
    "float": "number",
    "str": "string",
    "bool": "boolean",
    "datetime": "RFC 3339 time",
    "null": "null",
    "object": "object",
    "array": "array",
}
_EXPECTED = re.compile(r"^Expected `([a-z]+)(?: \| null)?`, got `([a-z]+)(?: \| null)?`(?: - at `(.+)`)?$")
_NOT_A_NUMBER = re.compile(rb'"(\w+)"\s*:\s*(-?(?:NaN|Infinity|nan|inf)\b)')


@dataclass(frozen=True)
class Fault:
    """Why one record is no event: its index among the records, and a reason with the JSON path."""

    index: int
    reason: str


@dataclass(frozen=True)
class DecodedColumns:
    """Rows of the records that hold an event (`rows`: their indices among the records); the rest are faults."""

    rows: NDArray[np.int64]
    columns: dict[str, NDArray[Any]]
    valid: dict[str, NDArray[np.bool_]]
    faults: list[Fault]


class EventDecoder:
    """Decodes the records of one source. The typed decoder is built once from the source's definition."""

    def __init__(self, source: EventSource) -> None:
        self.source = source
        names = {field.name: f"f{index}" for index, field in enumerate(source.fields)}  # free of Python's keywords
        event = msgspec.defstruct(
            "Event",
            # Required fields first, as a struct wants them; the columns are taken by name.
            sorted((_struct_field(names[field.name], field) for field in source.fields), key=len),
            rename={inside: outside for outside, inside in names.items()},
            forbid_unknown_fields=source.unknown_fields == "reject",
            gc=False,
        )
        self._decode: Callable[[Any], Any] = msgspec.json.Decoder(event).decode
        self._getters = [(field, attrgetter(names[field.name])) for field in source.fields]

    def decode(self, values: Sequence[bytes | None]) -> DecodedColumns:
        """Columns of the good records and a fault for each other one."""
        events, rows, faults = self._structs(values)
        columns: dict[str, NDArray[Any]] = {}
        valid: dict[str, NDArray[np.bool_]] = {}
        reasons: dict[int, str] = {}
        for field, getter in self._getters:
            column = field.column(map(getter, events), len(events))
            columns[field.name] = column.steps
            if column.there is not None:
                valid[field.name] = column.there
            for row in np.flatnonzero(column.bad).tolist() if column.bad is not None else ():
                reasons.setdefault(row, f"{field.type.refusal(getter(events[row]))} - at $.{field.name}")
        if reasons:
            faults += [Fault(int(rows[row]), reason) for row, reason in reasons.items()]
            faults.sort(key=lambda fault: fault.index)
            good = np.ones(len(events), np.bool_)
            good[list(reasons)] = False
            rows = rows[good]
            columns = {name: column[good] for name, column in columns.items()}
            valid = {name: there[good] for name, there in valid.items()}
        return DecodedColumns(rows, columns, valid, faults)

    def _structs(self, values: Sequence[bytes | None]) -> tuple[list[Any], NDArray[np.int64], list[Fault]]:
        events: list[Any] = []
        faults: list[Fault] = []
        decoded = map(self._decode, values)
        while len(events) + len(faults) < len(values):
            try:
                events.extend(decoded)  # keeps what came before an exception; the map then goes on after it
            except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
                index = len(events) + len(faults)
                faults.append(Fault(index, _reason(values[index], error)))
        rows = np.arange(len(values))
        if faults:
            rows = np.delete(rows, [fault.index for fault in faults])
        return events, rows, faults


def _struct_field(name: str, field: Field) -> tuple[Any, ...]:
    return (name, field.type.wire | None, None) if field.optional else (name, field.type.wire)


def _reason(value: bytes | None, error: Exception) -> str:
    if value is None:
        return "no value (a tombstone) - at $"
    if not value:
        return "empty value - at $"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 ({error.reason} 0x{error.object[error.start]:02x}) - at $"
    if isinstance(error, RecursionError):
        return "nested too deeply - at $"
    text = str(error)
    if found := _EXPECTED.match(text):
        expected, got = (_WORDS.get(word, word) for word in found.group(1, 2))
        return f"expected {expected}, got {got} - at {found.group(3) or '$'}"
    if not isinstance(error, msgspec.ValidationError) and (number := _NOT_A_NUMBER.search(value)):
        return f"expected number, got {number.group(2).decode()} - at $.{number.group(1).decode()}"
    if text.startswith("Object "):
        return text[len("Object ") :].replace("`", "") + " - at $"
    if text.startswith("Expected `int` "):
        return f"out of bounds of 64 bits - at {_path(text)}"
    plain = text.replace("`", "").removeprefix("Expected ").removeprefix("JSON is malformed: ")
    plain = plain.replace("str of length <= ", "longer than the declared length of ") if "str of" in plain else plain
    plain = plain.replace("datetime with a timezone component", "time without an offset from UTC")
    return plain[:1].lower() + plain[1:] if " - at " in plain else f"not JSON: {plain[:1].lower()}{plain[1:]} - at $"


def _path(text: str) -> str:
    return text.rpartition(" - at ")[2].replace("`", "")
