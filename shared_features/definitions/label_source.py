"""Where the labels of a view come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from shared_features.arguments import Checked
from shared_features.definitions.event_source import EventSource
from shared_features.errors import DefinitionError
from shared_features.kernel.event_time import spelled_duration


@dataclass(frozen=True)
class LabelSource(metaclass=Checked):
    """Where labels come from: `value` of the events of `source`, joined to the spine on the field `join`.

    `delay`: how long after the spine event its label can be known at the earliest.
    """

    source: EventSource
    value: str
    join: str
    delay: timedelta

    def check(self, where: str, spine: EventSource) -> None:
        """Raises DefinitionError where the events of a spine cannot be labelled."""
        value = self.source.field(self.value, f"{where}: label")
        if value.is_text:
            raise DefinitionError(
                f"{where}: label {self.value!r} is not a number field of {self.source.name!r}, it is a text; "
                "write a Boolean or a number"
            )
        ours, theirs = (
            each.field(self.join, f"{where}: labels join on {self.join!r}") for each in (spine, self.source)
        )
        if not ours.type.is_like(theirs.type):
            kinds = " and ".join(
                f"{type(each.type).__name__} in {source.name!r} ({each.type.words})"
                for each, source in ((ours, spine), (theirs, self.source))
            )
            raise DefinitionError(f"{where}: labels join on {self.join!r}, which is {kinds}; give both one type")
        if self.delay < timedelta(0):
            raise DefinitionError(
                f"{where}: labels have a delay of {spelled_duration(self.delay)}; give zero or more, as in days(7)"
            )
