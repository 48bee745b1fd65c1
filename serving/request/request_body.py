"""The body of a prediction request: decoded by a struct built from the view's definition, into columns.

    {"instances": [{<the view's request fields>}, ...], "as_of": <instant>, "include_features": <bool>,
     "explain": <bool>}

One instance is a list of one. A field that the view does not declare is refused. Otherwise a misspelt optional field
would be dropped silently. An instance may have the time of its event, under the name that the view's source gives it:
this names the event that the prediction is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import repeat
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from serving.errors import TooManyInstancesError
from serving.request.body_faults import BodyFaults
from serving.request.exact_values import ExactValues
from serving.request.predict_path import EXPLAINED_AT_MOST
from serving.request.request_type import inner_names, instance_fields, request_type
from shared_features.definitions import FeatureView, Timestamp
from shared_features.stored_features.feature_vectors import RequestColumns

_TIME, _EPOCH = Timestamp("rfc3339"), Timestamp("us")
_NEVER_US = 1 << 62


class PredictionRequest(msgspec.Struct, frozen=True):
    """A decoded request. Without `as_of_us` the server's clock counts.

    event_time_us: of the events that the instances name; None where none is named. event_time_field: where it stands.
    """

    instances: Sequence[Any]
    as_of_us: int | None
    include_features: bool
    event_time_us: Sequence[int | None] | None
    event_time_field: str
    explain: bool = False
    raw: bytes = b""
    """The body as the client sent it."""

    def instants(self, as_of_us: int) -> Iterable[int]:
        """As of when each instance is asked: before the event that it names, and not after the request's instant.

        as_of_us: the request's instant, or the server's clock. An instance that names its event needs no clock.
        """
        if self.event_time_us is None:
            return repeat(as_of_us, len(self.instances))
        latest_us = _NEVER_US if self.as_of_us is None else self.as_of_us
        return (as_of_us if each is None else min(each, latest_us) for each in self.event_time_us)


class RequestBody:
    """Decodes the requests of one view. only_features: they want no prediction."""

    def __init__(self, view: FeatureView, max_instances: int, *, only_features: bool = False) -> None:
        self.max_instances, self._only_features = max_instances, only_features
        fields = instance_fields(view)
        unread = {field.name for field in view.source.fields} - {field.name for field in fields}
        self._faults = BodyFaults(fields, unread, only_features=only_features)
        self.type = request_type(view, max_instances, only_features=only_features)
        names = inner_names(view)
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(self.type).decode
        self._getters = [(field, attrgetter(names[field.name])) for field in view.request_fields]
        self._exact = ExactValues(view.request_fields, names)
        every = {field.name: (field, attrgetter(names[field.name])) for field in instance_fields(view)}
        self._unchecked = [pair for pair in every.values() if not pair[0].type.schema_says_all]
        self._event_time = every[view.source.event_time]
        self._entities = [
            every[key][1] for key in dict.fromkeys(key for each in view.groups for key in each.entity.keys)
        ]

    def decode(self, raw: bytes) -> PredictionRequest:
        """Raises InvalidRequestError with the path of the fault, TooManyInstancesError."""
        try:
            body = self._decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._faults.of(error, raw) from error
        if len(body.instances) > self.max_instances:
            raise TooManyInstancesError(
                f"The request has {len(body.instances)} instances. Send at most {self.max_instances} in one request.",
                limit=self.max_instances,
            )
        include, explain = (True, False) if self._only_features else (body.include_features, body.explain)
        if explain and len(body.instances) > EXPLAINED_AT_MOST:
            raise TooManyInstancesError(
                f"The request has {len(body.instances)} instances and wants each explained. Send at most "
                f"{EXPLAINED_AT_MOST} in one request, or leave out `explain`.",
                limit=EXPLAINED_AT_MOST,
            )
        for field, getter in self._unchecked:
            column = field.column(list(map(getter, body.instances)), len(body.instances))
            if column.bad is not None:
                raise self._faults.out_of_bounds(f"$.instances[{column.bad.argmax()}].{field.name}", raw, field.type)
        self._exact.fill(body.instances, raw)
        as_of_us = self._as_of_us(body.as_of, raw)
        named_us = self._event_times_us(body.instances)
        time_field = self._event_time[0].name
        return PredictionRequest(body.instances, as_of_us, include, named_us, time_field, explain, raw)

    def entity(self, request: PredictionRequest) -> tuple[Any, ...]:
        """The keys of the stored entities that the first instance names."""
        return tuple(getter(request.instances[0]) for getter in self._entities)

    def _as_of_us(self, as_of: int | datetime | None, raw: bytes) -> int | None:
        if not isinstance(as_of, datetime):
            if as_of is not None and _EPOCH.in_another_unit(as_of):
                raise self._faults.wrong_value("$.as_of", str(as_of))
            return as_of
        (as_of_us,), bad = _TIME.column([as_of], 1)
        if bad is not None and bad.any():
            raise self._faults.out_of_bounds("$.as_of", raw, _TIME)
        return int(as_of_us)

    def _event_times_us(self, instances: Sequence[Any]) -> Sequence[int | None] | None:
        field, getter = self._event_time
        times = list(map(getter, instances))
        if times.count(None) == len(times):
            return None
        steps, there = field.steps(times, len(times))
        named = repeat(True) if there is None else there.tolist()
        return [each if there else None for each, there in zip(steps.tolist(), named, strict=False)]

    def columns(self, instances: Sequence[Any]) -> RequestColumns:
        """The fields of decoded instances in columns; the steps are those that streaming makes of an event."""
        columns: dict[str, NDArray[Any]] = {}
        valid: dict[str, NDArray[np.bool_]] = {}
        for field, getter in self._getters:
            columns[field.name], there = field.steps(map(getter, instances), len(instances))  # `decode` checked them
            if there is not None:
                valid[field.name] = there
        return RequestColumns(columns, valid)
