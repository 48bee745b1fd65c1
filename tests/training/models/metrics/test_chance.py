"""A model that is hardly better than chance is called so, whatever the gate says."""

import pytest

from training.models.metrics.chance import hardly_better


@pytest.mark.parametrize(
    ("roc_auc", "of_candidates", "precision", "base_rate", "is_told"),
    [
        (0.60, None, 0.14, 0.10, False),
        (0.54, None, 0.14, 0.10, True),
        (0.60, None, 0.12, 0.10, True),
        (0.90, 0.54, 0.50, 0.10, True),
        (0.54, 0.60, 0.14, 0.10, False),
        (0.80, None, 0.95, 0.90, False),
    ],
)
def test_a_model_is_told_by_its_candidates_or_by_its_precision(roc_auc, of_candidates, precision, base_rate, is_told):
    metrics = {"roc_auc": roc_auc, "roc_auc_of_candidates": of_candidates, "average_precision": precision}
    said = hardly_better("boosting", metrics, base_rate)
    assert bool(said) == is_told
    if is_told:
        assert said.startswith("boosting is hardly better than chance: roc_auc")
        assert said.endswith(f"(base rate: {base_rate:.3f})")
