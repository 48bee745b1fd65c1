"""How good the champion is, measured as the challenger is, and both side by side: metrics, scores and graphs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.errors import FeatureError
from shared_features.formats.model_manifest import METRICS_FILE, MODEL_FILE, GraphCost, ModelManifest, check_manifest
from training.datasets.categories import places_in
from training.datasets.time_split import TEST
from training.datasets.training_dataset import TrainingDataset
from training.models.comparison.paired_bootstrap import Comparison, compare
from training.models.comparison.score_stability import ScoreStability, score_stability
from training.models.comparison.window_measure import window_measure
from training.models.graph.graph_cost import MeasuredGraph, measure_costs
from training.models.graph.onnx_export import open_session, run_session
from training.models.metrics.class_metrics import in_order
from training.models.metrics.evaluation import evaluate_predictions
from training.models.metrics.precision_name import k_of
from training.registry.versions import Registry
from training.runs.plan.run_parameters import RunParameters


@dataclass(frozen=True)
class ChampionMetrics:
    """our_cost: of the challenger's graph. metrics: the champion's; None where there is none. basis: over which rows.
    comparison, stability: of the challenger with it. cost: of its graph, measured at the same time.

    The last three are None where it was trained on another view.
    """

    our_cost: GraphCost
    metrics: Mapping[str, Any] | None = None
    basis: str = ""
    comparison: Comparison | None = None
    stability: ScoreStability | None = None
    cost: GraphCost | None = None


@dataclass(frozen=True)
class _Version:
    """rows: those of the test window, with the version's own places of categories."""

    manifest: ModelManifest
    graph: bytes
    rows: NDArray[np.float32]

    @property
    def measured(self) -> MeasuredGraph:
        return MeasuredGraph(self.graph, self.rows, self.manifest.rows_share_runs)

    def predicted(self, task: str, classes: tuple[str | int, ...]) -> NDArray[np.float32]:
        """What it says of the rows, in the order of these classes."""
        found = run_session(open_session(self.graph), self.rows)
        if task == "multiclass":
            found = np.asarray(in_order(found, self.manifest.classes, classes), np.float32)
        return found


def champion_metrics(
    registry: Registry, model: str, version: int, challenger: int, dataset: TrainingDataset, parameters: RunParameters
) -> ChampionMetrics:
    """The champion's metrics over this run's test rows; its own published ones where it wants other features."""
    ours = _version(registry, model, challenger, dataset)
    try:
        check_manifest(registry.manifest(model, version), parameters.view)
    except FeatureError:
        basis = "on its own test window, since it was trained on another view"
        published = _published(json.loads(registry.read(model, version, METRICS_FILE)), dataset.manifest.entity)
        return ChampionMetrics(measure_costs([ours.measured])[0], published, basis)
    theirs = _version(registry, model, version, dataset)
    task, classes = dataset.manifest.task, dataset.manifest.classes
    said, other = (each.predicted(task, classes) for each in (ours, theirs))
    rows, by, seed = dataset.rows(TEST), parameters.chosen_by, parameters.seed
    our_cost, cost = measure_costs([ours.measured, theirs.measured])
    return ChampionMetrics(
        our_cost,
        evaluate_predictions(dataset, other, *parameters.ks),
        "on the same rows",
        compare(by, dataset.label[rows], said, other, dataset.entity[rows], seed, window_measure(dataset)),
        score_stability(said, other, (ours.manifest.threshold, theirs.manifest.threshold)),
        cost,
    )


def without_champion(registry: Registry, model: str, version: int, dataset: TrainingDataset) -> ChampionMetrics:
    """What is measured of the first version."""
    return ChampionMetrics(measure_costs([_version(registry, model, version, dataset).measured])[0])


def _published(report: Mapping[str, Any], entity: str | None) -> dict[str, Any]:
    """The metrics of a version; without entity precision of another entity, which says nothing beside that of ours."""
    found = report["models"][report["chosen"]]
    return {name: each for name, each in found.items() if k_of(name) is None or report.get("entity") == entity}


def _version(registry: Registry, model: str, version: int, dataset: TrainingDataset) -> _Version:
    manifest = registry.manifest(model, version)
    rows = np.array(dataset.matrix[dataset.rows(TEST)])
    for name, values in dataset.manifest.categories.items():
        column = dataset.features.index(name)
        rows[:, column] = places_in(manifest.categories.get(name, ()), values, rows[:, column])
    return _Version(manifest, registry.read(model, version, MODEL_FILE), rows)
