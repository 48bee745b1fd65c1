"""The columns of a matrix, as the function that builds a candidate is told of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Columns:
    """names: of the features, in the order of the matrix. categories: feature -> how many values it has.

    A category's column holds the place of its value, from 0 on, and NaN where the value is missing or was not seen in
    training.
    """

    names: tuple[str, ...]
    categories: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(column, number of values) of each category."""
        return tuple((self.names.index(name), size) for name, size in self.categories.items())

    def one_hot(self) -> Any:
        """A step of a pipeline that turns each category into one column for each of its values, behind the numbers."""
        # Imported here: a definition is read by programs that never fit.
        from training.models.one_hot import OneHotCategories

        return OneHotCategories(self.sizes)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The places of the columns that are numbers."""
        return tuple(at for at, name in enumerate(self.names) if name not in self.categories)


Build = Callable[[Columns, int], Any]
"""From the columns of the matrix and a seed to an estimator or a pipeline of scikit-learn, not fitted yet."""
