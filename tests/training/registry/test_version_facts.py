"""What is told of a version fits its task."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shared_features.formats.dataset_manifest import TimeSplit, WindowCounts
from shared_features.formats.dataset_rows import Division
from shared_features.kernel.event_time import DAY_US
from tests.shared_features.formats.test_dataset_manifest import DATASET
from tests.shared_features.formats.test_model_manifest import MANIFEST
from training.errors import RegistryError
from training.facts import FactRow
from training.registry.deletion import delete_version
from training.registry.version_facts import facts_of_version, find_version, says_something
from training.registry.version_list import list_versions, version_lines
from training.registry.versions import Registry

TRAIN = replace(DATASET.rows.train, labelled=30, positive=12, by_class=(18, 12))
METRICS = {"chosen": "m", "chosen_by": "rmse", "models": {"m": {"mae": 1.0, "rmse": 2.0, "note": "x"}, "n": {}}}


def published(folder: Path, task: str, train: WindowCounts = TRAIN) -> Registry:
    classes = () if task == "regression" else ("kept", "lost")
    dataset = replace(DATASET, task=task, classes=classes, rows=replace(DATASET.rows, train=train))
    registry = Registry(folder)
    registry.publish(replace(MANIFEST, model="m", task=task, classes=classes), b"graph", METRICS, dataset)
    return registry


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ("binary", {"train rows": 30, "train rows, positive": 12}),
        ("multiclass", {"train rows": 30, "train rows, kept": 18, "train rows, lost": 12}),
        ("regression", {"train rows": 30}),
    ],
)
def test_rows_are_counted_by_the_outcomes_that_the_label_has(tmp_path: Path, task: str, told: dict[str, int]) -> None:
    data = facts_of_version(published(tmp_path, task), "m", 1)["data"]
    assert {name: each for name, each in data.items() if name.startswith("train rows")} == told


@pytest.mark.parametrize(
    ("division", "told"),
    [
        (None, {"divided": "no, all rows are to learn from"}),
        (Division("entity", "machine"), {"divided": "entity machine"}),
        (
            Division("sliding-folds", folds=3, gap_us=DAY_US),
            {"divided": "sliding-folds 3", "test window": "1970-01-05T00:00:00Z to 1970-01-08T00:00:00Z"},
        ),
    ],
)
def test_a_span_has_no_train_window_and_a_test_window_only_where_it_was_divided_in_time(
    tmp_path: Path, division: Division | None, told: dict[str, str]
) -> None:
    """All of a span was told as its train window, and an instant as its test window, by `registry show` and MLflow."""
    dataset = replace(DATASET, is_range=True, division=division, split=TimeSplit(0, 3 * DAY_US, DAY_US, 3 * DAY_US))
    registry = Registry(tmp_path)
    registry.publish(replace(MANIFEST, model="m"), b"graph", METRICS, dataset)
    data = facts_of_version(registry, "m", 1)["data"]
    of_windows = {name: each for name, each in data.items() if name in ("span", "divided") or "window" in name}
    assert of_windows == {"span": "1970-01-01T00:00:00Z to 1970-01-08T00:00:00Z", **told}


def test_the_list_and_the_facts_tell_what_chose_the_version_and_what_its_graph_costs(tmp_path: Path) -> None:
    registry = published(tmp_path, "regression")
    assert "rmse 2.0000" in list(version_lines(list_versions(registry)))[1]
    assert facts_of_version(registry, "m", 1)["graph"] == {"bytes": 5, "one row, us": 11.0, "100 rows, us": 60.0}


@pytest.mark.parametrize(
    ("section", "name", "first", "second", "tells"),
    [
        ("graph", "one row, us", 12.0, 13.0, False),
        ("graph", "100 rows, us", 100.0, 250.0, True),
        ("graph", "100 rows, us", 250.0, 100.0, True),
        ("graph", "one row, us", None, 13.0, True),
        ("graph", "bytes", 1_000, 1_001, True),
        ("graph", "bytes", 1_000, 1_000, False),
        ("certificate", "worst difference", 1.5e-7, 2e-7, False),
        ("certificate", "tolerance", 1e-5, 2e-5, True),
        ("gate", "one row <= 2 times the champion's", "pass: 9 us", "pass: 11 us", False),
        ("gate", "one row <= 2 times the champion's", "pass: 9 us", "warning: 29 us", True),
        ("gate", "roc_auc >= 0.5", "pass: roc_auc 0.6", "pass: roc_auc 0.7", True),
    ],
)
def test_times_that_differ_by_chance_are_left_out_of_what_differs(
    section: str, name: str, first: float | str | None, second: float | str, tells: bool
) -> None:
    """Each two versions differed in both times, of equal graphs too."""
    assert says_something(FactRow(section, name, first, second)) is tells


def test_a_model_whose_versions_were_deleted_is_told_so_and_not_offered(tmp_path: Path) -> None:
    """It said that there is no model m, and that there are: m."""
    registry = published(tmp_path, "regression")
    registry.publish(replace(MANIFEST, model="n", task="regression", classes=()), b"graph", METRICS, DATASET)
    delete_version(registry, "m", 1)
    with pytest.raises(RegistryError, match=r"All versions of model 'm' were deleted\. .* has: n\. Name"):
        find_version(registry, "m", None)
    with pytest.raises(RegistryError, match=r"has no model 'o'\. It has: n\. Name"):
        find_version(registry, "o", None)
    delete_version(registry, "n", 1)
    with pytest.raises(RegistryError, match=r"has: none\. Publish"):
        find_version(registry, "n", None)
