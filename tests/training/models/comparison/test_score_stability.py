from __future__ import annotations

import numpy as np
import pytest

from training.models.comparison.score_stability import score_stability

SCORES = np.random.default_rng(7).random(4_000)


def test_a_model_is_stable_beside_itself() -> None:
    found = score_stability(SCORES, SCORES, (0.5, 0.5))
    assert found is not None
    assert (found.rows, found.psi, found.rank_correlation, found.changed, found.mean_change) == (4_000, 0, 1, 0, 0)


def test_scores_of_the_same_ranks_and_another_distribution_have_a_large_index_and_other_decisions() -> None:
    """As a calibration does: every rank stays, and a threshold means something else."""
    found = score_stability(SCORES**3, SCORES, (0.5, 0.5))
    assert found is not None
    assert found.rank_correlation == pytest.approx(1)
    assert found.psi is not None
    assert found.psi > 0.25
    assert found.changed == np.mean((SCORES >= 0.5) & (SCORES**3 < 0.5))


def test_scores_of_the_same_distribution_and_other_ranks_have_a_small_index() -> None:
    found = score_stability(SCORES[::-1], SCORES, (0.5, 0.5))
    assert found is not None
    assert found.psi == 0
    assert found.rank_correlation == pytest.approx(0, abs=0.05)
    assert found.changed == pytest.approx(0.5, abs=0.05)


def test_the_index_is_the_one_of_the_books() -> None:
    """Ten bins of a tenth; of ours, 40 rows moved from the first to the last: 2 x (0.04 x ln(0.14 / 0.06))."""
    theirs = np.arange(1_000.0)
    ours = np.where(theirs < 40, 999.5, theirs)
    found = score_stability(ours, theirs)
    assert found is not None
    assert found.psi == pytest.approx(0.04 * (np.log(0.14 / 0.1) - np.log(0.06 / 0.1)), rel=0.02)


def test_equal_scores_share_a_rank_and_a_model_that_says_one_thing_has_none() -> None:
    ours, theirs = np.array([1.0, 1.0, 2.0, 3.0]), np.array([1.0, 2.0, 2.0, 3.0])
    found, constant = score_stability(ours, theirs), score_stability(np.ones(4), theirs)
    assert found is not None
    assert constant is not None
    ranks = np.corrcoef([1.5, 1.5, 3, 4], [1, 2.5, 2.5, 4])[0, 1]
    assert found.rank_correlation == pytest.approx(ranks)
    assert found.mean_change == 0.25
    assert found.changed is None
    assert constant.rank_correlation is None


def test_of_several_classes_the_worst_one_counts_and_the_class_is_the_decision() -> None:
    theirs = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7], [0.5, 0.3, 0.2]], np.float32)
    ours = theirs.copy()
    ours[3] = [0.3, 0.5, 0.2]
    found = score_stability(ours, theirs)
    assert found is not None
    assert found.changed == 0.25
    each = [score_stability(ours[:, at], theirs[:, at]) for at in range(3)]
    assert found.rank_correlation == min(one.rank_correlation for one in each if one and one.rank_correlation)
    assert found.psi == max(one.psi for one in each if one and one.psi is not None)


def test_no_row_says_nothing() -> None:
    assert score_stability(np.empty(0), np.empty(0)) is None
