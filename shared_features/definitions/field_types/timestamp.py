"""Instants."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from shared_features.definitions.field_types.field_type import MAX_MAGNITUDE, Bools, FieldType
from shared_features.definitions.field_types.integer import WIRE_INT
from shared_features.kernel.event_time import DAY_US, MILLISECOND_US, SECOND_US, to_datetime, to_text, to_us

EXAMPLE_TIME = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)

_UNIT_US = {"us": 1, "ms": MILLISECOND_US, "s": SECOND_US, "rfc3339": 1}
_EPOCHS = {"us": "microseconds", "ms": "milliseconds", "s": "seconds"}
_UNITS_NS = {"seconds": 10**9, "milliseconds": 10**6, "microseconds": 1000, "nanoseconds": 1}
_MEANT_FROM_US = 365 * DAY_US
"""A time of 1970 is hardly ever meant. In a unit that is too small, the time of any present event reads as 1970."""


@dataclass(frozen=True, slots=True)
class Timestamp(FieldType):
    """An instant. On the wire an epoch integer in `unit`, or an RFC 3339 text with an offset."""

    unit: Literal["us", "ms", "s", "rfc3339"] = "us"

    is_instant: ClassVar[bool] = True

    def contradiction(self) -> str | None:
        return None if self.unit in _UNIT_US else f"unit is {self.unit!r}; write one of {', '.join(_UNIT_US)}"

    @property
    def schema_says_all(self) -> bool:
        return not self._is_text  # no JSON schema says the bounds of a time as text

    @property
    def blank(self) -> Any:
        return to_datetime(0) if self._is_text else 0

    @property
    def wire(self) -> Any:
        return Annotated[datetime, Meta(tz=True)] if self._is_text else WIRE_INT

    @property
    def bounded(self) -> Any:
        return self.wire if self._is_text else Annotated[int, Meta(ge=-self._limit, le=self._limit)]

    def column(self, values: Iterable[Any], count: int) -> tuple[NDArray[np.int64], Bools | None]:
        limit = self._limit
        column = self._counted(values, count)
        bad = (column > limit) | (column < -limit)
        return np.where(bad, 0, column) * _UNIT_US[self.unit], bad

    def steps(self, values: Iterable[Any], count: int) -> NDArray[np.int64]:
        return self._counted(values, count) * _UNIT_US[self.unit]

    def _counted(self, values: Iterable[Any], count: int) -> NDArray[np.int64]:
        """In the unit of the wire."""
        return np.fromiter(map(to_us, values) if self._is_text else values, np.int64, count)

    def refusal(self, value: Any) -> str:
        first, last = _days()
        other = self._counted_otherwise(value) if isinstance(value, int) else None
        return f"time out of bounds {first} to {last}: {value} read as {self.unit}" + (f"; {other}" if other else "")

    def in_another_unit(self, step: int) -> str | None:
        meant = self._is_text or _MEANT_FROM_US <= abs(step) <= MAX_MAGNITUDE
        return None if meant else self._counted_otherwise(step // _UNIT_US[self.unit])

    def _counted_otherwise(self, count: int) -> str | None:
        """The reading of an epoch integer in the largest unit that makes an instant of it that may be meant."""
        for name, unit_ns in _UNITS_NS.items():
            other_us = count * unit_ns // 1000
            if _MEANT_FROM_US <= other_us <= MAX_MAGNITUDE:
                return f"in {name} it is {to_text(other_us)}"
        return None

    @property
    def limits(self) -> str:
        first, last = _days()
        return f"an instant from {first} to {last}"

    @property
    def words(self) -> str:
        epoch = _EPOCHS.get(self.unit)
        return f"Instant, as {epoch} since 1970 UTC" if epoch else "Instant, as RFC 3339 text with an offset"

    @property
    def accepts(self) -> str:
        if self._is_text:
            return f'a time with an offset such as "{EXAMPLE_TIME.isoformat()}" (RFC 3339)'
        return f"a whole number of {_EPOCHS[self.unit]} since 1970-01-01 UTC"

    @property
    def example(self) -> Any:
        return EXAMPLE_TIME.isoformat() if self._is_text else to_us(EXAMPLE_TIME) // _UNIT_US[self.unit]

    @property
    def _is_text(self) -> bool:
        return self.unit == "rfc3339"

    @property
    def _limit(self) -> int:
        return MAX_MAGNITUDE // _UNIT_US[self.unit]


def _days() -> tuple[str, str]:
    """The first and the last day that a column can hold."""
    first, last = (to_datetime(sign * MAX_MAGNITUDE).date().isoformat() for sign in (-1, 1))
    return first, last
