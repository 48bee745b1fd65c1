from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.training.random_dataset import FEATURES, random_dataset
from training.datasets.time_split import TEST
from training.datasets.training_dataset import TrainingDataset
from training.models.comparison.slice_metrics import slice_metrics


def with_column(
    name: str, values: list[float], categories: dict[str, tuple[str, ...]] | None = None
) -> TrainingDataset:
    """A dataset whose column takes these values in turn."""
    dataset = random_dataset()
    matrix = dataset.matrix.copy()
    matrix[:, FEATURES.index(name)] = np.resize(np.array(values, np.float32), len(matrix))
    return replace(dataset, matrix=matrix, manifest=replace(dataset.manifest, categories=categories or {}))


def test_a_model_that_guesses_in_one_place_is_found_there() -> None:
    dataset = with_column("constant", [0, 1, 2, np.nan], {"constant": ("north", "south", "west")})
    rows = dataset.rows(TEST)
    label, place = dataset.label[rows], dataset.matrix[rows, FEATURES.index("constant")]
    random = np.random.default_rng(2)
    score = np.where(place == 1, random.random(len(rows)), 0.8 * label + 0.2 * random.random(len(rows)))
    found = slice_metrics(dataset, score, "constant", "roc_auc")
    assert list(found["slices"]) == ["north", "south", "west", "missing"]
    assert (found["worst"], found["slices"]["north"]["roc_auc"]) == ("south", 1.0)
    assert 0.35 < found["gap"] < 0.65
    assert sum(each["rows"] for each in found["slices"].values()) == len(rows)
    assert slice_metrics(dataset, score, "constant", "brier_score")["worst"] == "south", "of an error the largest"


def test_numbers_have_a_slice_for_each_value_or_for_each_quarter() -> None:
    score = np.random.default_rng(3).random(len(random_dataset().rows(TEST)))
    few = slice_metrics(with_column("ratio", [0.5, 1, 2]), score, "ratio", "roc_auc")
    assert list(few["slices"]) == ["0.5", "1", "2", "missing"]
    assert few["slices"]["missing"] == {"rows": 0, "roc_auc": None}
    many = slice_metrics(random_dataset(), score, "cents", "roc_auc")
    names = list(many["slices"])
    assert names[0].startswith("below ")
    assert " to " in names[1]
    assert names[3].startswith("from ")
    sizes = [each["rows"] for each in many["slices"].values()][:4]
    assert max(sizes) - min(sizes) < 0.05 * sum(sizes)


def test_of_one_slice_or_of_small_ones_nothing_is_compared() -> None:
    score = np.random.default_rng(3).random(len(random_dataset().rows(TEST)))
    one = slice_metrics(with_column("ratio", [1]), score, "ratio", "roc_auc")
    assert (one["worst"], one["best"], one["gap"]) == (None, None, None)
    small = slice_metrics(with_column("ratio", [1.0] * 99 + [2.0]), score, "ratio", "roc_auc")
    assert small["slices"]["2"]["rows"] < 50
    assert small["gap"] is None
