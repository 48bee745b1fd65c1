"""A condition on one field of an event: which events of its sources a group sees, and which outcomes are true."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared_features.arguments import Checked
from shared_features.definitions.field_types import FieldType
from shared_features.definitions.sources.event_source import EventSource
from shared_features.errors import DefinitionError

COMPARED: Mapping[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
"""What an operator of a definition asks of two values, or of arrays."""


@dataclass(frozen=True, slots=True)
class Condition(metaclass=Checked):
    """`column operator value`: a group sees only events for which it holds (a missing column: it does not).

    As the value of a label it says which outcomes are true. An event without the column has no label then.
    """

    column: str
    operator: Literal[">", ">=", "<", "<=", "==", "!="]
    value: float | str | bool

    @property
    def words(self) -> str:
        """As in "status == 'returned'"."""
        return f"{self.column} {self.operator} {self.value!r}"

    def check(self, where: str, source: EventSource) -> None:
        """Raises DefinitionError where the condition makes no sense of a source's events."""
        field, value = source.field(self.column, where), self.value
        kind = type(field.type).__name__
        if field.is_text != isinstance(value, str):
            raise DefinitionError(
                f"{where}: condition on {self.column!r} compares it with another type: it is {kind} in "
                f"{source.name!r}, and the value is {value!r}; write {'a text' if field.is_text else 'a number'}"
            )
        if isinstance(value, str):
            if self.operator not in ("==", "!="):
                raise DefinitionError(f"{where}: a text is compared by == or !=, not {self.operator}")
        elif not math.isfinite(value):
            raise DefinitionError(f"{where}: condition on {self.column!r} compares it with {value}; write a number")
        elif self._is_met_by_nothing(field.type, value):
            raise DefinitionError(
                f"{where}: no event meets the condition {self.column} {self.operator} {value}: the field is "
                f"{field.type.words} in {source.name!r}. Write a number within its bounds"
            )

    def _is_met_by_nothing(self, kind: FieldType, value: float) -> bool:
        low, high = getattr(kind, "low", -math.inf), getattr(kind, "high", math.inf)
        met = {">": high > value, ">=": high >= value, "<": low < value, "<=": low <= value, "==": low <= value <= high}
        return not met.get(self.operator, True)
