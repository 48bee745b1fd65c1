"""The champion is measured as its challenger is, by entity precision too, or by what it was published with."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared_features.definitions import FeatureView
from tests.domains import machines
from tests.serving.published_models import publish
from tests.training.models.fitted_models import fitted
from tests.training.random_dataset import FEATURES, random_dataset
from training.datasets.time_split import TEST
from training.definitions import Model
from training.models.graph.onnx_export import export_onnx, open_session, run_session
from training.models.metrics.evaluation import evaluate_predictions
from training.registry.versions import Registry
from training.runs.actions.champion_metrics import ChampionMetrics, champion_metrics
from training.runs.plan.run_parameters import RunParameters

NAME = "precision_at_60_per_day"
DATASET = random_dataset()
MODEL = Model("breakdown", machines.BREAKDOWN, metrics=(NAME,))
CHAMPION, CHALLENGER = "random_forest", "logistic_regression"
OTHER_VIEW = replace(machines.BREAKDOWN, version=2)


@functools.cache
def graph(name: str) -> bytes:
    """Of a candidate that learned from the train window."""
    return export_onnx(fitted(name), len(FEATURES))


def beside(registry: Path, view: FeatureView, report: dict[str, Any]) -> ChampionMetrics:
    """Of a champion of this view, which was published with this `metrics.json`, beside a challenger."""
    first, second = (
        publish(registry, each, graph=graph(name), metrics=report)
        for each, name in zip((view, machines.BREAKDOWN), (CHAMPION, CHALLENGER), strict=True)
    )
    parameters = RunParameters(machines.BREAKDOWN, model=MODEL)
    return champion_metrics(Registry(registry), "breakdown", first, second, DATASET, parameters)


def test_a_champion_of_the_same_view_is_measured_and_compared_on_the_same_rows(tmp_path: Path) -> None:
    found = beside(tmp_path, machines.BREAKDOWN, {})
    rows = np.asarray(DATASET.matrix[DATASET.rows(TEST)])
    ours, theirs = (
        evaluate_predictions(DATASET, run_session(open_session(graph(name)), rows), 60)[NAME]
        for name in (CHALLENGER, CHAMPION)
    )
    assert found.metrics is not None
    assert found.comparison is not None
    assert found.metrics[NAME] == theirs
    assert found.comparison.metric == NAME
    assert [found.comparison.ours, found.comparison.theirs] == pytest.approx([ours, theirs])
    assert ours != theirs
    assert found.comparison.low <= found.comparison.difference <= found.comparison.high


@pytest.mark.parametrize(("entity", "told"), [("machine", 0.4), ("plant", None)])
def test_of_a_champion_of_another_view_counts_what_was_published_of_the_same_entity(
    tmp_path: Path, entity: str, told: float | None
) -> None:
    report = {"chosen": "m", "entity": entity, "models": {"m": {NAME: 0.4, "roc_auc": 0.7}}}
    found = beside(tmp_path, OTHER_VIEW, report)
    assert found.metrics is not None
    assert (found.metrics.get(NAME), found.metrics["roc_auc"]) == (told, 0.7)
    assert found.comparison is None
