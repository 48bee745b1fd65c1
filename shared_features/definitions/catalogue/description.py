"""What a person reads about a field or a feature: a sentence and a unit, written or derived.

Pages, schemas and `catalogue` show it. It is never part of a fingerprint.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared_features.counted import counted
from shared_features.definitions.fields import Field
from shared_features.definitions.groups.feature_group import Feature
from shared_features.definitions.views.feature_view import FeatureView
from shared_features.definitions.views.view_feature import ViewFeature
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_us

_DURATIONS = ((DAY_US, "day"), (HOUR_US, "hour"), (MINUTE_US, "minute"), (SECOND_US, "second"))
_UNIT = re.compile(r"\bUnit: ([^.;]+)[.;]? ?")


@dataclass(frozen=True, slots=True)
class Description:
    """What the value is, without the last full stop, and what it counts ("" where it counts nothing)."""

    text: str
    unit: str = ""

    def __str__(self) -> str:
        if not self.unit:
            return self.text
        return f"{self.text}. Unit: {self.unit}" if ". " in self.text else f"{self.text}, in {self.unit}"


def describe_field(field: Field) -> Description:
    """What a field is: its own description, or what its type is."""
    return Description(field.description.rstrip(".") or field.type.words, field.unit)


def describe_feature(feature: Feature) -> Description:
    """What a stored feature is, as in "Mean of price over 7 days, in euro"."""
    aggregate, over = feature.aggregate, feature.window
    column = aggregate.column
    of = f" with {column}" if column else ""
    text = aggregate.aggregation.wording.format(column=column, event=f"event{of}", events=f"events{of}")
    text = f"{text[0].upper()}{text[1:]} over {describe_duration(over.length)}"
    if feature.group.where:
        text += f" where {' and '.join(each.words for each in feature.group.where)}"
    if aggregate.description:
        text = f"{aggregate.description.rstrip('.')}: {text}"
    return Description(text, _unit(feature))


def describe_function(function: Callable[..., Any]) -> Description:
    """What an on-demand function says of itself: its docstring without examples; its unit follows "Unit:" there."""
    text = (inspect.getdoc(function) or "").partition(">>>")[0]
    said = " ".join(text.split())
    unit = _UNIT.search(said)
    said = _UNIT.sub("", said).strip().rstrip(".")
    return Description(said or f"Computed by {function.__name__}", unit[1] if unit else "")


def describe_column(view: FeatureView, column: ViewFeature) -> Description:
    """What a column of a view's matrix is: a field of the request, a stored feature or an on-demand feature."""
    if column.function is not None:
        return describe_function(column.function)
    (passed,) = column.inputs
    if passed.feature is not None:
        return describe_feature(passed.feature)
    if passed.field is not None:
        return describe_field(view.source.field(passed.field))
    return Description("Instant of the request, since 1970 UTC", "microseconds")


def describe_duration(duration: timedelta) -> str:
    """A duration in words, as in "7 days"."""
    whole = to_us(duration)
    for unit_us, name in _DURATIONS:
        if whole % unit_us == 0:
            return counted(whole // unit_us, name)
    return counted(whole, "microsecond")


def _unit(feature: Feature) -> str:
    aggregate = feature.aggregate
    if aggregate.aggregation.unit is not None:
        return aggregate.aggregation.unit
    return "" if aggregate.column is None else feature.group.sources[0].field(aggregate.column).unit
