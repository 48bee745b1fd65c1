"""A category: a feature whose values are names. A model sees which one it is, and never how large."""

from __future__ import annotations

from dataclasses import dataclass

from shared_features.arguments import Checked
from shared_features.definitions.field_types import Boolean, Integer, Text
from shared_features.definitions.fields import Field
from shared_features.definitions.groups.feature_group import Feature
from shared_features.definitions.sources.event_source import EventSource
from shared_features.errors import DefinitionError

MOST_VALUES = 1_000


@dataclass(frozen=True)
class Category(metaclass=Checked):
    """The feature: a field of the view's source by its name, or the first or latest value of a field that is stored.

    A text, true or false, or a whole number. A model knows the values that its train window has, of more than `at_most`
    the most frequent. Every other value counts as a missing one.
    """

    feature: str | Feature
    at_most: int = 100

    def __post_init__(self) -> None:
        if not 1 <= self.at_most <= MOST_VALUES:
            raise DefinitionError(f"Category(...): at_most is {self.at_most}; give 1 to {MOST_VALUES}")


def category_field(source: EventSource, field: str | None, feature: Feature | None) -> Field | None:
    """The field whose values a category has. None where the input is a quantity or an instant."""
    if field is not None:
        return source.field(field)
    if feature is None or feature.aggregate.column is None or feature.aggregate.aggregation.name not in _KEEPS:
        return None
    return feature.group.sources[0].field(feature.aggregate.column)


def category_fault(field: Field | None) -> str:
    """Why a field cannot be a category, and what to do; "" where it can."""
    if field is None:
        return "is a quantity; use it as a number, or take a category of a field, of First or of Last"
    if not isinstance(field.type, Text | Boolean | Integer):
        return f"is {type(field.type).__name__} ({field.type.words}), which is a quantity; use it as a number"
    return ""


_KEEPS = ("first", "last")
"""Aggregations whose value is one that an event had."""
