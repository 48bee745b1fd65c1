"""The columns of a matrix, as the function that builds a candidate is told of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from training.models.encoders import Encoder, OneHot


@dataclass(frozen=True)
class Columns:
    """names: of the features, in the order of the matrix. categories: feature -> how many values it has.

    A category's column holds the place of its value, from 0 on, and NaN where the value is missing or was not seen in
    training. encoders: feature -> what the model's definition says of it. values: feature -> the names of its values,
    in the order of their places; empty where they are unknown yet.
    """

    names: tuple[str, ...]
    categories: Mapping[str, int] = field(default_factory=dict)
    encoders: Mapping[str, Encoder] = field(default_factory=dict)
    values: Mapping[str, tuple[object, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        names: tuple[str, ...],
        values: Mapping[str, tuple[object, ...]],
        encoders: Mapping[str, Encoder] | None = None,
    ) -> Columns:
        """Of categories whose values are known."""
        return cls(names, {name: len(each) for name, each in values.items()}, encoders or {}, values)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(column, number of values) of each category."""
        return tuple((self.names.index(name), size) for name, size in self.categories.items())

    def encoded(self) -> Any:
        """A step of a pipeline that encodes each feature as the model's definition says; other categories by OneHot.

        Behind it stand first the features that have no encoder.
        """
        return self._step({**dict.fromkeys(self.categories, OneHot()), **self.encoders})

    def one_hot(self) -> Any:
        """A step of a pipeline that turns each category into one column for each of its values, behind the numbers."""
        return self._step(dict.fromkeys(self.categories, OneHot()))

    def _step(self, encoders: Mapping[str, Encoder]) -> Any:
        # Imported here: a definition is read by programs that never fit.
        from training.models.encoding.encoded_columns import EncodedColumn, EncodedColumns

        return EncodedColumns(
            tuple(
                EncodedColumn(self.names.index(name), encoder, self.categories.get(name, 0), self.values.get(name, ()))
                for name, encoder in encoders.items()
            )
        )

    @property
    def numbers(self) -> tuple[int, ...]:
        """The places of the columns that are numbers."""
        return tuple(at for at, name in enumerate(self.names) if name not in self.categories)


Build = Callable[[Columns, int], Any]
"""From the columns of the matrix and a seed to an estimator or a pipeline of scikit-learn, not fitted yet."""
