"""Bodies of requests to columns of their fields, with the values that serving decoded from the same bytes.

Compiled loops read bodies that are spelled plainly, numbers included. All else a parser reads, as serving does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView, Field
from shared_features.definitions.field_types.integer import WIRE_INT
from shared_features.definitions.fields import FieldColumn
from shared_features.formats.json_columns import Values, floats, integers, values_of_objects
from shared_features.formats.logged_columns import Int64, Texts

_MEMBER = "instances"


class Requests(NamedTuple):
    """The `n` instances of some bodies. counts: how many each body has. columns, valid: as `formats.events` holds them.

    named_us: the time of the event that each instance names; -1 where it names none.
    """

    counts: Int64
    columns: Mapping[str, NDArray[Any]]
    valid: Mapping[str, NDArray[np.bool_]]
    named_us: Int64


class RequestReader:
    """Of one view."""

    def __init__(self, view: FeatureView) -> None:
        self._asked = view.request_fields
        self._time = view.source.field(view.source.event_time)
        self._fields = list(dict.fromkeys((*self._asked, self._time)))
        self._body = _decoder(self._fields, lambda field: field.type.wire)
        exact = [field for field in self._asked if field.type.exact_wire is not None]
        self._exact = _decoder(exact, lambda field: field.type.exact_wire)
        self._exact_value = {field.name: msgspec.json.Decoder(field.type.exact_wire) for field in exact}
        self._value = {field.name: msgspec.json.Decoder(field.type.wire | None) for field in self._fields}

    def read(self, bodies: Texts) -> Requests:
        """Raises msgspec.MsgspecError, ValueError or TypeError where the endpoint would have refused one of them."""
        plain = values_of_objects(bodies, _MEMBER, [field.name for field in self._fields])
        return self._plain(*plain) if plain else self._parsed(bodies)

    def _plain(self, values: Sequence[Values], counts: Int64) -> Requests:
        of = {field.name: each for field, each in zip(self._fields, values, strict=True)}
        found = {field: self._column(field, of[field.name]) for field in self._asked}
        times = of[self._time.name]
        named = self._values(self._time, times) if times.there.any() else [None] * len(times.starts)
        return self._requests(counts, found, named)

    def _column(self, field: Field, values: Values) -> FieldColumn:
        def exact(row: int) -> Any:
            return self._exact_value[field.name].decode(values.data[values.starts[row] : values.ends[row]].data)

        there, numbers = values.there, _numbers(field, values)
        if not field.optional and not there.all():
            raise ValueError(f"a value of {field.name!r} is missing")
        if numbers is None:
            return field.column(self._values(field, values), len(there), exact)
        return field.filled_column(numbers, there if field.optional else None, len(there), exact)

    def _values(self, field: Field, values: Values) -> list[Any]:
        return self._value[field.name].decode_lines(b"\n".join(values.texts()))

    def _parsed(self, bodies: Texts) -> Requests:
        lists = [each.instances for each in parsed(self._body, bodies, "{}")]
        counts = np.array(list(map(len, lists)), np.int64)
        starts, instances = np.cumsum(counts) - counts, [each for some in lists for each in some]
        of_body, found = np.repeat(np.arange(len(lists)), counts), dict[Field, FieldColumn]()
        for field in self._asked:
            inner = _inner(field)

            def exact(row: int, inner: str = inner) -> Any:
                at = int(of_body[row])
                body = self._exact.decode(bodies.data[bodies.offsets[at] : bodies.offsets[at + 1]].data)
                return getattr(body.instances[row - int(starts[at])], inner)

            found[field] = field.column(list(map(attrgetter(inner), instances)), len(instances), exact)
        return self._requests(counts, found, list(map(attrgetter(_inner(self._time)), instances)))

    def _requests(self, counts: Int64, found: Mapping[Field, FieldColumn], named: list[Any]) -> Requests:
        for field, column in found.items():
            if column.bad is not None:
                raise ValueError(f"a value of {field.name!r} is one that the endpoint refuses")
        columns = {field.name: column.steps for field, column in found.items()}
        valid = {field.name: column.there for field, column in found.items() if column.there is not None}
        return Requests(counts, columns, valid, self._named_us(named))

    def _named_us(self, times: list[Any]) -> Int64:
        if times.count(None) == len(times):
            return np.full(len(times), -1)
        is_named = np.array([each is not None for each in times])
        given = [self._time.type.blank if each is None else each for each in times]
        return np.where(is_named, self._time.type.steps(given, len(given)), -1)


def _inner(field: Field) -> str:
    return f"f_{field.name}"


def _decoder(fields: Sequence[Field], kind: Callable[[Field], Any]) -> msgspec.json.Decoder[Any]:
    instance: Any = msgspec.defstruct(
        "Instance",
        [(_inner(field), kind(field) | None, None) for field in fields],
        rename={_inner(field): field.name for field in fields},
        gc=False,  # a million of them refer to nothing else
    )
    return msgspec.json.Decoder(msgspec.defstruct("Body", [("instances", list[instance])]))


def parsed(decoder: msgspec.json.Decoder[Any], texts: Texts, ends: str) -> list[Any]:
    """The value of each text. ends: the characters that a value begins and ends with."""
    content, bounds = texts.data.tobytes(), texts.offsets.tolist()
    each = [content[start:stop] for start, stop in pairwise(bounds)]
    if texts.begin_and_end(*ends):
        # No value reaches from one line into the next, as it would hold "}\n{". So as many values are one of each text.
        values = decoder.decode_lines(b"\n".join(each))
        if len(values) == len(each):
            return values
    return list(map(decoder.decode, each))


def _numbers(field: Field, values: Values) -> NDArray[Any] | None:
    """None where a value is not a number that is spelled plainly."""
    if field.type.wire is float:
        return floats(values)
    return integers(values) if field.type.wire == WIRE_INT else None
