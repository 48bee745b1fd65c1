"""The body of a prediction request: decoded by a struct built from the view's definition, into columns.

    {"instances": [{<the view's request fields>}, ...], "as_of": <instant>, "include_features": <bool>}

One instance is a list of one. A field that the view does not declare is refused. Otherwise a misspelt optional field,
or an event time instead of `as_of`, would be dropped silently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from serving.body_faults import BodyFaults
from serving.errors import TooManyInstancesError
from serving.request_type import UNIT_US, inner_names, request_type
from shared_features.definitions import Decimal, FeatureView, Field, Text, Timestamp
from shared_features.definitions.fields import MAX_MAGNITUDE
from shared_features.formats.events import decimal_steps
from shared_features.kernel.event_time import to_datetime, to_us


@dataclass(frozen=True, slots=True)
class RequestColumns:
    """Rows of requests as columns of `formats.events`: steps of the field's decimals, text as object."""

    columns: Mapping[str, NDArray[Any]]
    valid: Mapping[str, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class PredictionRequest:
    """A decoded request. Without `as_of_us` the server's clock counts."""

    instances: Sequence[Any]
    as_of_us: int | None
    include_features: bool


class RequestBody:
    """Decodes the requests of one view."""

    def __init__(self, view: FeatureView, max_instances: int) -> None:
        self._fields = view.request_fields
        self._max_instances = max_instances
        self._faults = BodyFaults(self._fields)
        self.type = request_type(view, max_instances)
        names = inner_names(view)
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(self.type).decode
        self._getters = [(field, attrgetter(names[field.name])) for field in self._fields]
        self._instants = [pair for pair in self._getters if pair[0].type == Timestamp("rfc3339")]

    def decode(self, raw: bytes) -> PredictionRequest:
        """Raises InvalidRequestError with the path of the fault, TooManyInstancesError."""
        try:
            body = self._decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._faults.of(error, raw) from error
        if len(body.instances) > self._max_instances:
            raise TooManyInstancesError(
                f"The request has {len(body.instances)} instances. Send at most {self._max_instances} in one request.",
                limit=self._max_instances,
            )
        as_of = to_us(body.as_of) if isinstance(body.as_of, datetime) else body.as_of
        if as_of is not None:
            self._check_instant(as_of, "$.as_of")
        for field, getter in self._instants:  # the type of a text has no bounds for instants
            for index, instance in enumerate(body.instances):
                if (instant := getter(instance)) is not None:
                    self._check_instant(to_us(instant), f"$.instances[{index}].{field.name}")
        return PredictionRequest(body.instances, as_of, body.include_features)

    def _check_instant(self, instant_us: int, path: str) -> None:
        if not -MAX_MAGNITUDE <= instant_us <= MAX_MAGNITUDE:
            first, last = (to_datetime(sign * MAX_MAGNITUDE).date() for sign in (-1, 1))
            found = f"an instant {instant_us} microseconds from 1970-01-01 UTC"
            raise self._faults.wrong_value(path, found, f"an instant from {first} to {last}")

    def columns(self, instances: Sequence[Any]) -> RequestColumns:
        """The fields of decoded instances in columns; the steps are those that streaming makes of an event."""
        columns: dict[str, NDArray[Any]] = {}
        valid: dict[str, NDArray[np.bool_]] = {}
        for field, getter in self._getters:
            values = list(map(getter, instances))
            if field.optional:
                valid[field.name] = np.array([value is not None for value in values], np.bool_)
                if not isinstance(field.type, Text):
                    values = [_blank(field) if value is None else value for value in values]
            columns[field.name] = _steps(field, values)
        return RequestColumns(columns, valid)


def _blank(field: Field) -> Any:
    return to_datetime(0) if field.type == Timestamp("rfc3339") else 0


def _steps(field: Field, values: list[Any]) -> NDArray[Any]:
    kind = field.type
    if isinstance(kind, Decimal):
        return decimal_steps(np.array(values, np.float64), field)
    if isinstance(kind, Text):
        column = np.empty(len(values), object)
        column[:] = values
        return column
    if isinstance(kind, Timestamp):
        instants = map(to_us, values) if kind.unit == "rfc3339" else values
        return np.fromiter(instants, np.int64, len(values)) * UNIT_US.get(kind.unit, 1)
    return np.array(values, np.int64)
