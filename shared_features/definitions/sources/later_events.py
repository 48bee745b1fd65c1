"""A label that nobody sends: what the events of an entity come to in the time after an event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from shared_features.arguments import Checked
from shared_features.definitions.field_types import MAX_MAGNITUDE, Boolean, Decimal, FieldType, Integer
from shared_features.definitions.sources.event_source import EventSource
from shared_features.errors import DefinitionError
from shared_features.kernel.aggregations import Aggregation, Count, Sum
from shared_features.kernel.event_time import spelled_duration


@dataclass(frozen=True, slots=True)
class LaterEvents(metaclass=Checked):
    """Count() or Sum() of the events with `event time < theirs <= event time + within`.

    `column`: what is summed, or has to be there to be counted; None counts every event. Of no event it is 0.
    `operator`, `threshold`: the label is whether the aggregate meets them, as in "== 0". Without them it is the number.
    """

    column: str | None
    aggregation: Aggregation
    within: timedelta
    operator: Literal[">", ">=", "<", "<=", "==", "!="] | None = None
    threshold: float = 0

    @property
    def words(self) -> str:
        """As in "count of events in the next 30 d == 0"."""
        found = f"{self.aggregation.name} of {self.column or 'events'} in the next {spelled_duration(self.within)}"
        return found if self.operator is None else f"{found} {self.operator} {self.threshold:g}"

    def type(self, source: EventSource) -> FieldType:
        """True or false where it is compared, else a number."""
        if self.operator is not None:
            return Boolean()
        decimals = source.field(self.column).type.step_decimals if self.column and self.is_sum else 0
        return Decimal(decimals, -(MAX_MAGNITUDE // 10**decimals), MAX_MAGNITUDE // 10**decimals)

    @property
    def is_sum(self) -> bool:
        return isinstance(self.aggregation, Sum)

    def scale(self, source: EventSource) -> int:
        """How many steps of the aggregate make one unit."""
        return source.field(self.column).scale if self.column and self.is_sum else 1

    def check(self, where: str, source: EventSource, delay: timedelta) -> None:
        """Raises DefinitionError where no such label can be computed, or where it is not known after the delay."""
        if not isinstance(self.aggregation, Count | Sum):
            raise DefinitionError(
                f"{where}: later events are counted or summed, and the aggregation is "
                f"{type(self.aggregation).__name__}; write Count() or Sum()"
            )
        kind = None if self.column is None else source.field(self.column, where).type
        if self.is_sum and not isinstance(kind, Boolean | Decimal | Integer):
            raise DefinitionError(f"{where}: {self.column!r} has no numbers to sum; name a field that has")
        if self.within <= timedelta(0):
            raise DefinitionError(
                f"{where}: later events within {spelled_duration(self.within)} are always 0; give more, as in days(30)"
            )
        if delay < self.within:
            raise DefinitionError(
                f"{where}: later events are counted for {spelled_duration(self.within)}, and the delay is "
                f"{spelled_duration(delay)}, when they have not all happened; give a delay of that and of the time "
                "that an event takes to arrive, as in within + hours(1)"
            )
