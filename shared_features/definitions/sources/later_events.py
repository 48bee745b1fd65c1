"""A label that nobody sends: what the events of an entity come to in the time after an event."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from shared_features.arguments import Checked
from shared_features.definitions.field_types import MAX_MAGNITUDE, Boolean, Decimal, FieldType, Integer
from shared_features.definitions.sources.condition import COMPARED, Condition
from shared_features.definitions.sources.event_source import EventSource
from shared_features.errors import DefinitionError
from shared_features.kernel.aggregations import Aggregation, Count, Max, Mean, Min, Sum
from shared_features.kernel.event_time import spelled_duration


@dataclass(frozen=True, slots=True)
class LaterEvents(metaclass=Checked):
    """Count(), Sum(), Mean(), Min() or Max() of the events with `event time < theirs <= event time + within`.

    `column`: what is summed, or has to be there to be counted; None counts every event. Where there is no event, a
    count and a sum are 0, and nothing is known of the others. `operator`, `threshold`: the label is whether the
    aggregate meets them, as in "== 0". Without them it is the number. `where`: conditions that an event has to meet to
    count.
    """

    column: str | None
    aggregation: Aggregation
    within: timedelta
    operator: Literal[">", ">=", "<", "<=", "==", "!="] | None = None
    threshold: float = 0
    where: tuple[Condition, ...] = ()

    @property
    def words(self) -> str:
        """As in "count of events in the next 30 d == 0"."""
        met = f" with {' and '.join(each.words for each in self.where)}" if self.where else ""
        found = f"{self.aggregation.name} of {self.column or 'events'}{met} in the next {spelled_duration(self.within)}"
        return found if self.operator is None else f"{found} {self.operator} {self.threshold:g}"

    def type(self, source: EventSource) -> FieldType:
        """True or false where it is compared, else a number."""
        if self.operator is not None:
            return Boolean()
        decimals = source.field(self.column).type.step_decimals if self.column and not self.is_count else 0
        return Decimal(decimals, -(MAX_MAGNITUDE // 10**decimals), MAX_MAGNITUDE // 10**decimals)

    @property
    def is_count(self) -> bool:
        return isinstance(self.aggregation, Count)

    @property
    def is_of_none(self) -> bool:
        """Whether no event has a value too, which is 0."""
        return isinstance(self.aggregation, Count | Sum)

    def scale(self, source: EventSource) -> int:
        """How many steps of the aggregate make one unit."""
        return source.field(self.column).scale if self.column and not self.is_count else 1

    def check(self, where: str, source: EventSource, delay: timedelta) -> None:
        """Raises DefinitionError where no such label can be computed, or where it is not known after the delay."""
        name = self.aggregation.name.replace("_", " ")
        if not isinstance(self.aggregation, Count | Sum | Mean | Min | Max):
            raise DefinitionError(
                f"{where}: {name} of later events is not a label; write Count(), Sum(), Mean(), Min() or Max()"
            )
        kind = None if self.column is None else source.field(self.column, where).type
        if not self.is_count and not isinstance(kind, Boolean | Decimal | Integer):
            raise DefinitionError(f"{where}: {self.column!r} has no numbers for a {name}; name a field that has")
        for condition in self.where:
            condition.check(where, source)
        self._check_comparison(where)
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

    def _check_comparison(self, where: str) -> None:
        if not math.isfinite(self.threshold):
            raise DefinitionError(f"{where}: later events are compared with {self.threshold}; write a number")
        if self.operator is None:
            if self.threshold:
                raise DefinitionError(
                    f"{where}: threshold is {self.threshold:g}, and nothing is compared with it; give an operator, as "
                    "in '>', or leave threshold out"
                )
            return
        near = math.floor(self.threshold)
        counts = [each for each in (0, near - 1, near, near + 1, near + 2) if each >= 0]
        if self.is_count and len({COMPARED[self.operator](each, self.threshold) for each in counts}) == 1:
            raise DefinitionError(
                f"{where}: a count is a whole number from 0 on, so {self.operator} {self.threshold:g} tells nothing "
                "apart; write another comparison, as in '== 0'"
            )
