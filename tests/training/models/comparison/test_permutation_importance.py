from __future__ import annotations

import numpy as np
import pytest

from training.models.comparison import permutation_importance as module
from training.models.comparison.permutation_importance import permutation_importance

_RANDOM = np.random.default_rng(4)
MATRIX = _RANDOM.normal(size=(3_000, 3)).astype(np.float32)
LABEL = (2 * MATRIX[:, 1] + MATRIX[:, 2] + _RANDOM.normal(size=3_000) > 0).astype(np.float64)


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
def test_the_features_that_a_model_uses_come_first_and_one_that_it_ignores_has_nothing(metric: str) -> None:
    before = MATRIX.copy()
    found = permutation_importance(
        lambda rows: 1 / (1 + np.exp(-2 * rows[:, 1] - rows[:, 2])), MATRIX, LABEL, ("a", "b", "c"), metric
    )
    assert list(found) == ["b", "c", "a"]
    assert found["b"] > 2 * found["c"] > 0.02
    assert found["a"] == 0.0
    np.testing.assert_array_equal(MATRIX, before)


def test_of_many_rows_some_are_drawn_and_a_seed_draws_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 500)
    seen: list[int] = []

    def score(rows: np.ndarray) -> np.ndarray:
        seen.append(len(rows))
        return rows[:, 1]

    found = [permutation_importance(score, MATRIX, LABEL, ("a", "b", "c"), "roc_auc", 3) for _ in range(2)]
    assert set(seen) == {500}
    assert found[0] == found[1]


def test_labels_of_one_class_tell_nothing() -> None:
    assert permutation_importance(lambda rows: rows[:, 0], MATRIX, np.zeros(3_000), ("a", "b", "c"), "roc_auc") == {}
