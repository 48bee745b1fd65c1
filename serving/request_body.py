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
from serving.exact_values import ExactValues
from serving.request_type import inner_names, request_type
from shared_features.definitions import FeatureView, Timestamp

_TIME, _EPOCH = Timestamp("rfc3339"), Timestamp("us")


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
        self._exact = ExactValues(self._fields, names)
        self._unchecked = [pair for pair in self._getters if not pair[0].type.schema_says_all]

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
        for field, getter in self._unchecked:
            column = field.column(list(map(getter, body.instances)), len(body.instances))
            if column.bad is not None:
                raise self._faults.out_of_bounds(f"$.instances[{column.bad.argmax()}].{field.name}", raw, field.type)
        self._exact.fill(body.instances, raw)
        return PredictionRequest(body.instances, self._as_of_us(body.as_of, raw), body.include_features)

    def _as_of_us(self, as_of: int | datetime | None, raw: bytes) -> int | None:
        if not isinstance(as_of, datetime):
            if as_of is not None and _EPOCH.in_another_unit(as_of):
                raise self._faults.wrong_value("$.as_of", str(as_of))
            return as_of
        (as_of_us,), bad = _TIME.column([as_of], 1)
        if bad is not None and bad.any():
            raise self._faults.out_of_bounds("$.as_of", raw, _TIME)
        return int(as_of_us)

    def columns(self, instances: Sequence[Any]) -> RequestColumns:
        """The fields of decoded instances in columns; the steps are those that streaming makes of an event."""
        columns: dict[str, NDArray[Any]] = {}
        valid: dict[str, NDArray[np.bool_]] = {}
        for field, getter in self._getters:
            columns[field.name], there = field.steps(map(getter, instances), len(instances))  # `decode` checked them
            if there is not None:
                valid[field.name] = there
        return RequestColumns(columns, valid)
