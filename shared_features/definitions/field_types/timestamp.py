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
from shared_features.kernel.event_time import MILLISECOND_US, SECOND_US, to_datetime, to_us

EXAMPLE_TIME = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)

_UNIT_US = {"us": 1, "ms": MILLISECOND_US, "s": SECOND_US, "rfc3339": 1}
_EPOCHS = {"us": "microseconds", "ms": "milliseconds", "s": "seconds"}


@dataclass(frozen=True, slots=True)
class Timestamp(FieldType):
    """An instant. On the wire an epoch integer in `unit`, or an RFC 3339 text with an offset."""

    unit: Literal["us", "ms", "s", "rfc3339"] = "us"

    is_instant: ClassVar[bool] = True

    def contradiction(self) -> str | None:
        return None if self.unit in _UNIT_US else f"unit is {self.unit!r}; give one of {list(_UNIT_US)}"

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
        return f"time out of bounds {first} to {last}: {value} read as {self.unit}"

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
