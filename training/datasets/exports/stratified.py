"""Train and test with the same share of each class, drawn by a seed."""

from __future__ import annotations

import numpy as np
import polars as pl

from shared_features.counted import counted
from shared_features.formats.training_run import WINDOW
from training.errors import DatasetError

_CLASS, _NUMBER, _PLACE, _TESTED = "class", "number", "place", "tested"
_MOST_CLASSES = 20


def stratified(keys: pl.DataFrame, classes: pl.Series, test_share: float, seed: int) -> pl.Series:
    """`train` or `test` for each row. Of the unknown class too the same share is for the test.

    keys: what makes a row; rows of the same keys are on one side, and count by the class of the first of them. classes:
    of each row. Raises DatasetError for too many classes, or for one of a single row.
    """
    names = [f"key_{at}" for at in range(keys.width)]
    rows = keys.rename(dict(zip(keys.columns, names, strict=True)))
    known = rows.with_columns(classes.alias(_CLASS)).unique(names, keep="first", maintain_order=True)
    sizes = known.group_by(_CLASS).len(_TESTED).sort(_CLASS, nulls_last=True)
    _check_sizes(sizes, classes.name)
    share = (pl.col(_TESTED) * test_share).round().clip(pl.min_horizontal(1, pl.col(_TESTED) - 1), pl.col(_TESTED) - 1)
    tested = sizes.with_columns(share)
    # The words of a generator stay the same from one version of numpy to the next. Its permutations may not.
    drawn = known.with_columns(pl.Series(_NUMBER, np.random.PCG64(seed % (1 << 64)).random_raw(len(known))))
    placed = drawn.with_columns(pl.col(_NUMBER).rank("ordinal").over(_CLASS).alias(_PLACE))
    placed = placed.join(tested, on=_CLASS, how="left", nulls_equal=True, maintain_order="left")
    side = pl.when(pl.col(_PLACE) <= pl.col(_TESTED)).then(pl.lit("test")).otherwise(pl.lit("train"))
    sides = placed.select(*names, side.alias(WINDOW))
    return rows.join(sides, on=names, how="left", nulls_equal=True, maintain_order="left")[WINDOW]


def _check_sizes(sizes: pl.DataFrame, column: str) -> None:
    known = sizes.filter(pl.col(_CLASS).is_not_null())
    if len(known) > _MOST_CLASSES:
        raise DatasetError(
            f"Column {column!r} cannot stratify the rows. It has {counted(len(known), 'class', 'classes')}, more than "
            f"{_MOST_CLASSES}. Name a column of few values, as in stratified:COLUMN."
        )
    if alone := known.filter(pl.col(_TESTED) < 2)[_CLASS].to_list():
        raise DatasetError(
            f"Column {column!r} cannot stratify the rows. Of its class {alone[0]!r} there is one row, which cannot be "
            "on both sides. Give more rows of this class, or leave it out."
        )
