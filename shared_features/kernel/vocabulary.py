"""The vocabulary of a category: its values, each with its place. A model knows a value by its place alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shared_features.kernel.hashing import text_codes

CategoryValue: TypeAlias = str | int | bool


class Vocabulary:
    """Turns codes into places: the code of a text is `text_codes`, that of a number or of true and false itself."""

    def __init__(self, values: Sequence[CategoryValue]) -> None:
        self.values = tuple(values)
        codes = value_codes(self.values)
        order = np.argsort(codes, kind="stable")
        self._codes, self._places = codes[order], order.astype(np.float32)

    def places(self, codes: NDArray[np.float64]) -> NDArray[np.float32]:
        """float32[n]: of each code; NaN where it is missing or not of the vocabulary.

        >>> Vocabulary(("basic", "gold")).places(value_codes(("gold", "silver")))
        array([ 1., nan], dtype=float32)
        """
        if not self.values:
            return np.full(len(codes), np.nan, np.float32)
        at = np.searchsorted(self._codes, codes).clip(max=len(self._codes) - 1)
        found: NDArray[np.float32] = np.where(self._codes[at] == codes, self._places[at], np.float32(np.nan))
        return found

    def named(self, place: float) -> CategoryValue | None:
        """The value of a place; None of NaN."""
        return None if np.isnan(place) else self.values[int(place)]


def value_codes(values: Sequence[CategoryValue]) -> NDArray[np.float64]:
    """The code of each value."""
    if any(isinstance(each, str) for each in values):
        texts: Any = values
        return text_codes(texts).astype(np.float64)
    return np.array(values, np.float64)
