"""A model is measured on the rows of an exported dataset as on those of the run that it was exported from."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shared_features import Category, Field, LabelSource, Text, minutes
from shared_features.formats.dataset_rows import Division
from tests.domains.machines import BREAKDOWN, BREAKDOWNS
from tests.training.datasets.exports.exported_machines import SHORT
from tests.training.lake import LATENESS_US
from training.datasets.dataset_builder import build_dataset
from training.datasets.exports.dataset_table import DatasetTable
from training.datasets.exports.division import divide
from training.datasets.exports.event_range import export_range
from training.datasets.exports.measured_rows import measured_rows
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.datasets.time_split import TEST, TRAIN
from training.errors import DatasetError


def test_rows_of_an_exported_dataset_are_those_of_the_run(events_then: DatasetTable, early_lake: Path) -> None:
    whole = build_dataset(pin_view(OfflineStore(early_lake), BREAKDOWN, LATENESS_US), SHORT)[0]
    found = measured_rows(events_then, BREAKDOWN)
    for each in fields(whole):
        if each.name != "manifest":
            np.testing.assert_array_equal(getattr(found, each.name), getattr(whole, each.name), each.name)
            assert np.asarray(getattr(found, each.name)).dtype == np.asarray(getattr(whole, each.name)).dtype
    assert found.manifest.rows == whole.manifest.rows


def test_rows_without_labels_and_rows_that_are_not_divided_are_for_no_test(
    served_then: DatasetTable, early_lake: Path
) -> None:
    unlabelled = measured_rows(served_then, BREAKDOWN)
    assert np.isnan(unlabelled.label).all()
    undivided = measured_rows(export_range(pin_view(OfflineStore(early_lake), BREAKDOWN, LATENESS_US)), BREAKDOWN)
    assert not np.isnan(undivided.label).all()
    sides = served_then.data.with_columns(window=pl.lit("test"))
    divided = replace(
        served_then, data=sides, manifest=replace(served_then.manifest, division=Division("column", "window"))
    )
    for found in (unlabelled, undivided, measured_rows(divided, BREAKDOWN)):
        assert set(found.window) == {TRAIN}
        assert len(found.entity) == len(found) == len(found.matrix) > 0
    assert set(unlabelled.event_time_us) == set(served_then.data["as_of"])
    assert set(unlabelled.offset) == {0}


def test_a_divided_table_keeps_labelled_rows_and_takes_of_folds_the_last(early_lake: Path) -> None:
    table = export_range(pin_view(OfflineStore(early_lake), BREAKDOWN, LATENESS_US))
    table = divide(table, BREAKDOWN, Division("folds", folds=3), table.instants_us)
    found = measured_rows(table, BREAKDOWN)
    rows = table.data.drop_nulls("label")
    assert len(found) == len(rows) < len(table.data)
    for code, side in ((TRAIN, "train"), (TEST, "test")):
        assert (found.window == code).sum() == (rows["fold_3"] == side).sum()
    counts = found.manifest.rows.test
    assert (counts.labelled, counts.positive) == (len(found.rows(TEST)), int(found.label[found.rows(TEST)].sum()))


def test_a_span_is_measured_by_the_entity_that_the_model_names_and_a_run_by_its_own(
    events_then: DatasetTable, early_lake: Path
) -> None:
    table = export_range(pin_view(OfflineStore(early_lake), BREAKDOWN, LATENESS_US))
    by_machine, by_plant = measured_rows(table, BREAKDOWN), measured_rows(table, BREAKDOWN, "plant")
    assert (by_machine.manifest.entity, by_plant.manifest.entity) == ("machine", "plant")
    assert len(set(by_plant.entity)) == table.data["plant"].n_unique() < len(set(by_machine.entity))
    assert measured_rows(events_then, BREAKDOWN, "plant").manifest.entity == events_then.manifest.entity


def test_a_view_without_groups_is_measured_row_by_row_and_an_entity_that_there_is_not_is_refused(
    served_then: DatasetTable,
) -> None:
    """Features of the request alone: a foreign model of such a view ended in StopIteration."""
    found = measured_rows(served_then, replace(BREAKDOWN, features=("celsius", "humidity"), labels=None))
    assert len(set(found.entity.tolist())) == len(found.entity)
    with pytest.raises(DatasetError, match=r"has no entity 'wheel'.* Its entities are: machine, plant"):
        measured_rows(served_then, BREAKDOWN, "wheel")


def test_a_class_is_its_place_and_rows_on_no_side_are_left_out(served_then: DatasetTable) -> None:
    data = served_then.data[:4].with_columns(
        end=pl.Series(["up", "out", None, "down"]), window=pl.Series(["test", "train", "test", None])
    )
    assert served_then.manifest.spine is not None
    assert served_then.spine is not None
    told = replace(
        served_then.manifest,
        task="multiclass",
        spine=replace(served_then.manifest.spine, label="end"),
        division=Division("column", "window"),
    )
    ended = replace(BREAKDOWNS, fields=(*BREAKDOWNS.fields, Field("end", Text())))
    labels = LabelSource(ended, "end", join="reading", delay=minutes(0), classes=("up", "down", "out"))
    found = measured_rows(DatasetTable(data, told, served_then.spine[:4]), replace(BREAKDOWN, labels=labels))
    assert found.manifest.classes == ("up", "down", "out")
    np.testing.assert_array_equal(found.label, [0, 2])
    np.testing.assert_array_equal(found.window, [TEST, TRAIN])
    assert found.manifest.rows.test.by_class == (1, 0, 0)
    unlabelled = replace(served_then, manifest=replace(served_then.manifest, task="multiclass"))
    assert measured_rows(unlabelled, replace(BREAKDOWN, labels=labels)).manifest.classes == ("up", "down", "out")
    unnamed = replace(BREAKDOWN, labels=replace(labels, classes=()))
    with pytest.raises(DatasetError, match=r"The dataset has no labels, and the LabelSource names no classes\."):
        measured_rows(unlabelled, unnamed)


def test_values_of_categories_have_no_places_and_a_run_is_asked_for(served_then: DatasetTable) -> None:
    view = replace(BREAKDOWN, features=(Category("firmware"), *BREAKDOWN.features))
    with pytest.raises(DatasetError, match=r"values of categories \(firmware\).* Give the dataset of a run"):
        measured_rows(served_then, view)
