"""The pinball loss is scikit-learn's, and the least where a value is the quantile."""

import numpy as np
import pytest
from sklearn.metrics import mean_pinball_loss

from training.models.metrics.pinball import pinball


@pytest.mark.parametrize("percent", [10, 50, 90])
def test_it_is_scikit_learns_and_least_at_the_quantile(percent) -> None:
    random = np.random.default_rng(percent)
    label, value = random.normal(size=501), random.normal(size=501).astype(np.float32)
    assert pinball(label, value, percent).mean() == pytest.approx(
        mean_pinball_loss(label, value, alpha=percent / 100), rel=1e-12
    )
    levels = np.linspace(-3, 3, 241)
    means = [pinball(label, np.full(501, level), percent).mean() for level in levels]
    assert levels[int(np.argmin(means))] == pytest.approx(np.quantile(label, percent / 100), abs=0.05)
