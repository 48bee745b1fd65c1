"""The request of `history`: the instances of a view as JSON, as `predict` takes them, and the instant of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared_features.arguments import did_you_mean
from shared_features.definitions import FeatureView, Field
from streaming.errors import RefusedError
from streaming.operations.argument_types import instant

Instance = Mapping[str, msgspec.Raw]


@dataclass(frozen=True)
class HistoryRequest:
    """Instances in columns, as `formats.events` has them, and the instant of each, int64[n] microseconds."""

    columns: Mapping[str, NDArray[Any]]
    valid: Mapping[str, NDArray[np.bool_]]
    as_of_us: NDArray[np.int64]


def read_request(view: FeatureView, text: str, as_of_us: int | None) -> HistoryRequest:
    """Raises RefusedError with the place of the fault.

    text: an instance, a list of instances, or a whole request; @FILE names a file. as_of_us: instead of the request's.
    An instance that has the time of its event is read as of that time, if the request's instant is not earlier.
    """
    instances, own_us = _parsed(_contents(text))
    time_field = view.source.field(view.source.event_time)
    _refuse_unknown(view, instances, [*(field.name for field in view.request_fields), time_field.name])
    columns, valid = {}, {}
    for field in view.request_fields:
        columns[field.name], there = _column(field, instances)
        if there is not None:
            valid[field.name] = there
    latest_us = own_us if as_of_us is None else as_of_us
    instants = [_instant(time_field, each, row, latest_us) for row, each in enumerate(instances)]
    return HistoryRequest(columns, valid, np.array(instants, np.int64))


def _contents(text: str) -> str:
    try:
        return Path(text[1:]).read_text() if text.startswith("@") else text
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(f"The JSON cannot be read from {text}: {error}. Correct the name of the file") from None


def _parsed(text: str) -> tuple[Sequence[Instance], int | None]:
    """The instances, and the instant of the request if it has one."""
    try:
        if text.lstrip().startswith("["):
            return _instances(text), None
        whole = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        if "instances" not in whole:
            return _instances(f"[{text}]"), None
        own = msgspec.json.decode(whole["as_of"]) if "as_of" in whole else None
        return _instances(bytes(whole["instances"])), None if own is None else _own_instant(own)
    except msgspec.MsgspecError as error:
        raise RefusedError(
            f"The JSON is not a request: {error}. Write an instance as an object, such as '{{\"field\": 1}}', or a "
            "list of such objects"
        ) from None


def _instances(raw: str | bytes) -> Sequence[Instance]:
    found = msgspec.json.decode(raw, type=list[dict[str, msgspec.Raw]])
    if not found:
        raise RefusedError("The list of instances is empty. Write at least one instance")
    return found


def _own_instant(value: Any) -> int:
    try:
        return instant(str(value))
    except ValueError as error:
        raise RefusedError(f"Wrong value at $.as_of: {error}") from None


def _refuse_unknown(view: FeatureView, instances: Sequence[Instance], known: Sequence[str]) -> None:
    for row, each in enumerate(instances):
        for name in each:
            if name not in known:
                of_events = "It is a field of the events, and no feature of this view reads it. Leave it out."
                advice = f" {of_events}" if view.source.has(name) else did_you_mean(name, known)
                raise RefusedError(
                    f"Unknown field {name} at $.instances[{row}].{advice} The fields here are "
                    f"{', '.join(dict.fromkeys(known))}"
                )


def _column(field: Field, instances: Sequence[Instance]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """The steps of a field, rounded from the text of a number, and which are there."""
    values = [_value(field, each, row) for row, each in enumerate(instances)]
    column = field.column(values, len(values))
    if column.bad is not None:
        row = int(column.bad.argmax())
        raise RefusedError(f"Wrong value at $.instances[{row}].{field.name}: {field.type.refusal(values[row])}")
    return column.steps, column.there


def _value(field: Field, instance: Instance, row: int) -> Any:
    place = f"$.instances[{row}].{field.name}"
    raw = instance.get(field.name)
    if raw is None and not field.optional:
        raise RefusedError(f"Missing field {field.name} at {place}. Write {field.type.accepts}")
    if raw is None or (field.optional and bytes(raw) == b"null"):
        return None
    try:
        value = msgspec.json.decode(raw, type=field.type.wire)
        return value if field.type.exact_wire is None else msgspec.json.decode(raw, type=field.type.exact_wire)
    except msgspec.MsgspecError as error:
        raise RefusedError(f"Wrong value at {place}: {error}. Write {field.type.accepts}") from None


def _instant(time_field: Field, instance: Instance, row: int, latest_us: int | None) -> int:
    """As of when an instance is read: before the event that it names, and not after the request's instant."""
    if time_field.name in instance and bytes(instance[time_field.name]) != b"null":
        named_us = int(_column(time_field, [instance])[0][0])
        return named_us if latest_us is None else min(named_us, latest_us)
    if latest_us is None:
        raise RefusedError(
            f"Instance {row} has no instant. Give --as-of TIME, or the time of its event as {time_field.name}"
        )
    return latest_us
