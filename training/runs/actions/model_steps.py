"""The steps `evaluate`, `export` and `certify`: from fitted models to one that may be published."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.formats.json_document import encode_document
from shared_features.formats.model_manifest import METRICS_FILE, MODEL_FILE
from shared_features.formats.training_run import DATASET_FOLDER, SAMPLED_INPUTS_FILE
from training.datasets.sampled_inputs import SampledInputs
from training.datasets.time_split import TEST, TRAIN
from training.datasets.training_dataset import TrainingDataset, load_dataset
from training.models.certificate import certify, require_pass
from training.models.comparison.metric_intervals import metric_intervals
from training.models.comparison.permutation_importance import permutation_importance
from training.models.comparison.slice_metrics import slice_metrics
from training.models.correction.corrected_model import corrections_of, pipeline_of
from training.models.encoding.encoded_columns import used_encoders
from training.models.graph.batch_graph import keeps_bits
from training.models.graph.graph_cost import MeasuredGraph, measure_costs
from training.models.graph.onnx_export import export_onnx
from training.models.metrics.chance import hardly_better
from training.models.metrics.decision_metrics import decision_metrics
from training.models.metrics.evaluation import candidate_rows, evaluate_predictions, format_metrics
from training.models.metrics.residual_curves import residual_curves
from training.models.metrics.score_curves import class_curves, score_curves
from training.models.on_demand_parity import certify_on_demand
from training.models.predictions import predicted
from training.models.task_rules import better
from training.progress import Tell, untold
from training.runs.actions.fit_steps import columns_of
from training.runs.plan.run_parameters import RunParameters
from training.runs.records.run_folder import CURVES_FILE, NOTES_FILE, load_pickle, model_file, read_json, search_file
from training.steps.step import Task


def evaluate_step(task: Task) -> str:
    parameters = task.context.parameters
    return evaluate_models(task.inputs / DATASET_FOLDER, task.inputs / "fit", parameters, task.output, task.tell)


def export_step(task: Task) -> str:
    return export_model(task.inputs / "fit", task.inputs / "evaluate", task.context.parameters, task.output)


def certify_step(task: Task) -> str:
    return certify_model(task.inputs, task.context.parameters, task.output, task.tell)


def evaluate_models(
    dataset_directory: Path, fit_directory: Path, parameters: RunParameters, output: Path, tell: Tell = untold
) -> str:
    """Measure every candidate on the test window and choose the one that is best by the metric of the task."""
    dataset = load_dataset(dataset_directory)
    rows = dataset.rows(TEST)
    matrix = np.asarray(dataset.matrix[rows])
    task = dataset.manifest.task
    scored = {name: predicted(load_pickle(model_file(fit_directory, name)), matrix, task) for name in parameters.models}
    metrics = {name: evaluate_predictions(dataset, found, parameters.k) for name, found in scored.items()}
    if parameters.threshold is not None:
        for name, score in scored.items():
            metrics[name]["decisions"] = decision_metrics(dataset.label[rows], score, parameters.threshold)
    by = parameters.chosen_by
    chosen = functools.reduce(
        lambda best, name: name if better(by, metrics[name][by], metrics[best][by]) else best, parameters.models
    )
    tell(f"looking which features {chosen} needs")
    pipeline = load_pickle(model_file(fit_directory, chosen))
    needed = permutation_importance(
        lambda some: predicted(pipeline, some, task), matrix, dataset.label[rows], dataset.features, by, parameters.seed
    )
    report = {
        "chosen": chosen,
        "chosen_by": by,
        "task": task,
        "models": metrics,
        "rows": len(rows),
        "intervals": metric_intervals(
            parameters.rules.metrics, dataset.label[rows], scored[chosen], dataset.entity[rows], parameters.seed
        ),
        "importance": needed,
        "slices": {name: slice_metrics(dataset, scored[chosen], name, by) for name in parameters.slices},
    }
    if notes := _notes(fit_directory):
        report["notes"] = notes
    if searches := {name: read_json(search_file(fit_directory, name)) for name in parameters.search}:
        report["search"] = searches
    if empty := dataset.without_value():
        report["without_value"] = empty
    if task == "binary":
        report |= {
            "positive": int((dataset.label[rows] > 0).sum()),
            "candidates": len(candidate_rows(dataset)[0]),
            "k": parameters.k,
            "entity": dataset.manifest.entity,
        }
    (output / CURVES_FILE).write_bytes(encode_document(_curves(dataset, scored)))
    (output / METRICS_FILE).write_bytes(encode_document(report))
    said = (f"{name}: {format_metrics(metrics[name], parameters.metrics)}" for name in metrics)
    base_rate = float((dataset.label[rows] > 0).mean())
    told = hardly_better(chosen, metrics[chosen], base_rate) if task == "binary" else ""
    return f"{counted(len(rows), 'test row')}; {'; '.join(said)}{told and f'. {told}'}"


def _notes(fit_directory: Path) -> dict[str, Any]:
    """Candidate -> how it was fitted, of those of which there is something to say."""
    file = fit_directory / NOTES_FILE
    return {name: each for name, each in read_json(file).items() if each} if file.is_file() else {}


def _curves(dataset: TrainingDataset, scored: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Candidate -> curve -> points."""
    label, classes = dataset.label[dataset.rows(TEST)], dataset.manifest.classes
    if dataset.manifest.task == "multiclass":
        return {name: class_curves(label, each, classes) for name, each in scored.items()}
    draw = score_curves if dataset.manifest.task == "binary" else residual_curves
    return {name: draw(label, each) for name, each in scored.items()}


def export_model(fit_directory: Path, evaluate_directory: Path, parameters: RunParameters, output: Path) -> str:
    """Export the chosen model."""
    chosen = read_json(evaluate_directory / METRICS_FILE)["chosen"]
    pipeline = load_pickle(model_file(fit_directory, chosen))
    graph = export_onnx(pipeline, len(parameters.view.columns), parameters.rules.name)
    (output / MODEL_FILE).write_bytes(graph)
    return f"{chosen} as ONNX, {len(graph):,} bytes, sha256 {hashlib.sha256(graph).hexdigest()[:16]}"


def certify_model(run: Path, parameters: RunParameters, output: Path, tell: Tell = untold) -> str:
    """Certify the exported model; raises CertificateError, so that a failed certificate ends the run here."""
    dataset = load_dataset(run / DATASET_FOLDER)
    inputs: SampledInputs = load_pickle(run / DATASET_FOLDER / SAMPLED_INPUTS_FILE)
    chosen = read_json(run / "evaluate" / METRICS_FILE)["chosen"]
    tell("computing on-demand features one by one")
    on_demand = certify_on_demand(parameters.view, inputs, parameters.seed)
    graph = (run / "export" / MODEL_FILE).read_bytes()
    pipeline = load_pickle(model_file(run / "fit", chosen))
    rows, together = np.asarray(dataset.matrix[dataset.rows(TEST)]), keeps_bits(graph)
    found = certify(
        pipeline,
        graph,
        rows,
        on_demand,
        parameters.seed,
        parameters.parity_tolerance,
        float(np.std(dataset.label[dataset.rows(TRAIN)])) if dataset.manifest.task == "regression" else None,
        dataset.manifest.task,
        columns_of(dataset, parameters).sizes,
        tell,
        dataset.features,
    )
    kinds = {kind: {"rows": count, "worst_difference": worst} for kind, (count, worst) in found.kinds.items()}
    classes = dict(zip(map(str, dataset.manifest.classes), found.parity.worst_of_classes, strict=False))
    smallest = None if found.smallest is None else found.smallest.describe()
    report = {
        "parity": asdict(found.parity),
        "kinds": kinds,
        "classes": classes,
        "smallest_failing_row": smallest,
        "rows_share_runs": together,
        "encoders": used_encoders(pipeline_of(pipeline), dataset.features),
        "corrections": [each.says for each in corrections_of(pipeline)],
        "cost": asdict(measure_costs([MeasuredGraph(graph, rows, together)])[0]),
    }
    (output / "certificate.json").write_bytes(encode_document(report))
    require_pass(found)
    return f"parity {found.describe()}"
