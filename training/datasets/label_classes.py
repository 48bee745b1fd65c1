"""The classes of a dataset's labels: which there are, in a fixed order, and the place of each label among them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import LabelSource
from shared_features.definitions.sources.label_classes import MOST_CLASSES
from training.errors import DatasetError

Classes = tuple[str | int, ...]

_SHOWN = 6


def find_classes(source: LabelSource, outcomes: pl.Series, used: NDArray[np.bool_]) -> Classes:
    """The classes that the source names, or else those of the used outcomes, sorted. Empty of labels without names.

    Raises DatasetError for an outcome that the source does not name, and for too many.
    """
    if not source.is_named:
        return ()
    if source.classes:
        _check_named(source, outcomes)
        return source.classes
    found = outcomes.filter(pl.Series(used, dtype=pl.Boolean)).drop_nulls().unique().sort().to_list()
    if len(found) > MOST_CLASSES:
        raise DatasetError(
            f"labels {source.words!r} of {source.source.name!r} have {len(found):,} different values, such as "
            f"{found[0]!r} and {found[-1]!r}; a model tells {MOST_CLASSES} classes apart at most. Write "
            "task='regression' for a number that counts or measures, or label by a field with fewer values"
        )
    return tuple(found)


def encode_outcomes(outcomes: pl.Series, classes: Classes) -> NDArray[np.float64]:
    """float64[n]: the place of each outcome among the classes, or the number that it is. NaN: unknown, or no class."""
    if classes:
        places = [float(place) for place in range(len(classes))]
        outcomes = outcomes.replace_strict(list(classes), places, default=None, return_dtype=pl.Float64)
    elif not outcomes.dtype.is_float():
        return np.full(len(outcomes), np.nan)  # of labels with names, of which there is none
    return outcomes.fill_null(float("nan")).to_numpy()


def tell_counts(classes: Classes, counts: Sequence[int]) -> str:
    """The counts of the most frequent classes, in a few words."""
    pairs = sorted(zip(counts, classes, strict=True), key=lambda pair: -pair[0])
    said = [f"{name} {count:,}" for count, name in pairs[:_SHOWN]]
    more = [f"{len(pairs) - _SHOWN} more classes"] if len(pairs) > _SHOWN else []
    return ", ".join([*said, *more])


def _check_named(source: LabelSource, outcomes: pl.Series) -> None:
    other = outcomes.filter(outcomes.is_not_null() & ~outcomes.is_in(list(source.classes)))
    if other.is_empty():
        return
    values = ", ".join(map(repr, other.unique().sort().head(_SHOWN).to_list()))
    raise DatasetError(
        f"{len(other):,} labels {source.words!r} of {source.source.name!r} are not among its classes "
        f"{source.classes!r}: {values}. Add them to the classes, or correct the labels"
    )
