"""Residuals as points and as the bands that most of them lie between."""

from __future__ import annotations

import numpy as np

from training.models.metrics.residual_curves import residual_curves


def test_the_bands_of_a_model_that_is_off_by_one_to_two_lie_there() -> None:
    random = np.random.default_rng(0)
    value = random.uniform(0, 100, 20_000).astype(np.float32)
    found = residual_curves(value - random.uniform(1, 2, 20_000), value)
    assert [len(each) for each in found.values()] == [300, 300, 20, 20, 20]
    for name, residual in (("residual_median", 1.5), ("residual_low", 1.05), ("residual_high", 1.95)):
        assert np.allclose(np.array(found[name])[:, 1], residual, atol=0.05)
    assert found["residual_median"][0][0] < 5 < 95 < found["residual_median"][-1][0]
    dots = np.array(found["residuals"])
    assert (np.diff(dots[:, 0]) >= 0).all()
    assert np.allclose(dots[:, 0] - np.array(found["values"])[:, 1], dots[:, 1], atol=1e-3)


def test_a_few_rows_are_drawn_as_they_are() -> None:
    found = residual_curves(np.array([1.0, 3.0]), np.array([2.0, 2.5]))
    assert found["residuals"] == [[2.0, 1.0], [2.5, -0.5]]
    assert found["values"] == [[2.0, 1.0], [2.5, 3.0]]
    assert found["residual_median"] == [[2.25, 0.25]]
