"""Exact values: the digits of a request's numbers that decide a step and that a float64 drops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from shared_features.definitions import Field


class ExactValues:
    """Puts the value as its text has it in place of a decoded value that does not decide its step.

    names: request field -> attribute of a decoded instance.
    """

    def __init__(self, fields: Sequence[Field], names: Mapping[str, str]) -> None:
        self._fields = [
            (field, names[field.name], attrgetter(names[field.name]))
            for field in fields
            if field.type.exact_wire is not None
        ]
        self._decoders: dict[str, Callable[[bytes], Any]] = {}  # made when a value first needs it

    def fill(self, instances: Sequence[Any], raw: bytes) -> None:
        """Changes the decoded instances of a body; as streaming does with the events of a source."""
        for field, name, getter in self._fields:
            unsure = field.type.unsure(list(map(getter, instances)))
            if unsure:
                exact = self._decoder(field)(raw).instances
                for row in unsure:
                    setattr(instances[row], name, exact[row].value)

    def _decoder(self, field: Field) -> Callable[[bytes], Any]:
        if field.name not in self._decoders:
            wire = field.type.exact_wire | None
            instance = msgspec.defstruct("Instance", [("value", wire, None)], rename={"value": field.name})
            body = msgspec.defstruct("Body", [("instances", list[instance])])  # type: ignore[valid-type]  # built above
            self._decoders[field.name] = msgspec.json.Decoder(body).decode
        return self._decoders[field.name]
