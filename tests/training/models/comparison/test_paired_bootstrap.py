from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from training.models.comparison.paired_bootstrap import compare

Floats = NDArray[np.float64]


def rows(count: int, seed: int) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """Labels, good scores, worse scores that are those with more noise, entities."""
    random = np.random.default_rng(seed)
    label = (random.random(count) < 0.2).astype(np.float64)
    good = np.clip(0.4 * label + random.normal(0.3, 0.2, count), 0.01, 0.99)
    worse = np.clip(good + random.normal(0, 0.3, count), 0.01, 0.99)
    return label, good, worse, random.integers(0, count // 4, count)


@pytest.mark.parametrize("metric", ["average_precision", "roc_auc", "log_loss", "brier_score"])
def test_of_many_rows_the_better_model_is_told_whichever_side_it_is_on(metric: str) -> None:
    label, good, worse, entity = rows(4_000, 1)
    found, turned = compare(metric, label, good, worse, entity), compare(metric, label, worse, good, entity)
    assert (found.verdict, turned.verdict) == ("better", "worse")
    assert found.better_share == 1.0
    assert found.low < found.difference < found.high
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    assert found.describe().startswith("better with 95% confidence, the difference is from ")


def test_of_few_rows_the_same_two_models_are_equal() -> None:
    label, good, worse, entity = rows(40, 2)
    assert compare("average_precision", label, good, good + (worse - good) / 5, entity).verdict == "equal"


def test_a_model_is_equal_to_itself_and_a_seed_gives_the_same_again() -> None:
    label, good, worse, entity = rows(500, 3)
    itself = compare("roc_auc", label, good, good, entity)
    assert (itself.verdict, itself.low, itself.high, itself.better_share) == ("equal", 0.0, 0.0, 0.0)
    assert itself.describe() == "equal in each of 400 resamples of 123 entities"
    assert compare("roc_auc", label, good, worse, entity, 7) == compare("roc_auc", label, good, worse, entity, 7)


def test_rows_of_one_class_decide_nothing() -> None:
    found = compare("roc_auc", np.zeros(20), np.arange(20.0), np.arange(20.0)[::-1], np.arange(20))
    assert found.verdict == "equal"
    assert np.isnan(found.difference)
    assert found.describe() == "none of 400 resamples of 20 entities has a value of it"


def test_resamples_in_which_both_are_equal_are_told_apart_from_those_in_which_one_is_better() -> None:
    """A metric of few steps is often equal, and "better in 3%" read as if the other one was better in the rest."""
    label, ours = np.tile([1.0, 0.0], 20), np.tile([0.9, 0.1], 20)
    theirs = ours.copy()
    theirs[0] = 0.0
    found = compare("roc_auc", label, ours, theirs, np.arange(40))
    assert 0 < found.equal_share < 1
    assert found.equal_share + found.better_share == pytest.approx(1)
    assert f"better in {found.better_share:.0%} and equal in {found.equal_share:.0%} of 400 res" in found.describe()


def test_alike_rows_of_one_entity_do_not_make_a_difference_sure() -> None:
    """A hundred copies of each of 12 rows are no more than 12 rows."""
    label, good, worse, _ = rows(12, 5)
    label[:3], entity = 1.0, np.arange(12)
    label, good, worse = (np.repeat(each, 100) for each in (label, good, worse))
    by_entity = compare("brier_score", label, good, worse, np.repeat(entity, 100))
    by_row = compare("brier_score", label, good, worse, np.arange(1_200))
    assert by_entity.high - by_entity.low > 5 * (by_row.high - by_row.low)


@pytest.mark.deep
def test_equal_models_are_seldom_told_apart() -> None:
    """Of 60 pairs that are equally good, at most a few fall outside of a 95 % interval."""
    told = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        label = (random.random(300) < 0.3).astype(np.float64)
        ours, theirs = (0.5 * label + random.normal(0, 0.4, 300) for _ in range(2))
        told += compare("roc_auc", label, ours, theirs, np.arange(300), seed).verdict != "equal"
    assert told <= 8
