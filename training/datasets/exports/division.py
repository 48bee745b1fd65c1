"""Train and test of rows that have no windows: by entity, by class, in folds of time, or as a column says.

A row is on one side only, in each fold. Which side follows from the row itself and the division, and from no other row
but the first and the last in time; except by class, where the rows of a class are counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.definitions import FeatureView
from shared_features.formats.dataset_rows import Division
from shared_features.formats.training_run import WINDOW
from shared_features.kernel.event_time import to_us
from training.datasets.exports.dataset_table import TAKEN, DatasetTable
from training.datasets.exports.known_labels import RowLabels, train_label
from training.datasets.exports.manifests import stamped
from training.datasets.exports.stratified import stratified
from training.errors import DatasetError

FOLD = "fold_"
_SIDES = ("train", "gap", "test")
_WHOLE = 1 << 64
_INSTANT = "instant_us, no column of a table"


def read_division(text: str, view: FeatureView, seed: int, test_share: float = 0.25) -> Division:
    """`entity[:NAME]`, `stratified[:COLUMN]`, `folds:K`, `sliding-folds:K` or `column:NAME`. Raises DatasetError."""
    kind, _, of = text.partition(":")
    names = list(dict.fromkeys(group.entity.name for group in view.groups))
    gap_us = to_us(view.label_delay)
    if kind == "entity" and (of or names[:1]) and (not of or of in names) and 0 < test_share < 1:
        return Division("entity", of or names[0], test_share=test_share, seed=seed)
    if kind == "stratified" and 0 < test_share < 1:
        return Division("stratified", of, test_share=test_share, seed=seed)
    if kind in ("folds", "sliding-folds") and of.isdecimal() and 1 <= int(of) <= 100:
        sort: Literal["folds", "sliding-folds"] = "folds" if kind == "folds" else "sliding-folds"
        return Division(sort, folds=int(of), gap_us=gap_us, train_labels=True)
    if kind == "column" and of:
        return Division("column", of, train_labels=True)
    raise DatasetError(
        f"Rows cannot be divided by {text!r} with a test share of {test_share:g}. Give entity or entity:NAME (of "
        f"{', '.join(names) or 'none'}) or stratified[:COLUMN] and a share between 0 and 1, folds:K, sliding-folds:K, "
        "or column:NAME."
    )


def check_division(division: Division, rows: pl.DataFrame, label: str, later: Iterable[str]) -> None:
    """What of a division can be seen before features are computed. rows: as they were brought. later: columns to come.

    label: the column with the label, which may be one to come. Raises DatasetError, as `divide` does.
    """
    columns = [*rows.columns, *later]
    if division.kind == "column" and division.of in rows.columns:
        _check_sides(_by_column(rows, division))
    elif division.kind == "column":
        _check_there(division.of, columns)
    elif division.kind == "stratified":
        _check_strata(division.of or label, columns)
    _refuse_taken([f"{FOLD}{fold}" for fold in range(1, division.folds + 1)] or [WINDOW], rows)


def divide(table: DatasetTable, view: FeatureView, division: Division, as_of_us: NDArray[np.int64]) -> DatasetTable:
    """The table with a column `window`, or one for each fold: train, gap or test; null where a row is of no use.

    Where the test begins after all rows to train on, and the label is the view's, a column of labels goes with each of
    them: `label_fold_1`, `label_window`. In it the label of a row to train on is the one that was known when the test
    began, as a run has it; every other is that of the cutoff.

    as_of_us: the instant of each row. Raises DatasetError where one side has no row, or a name is taken.
    """
    match division.kind:
        case "entity":
            columns = [_by_entity(table.data, view, division)]
        case "stratified":
            columns = [_by_class(table, view, division, as_of_us)]
        case "column":
            columns = [_by_column(table.data, division)]
        case _:
            columns = _folds(as_of_us, division)
    for each in columns:
        _check_sides(each)
    if division.train_labels and table.known_labels is not None:
        columns += _train_labels(table.known_labels, columns, division, as_of_us)
    _refuse_taken([each.name for each in columns], table.data)
    told = replace(table.manifest, division=division, digest="")
    return stamped(table.data.with_columns(columns), told, table.spine)


def _by_entity(data: pl.DataFrame, view: FeatureView, division: Division) -> pl.Series:
    """Every row of an entity is on one side, in every dataset of the same seed."""
    entity = next(group.entity for group in view.groups if group.entity.name == division.of)
    names = _key_names(data, entity.keys)
    keys = data.select(pl.col(names).cast(pl.String))
    known = keys.unique(maintain_order=True)
    bound = division.test_share * _WHOLE
    sides = ["test" if _number(division.seed, row) < bound else "train" for row in known.iter_rows()]
    joined = keys.join(known.with_columns(pl.Series(WINDOW, sides)), on=names, how="left", maintain_order="left")
    return joined[WINDOW]


def _by_class(table: DatasetTable, view: FeatureView, division: Division, as_of_us: NDArray[np.int64]) -> pl.Series:
    """A row is what its entities are at its instant: one that stands in the table twice is on one side."""
    column = division.of or table.label
    _check_strata(column, table.data.columns)
    keys = dict.fromkeys(key for group in view.groups for key in group.entity.keys)
    names = _key_names(table.data, keys)
    rows = table.data.select(names).with_columns(pl.Series(_INSTANT, as_of_us))
    return stratified(rows, table.data[column], division.test_share, division.seed)


def _key_names(data: pl.DataFrame, keys: Iterable[str]) -> list[str]:
    """The columns of keys of entities."""
    return [f"{TAKEN}{key}" if f"{TAKEN}{key}" in data.columns else key for key in keys]


def _number(seed: int, key: tuple[str, ...]) -> int:
    """64 bits of the key, which no other row changes."""
    return int.from_bytes(hashlib.sha256("\0".join([str(seed), *key]).encode()).digest()[:8])


def _by_column(data: pl.DataFrame, division: Division) -> pl.Series:
    _check_there(division.of, data.columns)
    column = data[division.of].cast(pl.String)
    if other := column.drop_nulls().filter(~column.drop_nulls().is_in(_SIDES)).unique().sort().head(5).to_list():
        raise DatasetError(
            f"Column {division.of!r} does not divide the rows. It has {', '.join(map(repr, other))}. Write train, test "
            "or gap, and nothing for a row of no use."
        )
    return column.alias(WINDOW)


def _check_there(column: str, columns: Sequence[str]) -> None:
    if column not in columns:
        raise DatasetError(
            f"The rows have no column {column!r} to divide them by. They have {', '.join(columns)}. Name one of these."
        )


def _check_strata(column: str, columns: Sequence[str]) -> None:
    if column not in columns:
        raise DatasetError(
            f"The rows have no {f'column {column!r}' if column else 'label'} to stratify them by. They have "
            f"{', '.join(columns)}. Name one of these, as in stratified:COLUMN."
        )


def _refuse_taken(names: Iterable[str], rows: pl.DataFrame) -> None:
    if taken := [name for name in names if name in rows.columns]:
        raise DatasetError(
            f"The rows have a column {taken[0]!r} already. The division of the rows stands under this name. Rename the "
            "column."
        )


def fold_edges(as_of_us: NDArray[np.int64], division: Division) -> list[int]:
    """Where the equal parts of the span of the rows begin, and where the last one ends; fold 1 tests the second."""
    first_us, end_us = int(as_of_us.min()), int(as_of_us.max()) + 1
    return [first_us + (end_us - first_us) * part // (division.folds + 1) for part in range(division.folds + 2)]


def _folds(as_of_us: NDArray[np.int64], division: Division) -> list[pl.Series]:
    """The first part only trains, each other one is a test once."""
    edges, found = fold_edges(as_of_us, division), []
    for fold in range(1, division.folds + 1):
        start_us, learned_us = edges[fold], edges[fold] - division.gap_us
        from_us = edges[fold - 1] - division.gap_us if division.kind == "sliding-folds" else edges[0]
        side = np.full(len(as_of_us), 3, np.uint32)
        side[(as_of_us >= from_us) & (as_of_us < learned_us)] = 0
        side[(as_of_us >= max(from_us, learned_us)) & (as_of_us < start_us)] = 1
        side[(as_of_us >= start_us) & (as_of_us < edges[fold + 1])] = 2
        names = pl.Series(f"{FOLD}{fold}", [*_SIDES, None], pl.String)
        found.append(names.gather(pl.Series(side)))
    return found


def _train_labels(
    known: RowLabels, sides: list[pl.Series], division: Division, as_of_us: NDArray[np.int64]
) -> list[pl.Series]:
    edges = fold_edges(as_of_us, division)[1:] if division.folds else [_test_start(sides[0], as_of_us)]
    found = []
    for side, start_us in zip(sides, edges, strict=False):  # the last edge ends the last test
        if start_us is not None:
            train = np.flatnonzero((side == "train").fill_null(value=False).to_numpy())
            found.append(known.of_split(train, start_us).alias(train_label(side.name)))
    return found


def _test_start(side: pl.Series, as_of_us: NDArray[np.int64]) -> int | None:
    """The first instant of the test; None where a row to train on is not before it."""
    train, test = (as_of_us[(side == name).fill_null(value=False).to_numpy()] for name in ("train", "test"))
    return int(test.min()) if train.max() < test.min() else None


def _check_sides(side: pl.Series) -> None:
    counts = {name: int((side == name).sum()) for name in ("train", "test")}
    if lacking := [name for name, count in counts.items() if not count]:
        raise DatasetError(
            f"The division {side.name!r} has no row to {' or '.join(lacking)}. Of {counted(len(side), 'row')}, "
            f"{counts['train']:,} are for training and {counts['test']:,} for the test. Give more rows, fewer folds or "
            "another seed."
        )
