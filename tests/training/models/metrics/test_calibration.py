from __future__ import annotations

import numpy as np
import pytest

from training.models.metrics.calibration import calibration_curve, calibration_error


def test_scores_that_are_shares_have_no_error_and_twice_them_have_their_mean() -> None:
    random = np.random.default_rng(1)
    share = random.random(100_000) / 2
    label = (random.random(100_000) < share).astype(np.float64)
    assert calibration_error(label, share) < 0.01
    assert calibration_error(label, share * 2) == pytest.approx(share.mean(), abs=0.01)
    assert np.abs(np.diff(calibration_curve(label, share), axis=1)).max() < 0.02


def test_of_several_classes_the_most_probable_one_is_meant() -> None:
    label = np.array([0.0, 0.0, 1.0, 1.0])
    sure = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.1]])
    assert calibration_error(label, sure) == pytest.approx(0.15)


def test_equal_scores_share_a_bin() -> None:
    assert calibration_curve(np.array([0.0, 1.0, 0.0, 1.0]), np.full(4, 0.4)) == [[0.4, 0.5]]
    assert np.isnan(calibration_error(np.empty(0), np.empty(0)))
