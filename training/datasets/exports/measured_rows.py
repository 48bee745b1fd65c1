"""The rows of an exported dataset, as a model is measured on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from shared_features.definitions import FeatureView
from shared_features.formats.dataset_manifest import DatasetManifest, RowCounts, WindowCounts
from shared_features.formats.entity_keys import entity_keys
from shared_features.formats.offline_tables import OFFSET, PARTITION
from training.datasets.dataset_builder import entity_codes
from training.datasets.exports.dataset_table import TAKEN, DatasetTable
from training.datasets.exports.measured_split import measured_split
from training.datasets.given_spine import check_spine
from training.datasets.label_classes import Classes, encode_outcomes, find_classes
from training.datasets.offline_store import event_columns
from training.datasets.time_split import GAP, TEST, TRAIN
from training.datasets.training_dataset import TrainingDataset, canonical
from training.errors import DatasetError

_SIDES = {"train": TRAIN, "gap": GAP, "test": TEST}
_NO_SIDE = 3


def measured_rows(table: DatasetTable, view: FeatureView, entity: str | None = None) -> TrainingDataset:
    """The labelled rows, each in its window; of several folds in that of the last one, which trains on most.

    A row that is on no side is left out, as a run has no row outside its windows.

    entity: whose precision a day is measured, where the table is not of a run, which has its own; None: the first
    group's.

    Without a label, or undivided, all rows are of the train window, and a label that is not known is NaN: nothing can
    be measured on them. Raises DatasetError where the categories of the view have no places in the table, or where its
    classes are not known.
    """
    told, data = table.manifest, table.data
    if entity is not None and (told.is_range or told.spine is not None):
        told = replace(told, entity=entity)
    if view.categories and not told.categories:
        raise DatasetError(
            f"The dataset has the values of categories ({', '.join(each.name for _, each in view.categories)}), and a "
            "model sees their places among those of its train window. Give the dataset of a run, which has windows: "
            "export it without --spine, --from and --to."
        )
    last = table.windows[-1] if table.windows else ""
    label, classes = _label(table, view, table.label_of(last))
    if told.task == "multiclass" and not classes:
        raise DatasetError(
            f"The classes that a model of {told.view.label} answers with are not known. The dataset has no labels, and "
            "the LabelSource names no classes. Give it classes=(...), or give a dataset with labels."
        )
    is_measured = bool(last) and not np.isnan(label).all()
    window = _window(data[last]) if is_measured else np.full(len(data), TRAIN, np.int8)
    rows = np.flatnonzero(~np.isnan(label) & (window != _NO_SIDE)) if is_measured else np.arange(len(data))
    as_of_us = table.instants_us if table.spine is None else check_spine(view, table.spine).as_of_us
    split = measured_split(told, view, as_of_us, window)
    return TrainingDataset(
        features=told.features,
        matrix=canonical(_matrix(data, told.features)[rows]),
        label=label[rows],
        window=window[rows],
        partition=_position(data, PARTITION, told.features).astype(np.int32)[rows],
        offset=_position(data, OFFSET, told.features)[rows],
        event_time_us=as_of_us[rows],
        entity=_entity(data, view, told.entity, told.features)[rows],
        manifest=replace(
            told, classes=classes, split=split, rows=_row_counts(told, label[rows], window[rows], classes)
        ),
    )


def _row_counts(
    told: DatasetManifest, label: NDArray[np.float64], window: NDArray[np.int8], classes: Classes
) -> RowCounts:
    """Of a table that was divided, by its sides; of any other, as it says."""
    if told.division is None or np.isnan(label).any():
        return told.rows
    train, gap, test = (_counts(told.task, label[window == side], len(classes)) for side in _SIDES.values())
    return replace(told.rows, train=train, gap=gap, test=test)


def _counts(task: str, label: NDArray[np.float64], classes: int) -> WindowCounts:
    positive = int((label > 0).sum()) if task == "binary" else 0
    by_class = np.bincount(label.astype(np.int64), minlength=classes) if task == "multiclass" else ()
    return WindowCounts(len(label), positive, 0, tuple(map(int, by_class)))


def _label(table: DatasetTable, view: FeatureView, name: str) -> tuple[NDArray[np.float64], Classes]:
    """float64[n]: as a dataset has it, NaN where it is not known. And the classes."""
    told, source = table.manifest, view.predicted
    if not name or source is None:
        named = source.classes if source is not None and source.is_named else ()
        return np.full(len(table.data), np.nan), told.classes or named
    found = table.data[name]
    if told.classes:  # the table has the places already
        return _floats(found), told.classes
    classes = find_classes(source, found, found.is_not_null().to_numpy())
    return (encode_outcomes(found, classes) if classes else _floats(found)), classes


def _floats(column: pl.Series) -> NDArray[np.float64]:
    try:
        return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    except PolarsError as error:
        found = next(iter(column.drop_nulls()), None)
        raise DatasetError(
            f"The label {column.name!r} of the dataset is not a number: it has {found!r}. Write 0 and 1, or name the "
            "two outcomes by classes=(...) of the LabelSource."
        ) from error


def _window(side: pl.Series) -> NDArray[np.int8]:
    return side.replace_strict(_SIDES, default=_NO_SIDE, return_dtype=pl.Int8).to_numpy()


def _matrix(data: pl.DataFrame, features: tuple[str, ...]) -> NDArray[np.float32]:
    return data.select(pl.col(name).cast(pl.Float32).fill_null(float("nan")) for name in features).to_numpy()


def _position(data: pl.DataFrame, name: str, features: tuple[str, ...]) -> NDArray[np.int64]:
    """Zeros where the table has no positions, because a user brought its rows."""
    column = _about(name, features)
    return data[column].to_numpy().astype(np.int64) if column in data.columns else np.zeros(len(data), np.int64)


def _entity(data: pl.DataFrame, view: FeatureView, name: str, features: tuple[str, ...]) -> NDArray[np.int64]:
    """int64[n]: as the dataset of a run has it; of a view without groups, each row is an entity of its own.

    Raises DatasetError where no group is of this entity.
    """
    if not view.groups:
        return np.arange(len(data))
    entity = next((group.entity for group in view.groups if group.entity.name == name), None)
    if entity is None:
        known = ", ".join(dict.fromkeys(group.entity.name for group in view.groups))
        raise DatasetError(
            f"{view.label} has no entity {name!r}, by which the model is to be measured. Its entities are: {known}. "
            "Name one of them."
        )
    keys = data.select(pl.col(_about(key, features)).alias(key) for key in entity.keys)
    columns, _ = event_columns(view.source, keys, entity.keys)
    return entity_codes(entity_keys(entity, view.source, columns))


def _about(name: str, features: tuple[str, ...]) -> str:
    """The column that tells this about a row."""
    return f"{TAKEN}{name}" if name in features else name
