"""Training on either truth is measured on the same rows as served, and late features show in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared_features.formats.dataset_manifest import DatasetParameters
from tests.domains.machines import BREAKDOWN
from tests.training.lake import LATENESS_US
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.models import early_stopping
from training.proofs.gap.gap_report import GapReport
from training.proofs.gap.training_effect import AS_SERVED, EVENT_TIME_TRUTH, training_effect


def test_a_model_of_each_truth_is_fitted_as_a_run_fits_it_and_tested_as_served(
    machine_lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Boosting was stopped by rows that were drawn at random, as no run does."""
    monkeypatch.setattr(early_stopping, "MANY_ROWS", 100)
    store, told = OfflineStore(machine_lake), list[str]()
    parameters = DatasetParameters(train_days=6, delay_days=1, test_days=3)
    pinned = pin_view(store, BREAKDOWN, LATENESS_US)
    found = training_effect(pinned, store, parameters, 10, lambda says, part=0, of=0: told.append(says))
    for truth in (AS_SERVED, EVENT_TIME_TRUTH):
        (said,) = (each for each in told if each.startswith(f"fitted hist_gradient_boosting on rows {truth}: "))
        assert re.search(r"it takes \d+ of 200 rounds: .* of the train window from 2024-", said), said
    assert found.candidate == "hist_gradient_boosting"
    assert set(found.metrics) == {AS_SERVED, EVENT_TIME_TRUTH}
    assert found.metrics[AS_SERVED] == found.promised[AS_SERVED], "what it promises is what it is served"
    assert found.metrics[EVENT_TIME_TRUTH] != found.promised[EVENT_TIME_TRUTH]
    assert all(0.5 < each["roc_auc"] < 1 for each in found.metrics.values())
    lines = list(GapReport("breakdown:v1", 1, (), found).lines())
    assert lines[-2].startswith("  trained as served: roc_auc 0.")
    assert lines[-1].startswith("  trained in event time: roc_auc 0.")
