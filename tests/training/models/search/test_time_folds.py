import numpy as np
import pytest

from training.errors import DatasetError
from training.models.search.time_folds import time_folds


@pytest.mark.parametrize("gap_us", [0, 40])
def test_each_part_is_scored_by_all_rows_whose_label_was_known_before_it_and_by_none_at_or_after_it(gap_us):
    random = np.random.default_rng(2)
    times, label = random.integers(0, 500, 1_000), random.integers(0, 2, 1_000).astype(float)
    folds = time_folds(times, label, "binary", 4, gap_us)
    assert len(folds) == 4
    for fold in folds:
        assert times[fold.earlier].max() < fold.from_us - gap_us
        assert fold.from_us <= times[fold.later].min()
        in_gap = np.flatnonzero((times >= fold.from_us - gap_us) & (times < fold.from_us))
        assert sorted([*fold.earlier, *in_gap, *fold.later]) == [
            at for at in range(1_000) if times[at] <= times[fold.later].max()
        ]
        assert 150 < len(fold.later) < 250, "a fifth of the rows, less or more those of one instant"
    scored = np.concatenate([fold.later for fold in folds])
    assert len(scored) == len(set(scored.tolist())), "each row is scored once"
    assert times.max() in times[folds[-1].later]


def test_a_fold_in_which_a_side_lacks_a_class_is_left_out():
    times, label = np.arange(100), np.tile([0.0, 1.0], 50)
    label[25:50] = 0
    assert [fold.from_us for fold in time_folds(times, label, "binary", 3)] == [50, 75]
    assert [fold.from_us for fold in time_folds(times, label, "regression", 3)] == [25, 50, 75]


@pytest.mark.parametrize("label", [np.zeros(100), (np.arange(100) < 5).astype(float)], ids=["one class", "early"])
def test_where_no_fold_can_tell_the_error_says_what_to_give(label):
    label[0] = 1
    with pytest.raises(DatasetError, match=r"none of 3 can tell.* Give a larger --train-days, or fewer folds"):
        time_folds(np.arange(100), label, "binary", 3)


def test_a_gap_that_leaves_nothing_to_learn_from_is_named():
    with pytest.raises(DatasetError, match=r"or not every class, 1 h before the next part begins\. Give a larger"):
        time_folds(np.arange(100), np.arange(100.0), "regression", 3, 3_600_000_000)


def test_rows_of_one_instant_make_no_fold():
    with pytest.raises(DatasetError, match="a part of the window has no row"):
        time_folds(np.full(100, 7), np.arange(100.0), "regression", 3)
