"""A feature's value as an answer has it: JSON has no NaN and no infinity."""

from __future__ import annotations

import math
from typing import Literal

FeatureValue = float | Literal["Infinity", "-Infinity"] | None
"""JSON has no infinity, and null would say "missing": infinity is written as a text."""

ShownValue = float | str | bool | None
"""The same, or the value of a category."""


def feature_value(value: float) -> FeatureValue:
    """NaN becomes null, infinity its name."""
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return None if math.isnan(value) else value
