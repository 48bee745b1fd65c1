"""The categories of a request under their own values: a model sees their places, which only its manifest knows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import Boolean, FeatureView, Input
from shared_features.kernel.hashing import text_codes

Value = str | bool | int | None
"""A text that is stored, and that the request has not, is `text with code N`: a code cannot be turned back."""


def category_values(
    view: FeatureView, texts: Mapping[str, NDArray[Any]], codes: NDArray[np.float64]
) -> Iterator[dict[str, Value]]:
    """Of each row, category -> value. texts: the text columns of the request. codes: `category_codes` of the rows."""
    for row, of_row in enumerate(codes.tolist()):
        known = {column[row] for column in texts.values() if isinstance(column[row], str)}
        named = dict(zip(text_codes(sorted(known)).tolist(), sorted(known), strict=True))
        categories = zip(view.categories, of_row, strict=True)
        yield {column.name: _value(view, column.inputs[0], code, named) for (_, column), code in categories}


def _value(view: FeatureView, wanted: Input, code: float, named: Mapping[int, str]) -> Value:
    if math.isnan(code):
        return None
    if wanted.is_text:
        return named.get(int(code), f"text with code {int(code)}")
    is_boolean = wanted.field is not None and isinstance(view.source.field(wanted.field).type, Boolean)
    return bool(code) if is_boolean else int(code)
