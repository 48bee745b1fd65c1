"""The steps `evaluate`, `export` and `certify`: from fitted models to one that may be published."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from shared_features.counted import counted
from shared_features.formats.json_document import encode_document
from shared_features.formats.model_manifest import METRICS_FILE, MODEL_FILE
from shared_features.formats.training_run import DATASET_FOLDER, SAMPLED_INPUTS_FILE
from training.datasets.sampled_inputs import SampledInputs
from training.datasets.time_split import TEST, TRAIN
from training.datasets.training_dataset import load_dataset
from training.models.certificate import certify, require_pass
from training.models.correction.corrected_model import corrections_of, pipeline_of
from training.models.encoding.encoded_columns import used_encoders
from training.models.graph.batch_graph import keeps_bits
from training.models.graph.graph_cost import MeasuredGraph, measure_costs
from training.models.graph.onnx_export import export_onnx
from training.models.metrics.chance import hardly_better
from training.models.metrics.choice import tell_choice
from training.models.metrics.evaluation import format_metrics
from training.models.on_demand_parity import certify_on_demand
from training.models.predictions import predicted
from training.progress import Tell, untold
from training.runs.actions.fit_steps import columns_of
from training.runs.actions.measured_models import curves_of, measure_models
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
    """Measure every candidate on the test window and choose the one that is best by the metric that is asked for."""
    dataset = load_dataset(dataset_directory)
    rows = dataset.rows(TEST)
    matrix = np.asarray(dataset.matrix[rows])
    task = dataset.manifest.task
    scored = {name: predicted(load_pickle(model_file(fit_directory, name)), matrix, task) for name in parameters.models}
    report = measure_models(
        dataset,
        matrix,
        scored,
        lambda name: partial(predicted, load_pickle(model_file(fit_directory, name)), task=task),
        parameters,
        tell,
    )
    metrics, chosen = report["models"], report["chosen"]
    if notes := _notes(fit_directory):
        report["notes"] = notes
    if searches := {name: read_json(search_file(fit_directory, name)) for name in parameters.search}:
        report["search"] = searches
    (output / CURVES_FILE).write_bytes(encode_document(curves_of(dataset, scored)))
    (output / METRICS_FILE).write_bytes(encode_document(report))
    said = (f"{name}: {format_metrics(metrics[name], parameters.metrics)}" for name in metrics)
    base_rate = float((dataset.label[rows] > 0).mean())
    doubts = [hardly_better(chosen, metrics[chosen], base_rate)] if task == "binary" else []
    if report["chosen_by"] != report["asked_by"]:
        doubts.append(tell_choice(report))
    return ". ".join([f"{counted(len(rows), 'test row')}; {'; '.join(said)}", *filter(None, doubts)])


def _notes(fit_directory: Path) -> dict[str, Any]:
    """Candidate -> how it was fitted, of those of which there is something to say."""
    file = fit_directory / NOTES_FILE
    return {name: each for name, each in read_json(file).items() if each} if file.is_file() else {}


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
