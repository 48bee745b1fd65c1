"""The body of a prediction request: decoded by a struct built from the view's definition, into columns.

    {"instances": [{<the view's request fields>}, ...], "as_of": <instant>, "include_features": <bool>}

One instance is a list of one. A field that the view does not declare is refused: a misspelt optional field, or an
event time where `as_of` is meant, would otherwise be dropped without a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from serving.errors import InvalidRequestError, TooManyInstancesError
from shared_features.definitions import Boolean, Decimal, FeatureView, Field, Integer, Text, Timestamp
from shared_features.definitions.fields import MAX_MAGNITUDE
from shared_features.formats.events import decimal_steps
from shared_features.kernel.event_time import MILLISECOND_US, SECOND_US, to_datetime, to_us

UNIT_US = {"us": 1, "ms": MILLISECOND_US, "s": SECOND_US}

_PATH = re.compile(r" - at `(.+)`$")
_OBJECT = re.compile(r"^Object (missing required|contains unknown) field `(\w+)`")


@dataclass(frozen=True, slots=True)
class RequestColumns:
    """Rows of requests as columns of `formats.events`: steps of the field's decimals, text as object."""

    columns: Mapping[str, NDArray[Any]]
    valid: Mapping[str, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class PredictionRequest:
    """A decoded request. `as_of_us` is None where the server's clock is meant."""

    instances: Sequence[Any]
    as_of_us: int | None
    include_features: bool


class RequestBody:
    """Decodes the requests of one view."""

    def __init__(self, view: FeatureView, max_instances: int) -> None:
        self._fields = view.request_fields
        self._max_instances = max_instances
        names = {field.name: f"f{index}" for index, field in enumerate(self._fields)}  # free of Python's keywords
        instance = msgspec.defstruct(
            "Instance",
            # Required fields first, as a struct wants them; columns are taken by name.
            sorted(((names[each.name], *_annotation(each)) for each in self._fields), key=len),
            rename={inside: outside for outside, inside in names.items()},
            forbid_unknown_fields=True,
            gc=False,
        )
        body = msgspec.defstruct(
            "Body",
            [
                ("instances", Annotated[list[instance], msgspec.Meta(min_length=1)]),  # type: ignore[valid-type]  # built above
                ("as_of", int | Annotated[datetime, msgspec.Meta(tz=True)] | None, None),
                ("include_features", bool, False),
            ],
            forbid_unknown_fields=True,
            gc=False,
        )
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(body).decode
        self._getters = [(field, attrgetter(names[field.name])) for field in self._fields]
        self._instants = [pair for pair in self._getters if pair[0].type == Timestamp("rfc3339")]

    def decode(self, raw: bytes) -> PredictionRequest:
        """Raises InvalidRequestError with the path of the fault, TooManyInstancesError."""
        try:
            body = self._decode(raw)
        except msgspec.MsgspecError as error:
            raise self._invalid(error) from error
        except (UnicodeDecodeError, RecursionError) as error:
            raise InvalidRequestError(f"the body is not JSON: {error}", path="$") from error
        if len(body.instances) > self._max_instances:
            raise TooManyInstancesError(
                f"{len(body.instances)} instances in one request; send at most {self._max_instances}",
                limit=self._max_instances,
            )
        as_of = to_us(body.as_of) if isinstance(body.as_of, datetime) else body.as_of
        if as_of is not None:
            _check_instant(as_of, "$.as_of")
        for field, getter in self._instants:  # no bound of a type can say this
            for index, instance in enumerate(body.instances):
                if (instant := getter(instance)) is not None:
                    _check_instant(to_us(instant), f"$.instances[{index}].{field.name}")
        return PredictionRequest(body.instances, as_of, body.include_features)

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

    def _invalid(self, error: msgspec.MsgspecError) -> InvalidRequestError:
        """msgspec's sentence, with the path to the field itself and the fields that would do."""
        message = str(error)
        if not isinstance(error, msgspec.ValidationError):
            return InvalidRequestError(f"the body is not JSON: {message}", path="$")
        found = _PATH.search(message)
        path = found.group(1) if found else "$"
        text = _PATH.sub("", message).replace("`", "")
        extra: dict[str, Any] = {}
        if about := _OBJECT.match(message):
            inside = path.startswith("$.instances[")
            names = [each.name for each in self._fields]
            extra["fields"] = names if inside else ["instances", "as_of", "include_features"]
            path = f"{path}.{about.group(2)}"
            text = {"missing required": "missing", "contains unknown": "unknown"}[about.group(1)] + " field"
        return InvalidRequestError(f"{text[:1].lower()}{text[1:]} - at {path}", path=path, **extra)


def _check_instant(instant_us: int, path: str) -> None:
    if not -MAX_MAGNITUDE <= instant_us <= MAX_MAGNITUDE:
        first, last = (to_datetime(sign * MAX_MAGNITUDE).date() for sign in (-1, 1))
        raise InvalidRequestError(f"{instant_us} us is no instant between {first} and {last} - at {path}", path=path)


def _annotation(field: Field) -> tuple[Any, ...]:
    """The type with its bounds, and None as the default of an optional field."""
    kind = field.type
    annotation: Any
    if isinstance(kind, Decimal | Integer):
        number = float if isinstance(kind, Decimal) else int
        annotation = Annotated[number, msgspec.Meta(ge=kind.low, le=kind.high)]
    elif isinstance(kind, Boolean):
        annotation = bool
    elif isinstance(kind, Text):
        annotation = Annotated[str, msgspec.Meta(max_length=kind.max_length)]
    elif kind.unit == "rfc3339":
        annotation = Annotated[datetime, msgspec.Meta(tz=True)]
    else:
        limit = MAX_MAGNITUDE // UNIT_US[kind.unit]
        annotation = Annotated[int, msgspec.Meta(ge=-limit, le=limit)]
    return (annotation | None, None) if field.optional else (annotation,)


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
