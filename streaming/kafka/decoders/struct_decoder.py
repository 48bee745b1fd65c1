"""A decoder by way of structs: a typed decoder makes a struct of each value, and the structs become columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import EventSource, Field
from shared_features.definitions.field_types.field_type import Exact
from streaming.kafka.decoders.event_decoder import DecodedColumns, Fault

Int64 = NDArray[np.int64]

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
_NO_EVENT = (msgspec.MsgspecError, ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""The errors of a typed decoder for a value that is not an event. None is such a value."""


class StructDecoder:
    """Decodes the records of one source. The typed decoder is built once from the source's definition.

    typed: makes a function from bytes to a struct of the given type. The struct of a value that stands near the middle
    of two steps is made again, with `decimal.Decimal` in place of a float, so that all its digits count. reason: says
    why a value is not an event.
    """

    def __init__(
        self,
        source: EventSource,
        typed: Callable[[type], Callable[[Any], Any]],
        reason: Callable[[bytes | None, Exception], str],
    ) -> None:
        self._source = source
        self._typed = typed
        self._names = {field.name: f"f{index}" for index, field in enumerate(source.fields)}  # no keywords of Python
        self._decode = typed(self._event())
        self._reason = reason
        self._getters = [(field, attrgetter(self._names[field.name])) for field in source.fields]
        self._exact: dict[str, Callable[[Any], Any]] = {}  # made when a value first needs it

    def decode(self, values: Sequence[bytes | None]) -> DecodedColumns:
        """Columns of the good values, and a fault for each other value."""
        events, rows, faults = self._structs(values)
        columns: dict[str, NDArray[Any]] = {}
        valid: dict[str, NDArray[np.bool_]] = {}
        reasons: dict[int, str] = {}
        for field, getter in self._getters:
            exact = self._exact_value(field, getter, values, rows) if field.type.exact_wire is not None else None
            column = field.column(map(getter, events), len(events), exact)
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

    def _event(self, exact: Field | None = None) -> type:
        """The struct of a record, with the wire values of a field exact."""
        fields = (_struct_field(self._names[each.name], each, each is exact) for each in self._source.fields)
        return msgspec.defstruct(
            "Event",
            sorted(fields, key=len),  # Required fields first, as a struct requires. The columns are taken by name.
            rename={inside: outside for outside, inside in self._names.items()},
            forbid_unknown_fields=self._source.unknown_fields == "reject",
            gc=False,
        )

    def _exact_value(self, field: Field, getter: Callable[[Any], Any], values: Sequence[Any], rows: Int64) -> Exact:
        def exact(row: int) -> Any:
            if field.name not in self._exact:
                self._exact[field.name] = self._typed(self._event(exact=field))
            return getter(self._exact[field.name](values[rows[row]]))

        return exact

    def _structs(self, values: Sequence[bytes | None]) -> tuple[list[Any], Int64, list[Fault]]:
        events: list[Any] = []
        faults: list[Fault] = []
        decoded = map(self._decode, values)
        while len(events) + len(faults) < len(values):
            try:
                events.extend(decoded)  # keeps what came before an exception; the map then continues after it
            except _NO_EVENT as error:
                index = len(events) + len(faults)
                faults.append(Fault(index, self._reason(values[index], error)))
        rows = np.arange(len(values))
        if faults:
            rows = np.delete(rows, [fault.index for fault in faults])
        return events, rows, faults


def _struct_field(name: str, field: Field, exact: bool) -> tuple[Any, ...]:
    wire = field.type.exact_wire if exact else field.type.wire
    return (name, wire | None, None) if field.optional else (name, wire)


def reason(value: bytes | None, error: Exception, format_name: str) -> str:
    """Why a value is not an event, from the error of a typed decoder. `format_name`: as people write it."""
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
    if text.startswith("Object "):
        return text[len("Object ") :].replace("`", "") + " - at $"
    if text.startswith("Expected `int` "):
        return f"out of bounds of 64 bits - at {_path(text)}"
    plain = re.sub("^(Expected |JSON is malformed: |MessagePack data is malformed: )", "", text.replace("`", ""))
    plain = plain.replace("str of length <= ", "longer than the declared length of ") if "str of" in plain else plain
    plain = plain.replace("datetime with a timezone component", "time without an offset from UTC")
    plain = plain[:1].lower() + plain[1:]
    return plain if " - at " in plain else f"not {format_name}: {plain} - at $"


def _path(text: str) -> str:
    return text.rpartition(" - at ")[2].replace("`", "")
