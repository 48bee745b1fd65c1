"""Where the labels of a view come from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta

from shared_features.arguments import Checked
from shared_features.definitions.field_types import Boolean, FieldType
from shared_features.definitions.sources.condition import Condition
from shared_features.definitions.sources.event_source import EventSource
from shared_features.definitions.sources.label_classes import Classes, classes_contradiction, otherwise_contradiction
from shared_features.definitions.sources.later_events import LaterEvents
from shared_features.definitions.sources.task import Task, is_clear, possible_tasks
from shared_features.errors import DefinitionError
from shared_features.kernel.event_time import spelled_duration

_MEANT = {"=": "=="}
_CONDITION = re.compile(r"\s*(\w+)\s*(==|!=|<=|>=|<|>|=)\s*(.+?)\s*")


@dataclass(frozen=True)
class LabelSource(metaclass=Checked):
    """Where labels come from: `value` of the events of `source`, joined to the spine on the field or fields `join`.

    `value` is a field, or a condition on one, such as Condition("status", "==", "returned"): whether it holds. Or it is
    `LaterEvents`, which all events of `source` with the same `join` make, and `delay` is `within` or more.
    `delay`: how long after the spine event its label can be known at the earliest. `task`: what a model of it predicts.
    A Boolean, and an Integer from 0 to 1, is "binary", a Decimal is "regression", a Text is "multiclass"; of another
    Integer it must be said, or two classes given. `classes`: the outcomes that a Text or an Integer can have, in the
    order in which a model gives them; two of them make it "binary", and its score is of the second. Where they are not
    given, they are those of the labels that a model is trained on, sorted. `otherwise`: the label of an event that has
    none when `delay` is over, where only one outcome is ever sent, as of chargebacks or returns. Without it such an
    event is left out.
    `within`: a label counts for an event only from the event's time up to so much later. None: whenever it happens.
    """

    source: EventSource
    value: str | Condition | LaterEvents
    join: str | tuple[str, ...]
    delay: timedelta
    task: Task | None = field(default=None, kw_only=True)
    classes: Classes = field(default=(), kw_only=True)
    otherwise: bool | int | float | str | None = field(default=None, kw_only=True)
    within: timedelta | None = field(default=None, kw_only=True)

    @property
    def joins(self) -> tuple[str, ...]:
        """The fields that say which event a label is of."""
        return (self.join,) if isinstance(self.join, str) else self.join

    @property
    def condition(self) -> Condition | None:
        """What makes an outcome true; None where the field itself is the label."""
        return self.value if isinstance(self.value, Condition) else None

    @property
    def later(self) -> LaterEvents | None:
        """What computes the label from later events; None where somebody sends it."""
        return self.value if isinstance(self.value, LaterEvents) else None

    @property
    def column(self) -> str:
        """The field that tells the outcome; the event's id where the event itself does."""
        if isinstance(self.value, str):
            return self.value
        return self.value.column or self.source.event_id

    @property
    def words(self) -> str:
        """What is predicted: the name of the field, or the condition, as in "status == 'returned'"."""
        return self.value if isinstance(self.value, str) else self.value.words

    @property
    def title(self) -> str:
        """As in "orders.returned", or "orders: count of events in the next 30 d == 0"."""
        return f"{self.source.name}{'.' if self.later is None else ': '}{self.words}"

    @property
    def is_of_every_event(self) -> bool:
        """Whether an event has a label when the delay is over, though nobody sent one."""
        return self.later is not None or self.otherwise is not None

    @property
    def type(self) -> FieldType:
        """The type of a label; that of its field need not be it."""
        if self.later is not None:
            return self.later.type(self.source)
        return self.source.field(self.column).type if self.condition is None else Boolean()

    @property
    def kind(self) -> Task:
        """The task: as it is said, or as the classes or the type of the label say."""
        if self.task is None and self.classes:
            return "binary" if len(self.classes) == 2 else "multiclass"
        return self.task or possible_tasks(self.type)[0]

    @property
    def is_named(self) -> bool:
        """Whether its outcomes are classes with names of their own; else they are 0 and 1, or numbers."""
        return self.kind == "multiclass" or bool(self.classes)

    def check(self, where: str, spine: EventSource) -> None:
        """Raises DefinitionError where the events of a spine cannot be labelled."""
        if self.later is not None:
            self._check_later(where, spine, self.later)
        self._check_value(where)
        if not self.joins:
            raise DefinitionError(f"{where}: labels join on no field; name the field or fields that both events have")
        for name in self.joins:
            self._check_join(where, spine, name)
        if self.delay < timedelta(0):
            raise DefinitionError(
                f"{where}: labels have a delay of {spelled_duration(self.delay)}; give zero or more, as in days(7)"
            )
        if self.within is not None:
            self._check_within(where, self.within)

    def _check_value(self, where: str) -> None:
        self._check_text(where)
        self.source.field(self.column, f"{where}: label")
        if self.condition is not None:
            self.condition.check(f"{where}: label", self.source)
        kind, said = self.type, repr(self.value) if isinstance(self.value, str) else self.words
        what = f"{where}: label {said} of {self.source.name!r} is {type(kind).__name__} ({kind.words})"
        if self.later is None and self.column in (self.source.event_id, self.source.event_time, *self.joins):
            raise DefinitionError(
                f"{what}, which names an event, so no model predicts it; name the field of the outcome"
            )
        possible = possible_tasks(kind)
        if not possible:
            raise DefinitionError(
                f"{what}, which no model predicts; write a Boolean for one of two outcomes, a Text or an Integer for "
                "one of several, or a number"
            )
        if self.task is not None and self.task not in possible:
            meant = " or ".join(map(repr, possible))
            raise DefinitionError(f"{what}, which task {self.task!r} cannot mean; leave task out, or write {meant}")
        if self.task is None and not self.classes and not is_clear(kind):
            raise DefinitionError(
                f"{what}, which may be one of two outcomes, one of several or a number. Write classes=(OTHER, THE ONE "
                "OF THE SCORE) where it has two values, such as 0 and 1, task='multiclass' where each number is an "
                "outcome of its own, and task='regression' where it counts or measures"
            )
        if wrong := classes_contradiction(self.classes, kind, self.kind):
            raise DefinitionError(f"{what}: {wrong}")
        if self.otherwise is not None and (wrong := otherwise_contradiction(self.otherwise, self.classes, kind)):
            raise DefinitionError(f"{what}: {wrong}")

    def _check_later(self, where: str, spine: EventSource, later: LaterEvents) -> None:
        later.check(f"{where}: label", self.source, self.delay)
        if self.otherwise is not None:
            raise DefinitionError(
                f"{where}: otherwise is {self.otherwise!r}, and the label is computed from later events, of which "
                "there may be none: then it is of 0. Leave otherwise out"
            )
        for name in self.joins:
            if any(each.field(name, f"{where}: labels join on {name!r}").optional for each in (spine, self.source)):
                raise DefinitionError(
                    f"{where}: labels join on {name!r}, which is optional, so it is not known whose later events an "
                    "event has; make it required"
                )

    def _check_within(self, where: str, within: timedelta) -> None:
        said = f"{where}: labels count within {spelled_duration(within)}"
        if self.later is not None:
            raise DefinitionError(f"{said}, and later events say themselves for how long they count; leave within out")
        if within <= timedelta(0):
            raise DefinitionError(f"{said} of their event, so none does; give more, as in days(90)")
        if self.otherwise is not None and self.delay < within:
            raise DefinitionError(
                f"{said}, and an event without one is {self.otherwise!r} after {spelled_duration(self.delay)}, when "
                "one may still come; give a delay of within and of the time that a label takes to arrive, as in "
                "within + hours(1)"
            )

    def _check_text(self, where: str) -> None:
        """A condition that is written as a text."""
        found = _CONDITION.fullmatch(self.value) if isinstance(self.value, str) else None
        if found is not None and self.value not in {each.name for each in self.source.fields}:
            column, operator, value = found.groups()
            condition = f"Condition({column!r}, {_MEANT.get(operator, operator)!r}, {value})"
            raise DefinitionError(f"{where}: label {self.value!r} is a text; write value={condition}")

    def _check_join(self, where: str, spine: EventSource, name: str) -> None:
        ours, theirs = (each.field(name, f"{where}: labels join on {name!r}") for each in (spine, self.source))
        if not ours.type.is_like(theirs.type):
            kinds = " and ".join(
                f"{type(each.type).__name__} in {source.name!r} ({each.type.words})"
                for each, source in ((ours, spine), (theirs, self.source))
            )
            raise DefinitionError(f"{where}: labels join on {name!r}, which is {kinds}; give both one type")
