"""A model of another framework: published by its ONNX file and by what the framework itself says of some rows."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import polars as pl
from numpy.typing import NDArray

from shared_features.formats.model_manifest import ModelManifest, Parity, stamp_view
from shared_features.kernel.event_time import to_us
from training.datasets.expectations.outcome import check_expectations
from training.datasets.expectations.verdict import judge, told
from training.datasets.exports.dataset_table import DATA_FILE, read_directory, read_manifest
from training.datasets.exports.measured_rows import measured_rows
from training.datasets.given_spine import GivenSpine, check_spine
from training.datasets.label_check import check_labels
from training.datasets.time_split import TEST
from training.datasets.training_dataset import TrainingDataset, load_dataset
from training.errors import DatasetError, TrainingError
from training.inference.trees.published_trees import trees_file
from training.models.graph.batch_graph import keeps_bits
from training.models.graph.foreign_graph import adapt_graph, certify_outputs
from training.models.graph.graph_cost import MeasuredGraph, measure_costs
from training.models.graph.model_constants import INPUT_NAME, REASONS
from training.models.graph.onnx_export import open_session, run_session
from training.registry.gate.verdicts import keep_verdict
from training.registry.model_card.model_card import write_model_card
from training.registry.model_card.model_facts import ModelFacts
from training.registry.versions import Published, Registry
from training.runs.actions.gate_decision import decide_version
from training.runs.actions.measured_models import curves_of, measure_models
from training.runs.actions.view_proofs import prove_view
from training.runs.plan.run_parameters import RunParameters
from training.settings import TrainingSettings


@dataclass(frozen=True)
class ForeignModel:
    """A version that was published. worst: the worst difference from the expected outputs.

    promotion: what the gate decides of it, as `promotion.json` of a run; kept, and nothing is carried out. unproven:
    why the view was not proven on stored rows; empty where it was.
    """

    published: Published
    worst: float
    promotion: Mapping[str, Any]
    unproven: str = ""


def publish_foreign(
    settings: TrainingSettings,
    parameters: RunParameters,
    registry: Registry,
    file: Path,
    expected: Path,
    dataset: Path,
    output: str,
    now_us: int,
) -> ForeignModel:
    """Publish the graph in a file with its metrics and its model card, and ask the gate about it.

    expected: Parquet with the features under their names, as the matrix has them, and `score`, `value`, or for each
    class `probability_` with its name. dataset: the folder of the dataset that it learned from, of a run or exported.
    The on-demand functions of the view, and what serving reads, are proven by the tables of the lake, as of a run.
    Without labelled rows for a test it has no metrics, its model card says so, and the gate refuses it.
    """
    data, given = _dataset(dataset, parameters)
    if len(data.rows(TEST)):
        check_labels(data)
    outcomes = check_expectations(parameters.expectations, data)
    judge(outcomes)
    graph, rows, parity = _certified(parameters, data, file, expected, output)
    split, lateness_us = data.manifest.split, to_us(settings.allowed_lateness)
    span = split.start_us, split.end_us
    proofs = prove_view(settings.lake, lateness_us, parameters.view, span, parameters.seed, given)
    parity = replace(parity, on_demand_cases=proofs.on_demand, served_values=proofs.served)
    made_by = onnx.load_model_from_string(_bytes(file))
    manifest = _manifest(parameters, data, MeasuredGraph(graph, rows, keeps_bits(graph)), parity, made_by, now_us)
    metrics, curves = _measured(data, graph, manifest.estimator, parameters)
    why = f"from the ONNX file {file.name}"
    version = f"{manifest.estimator} {made_by.producer_version}".strip()
    facts = ModelFacts(
        manifest,
        data.manifest,
        metrics,
        parameters.floors,
        curves,
        data.missing_shares(),
        parameters.model.owner if parameters.model else "",
        parameters.model.description if parameters.model else "",
        f"{version}, {why}",
        [told(each) for each in outcomes],
        trained_elsewhere=True,
        unproven=proofs.missing,
    )
    trees = partial(trees_file, graph, manifest.input_name, manifest.output_name, rows.shape[1])
    published = registry.publish(manifest, graph, metrics, data.manifest, why, write_model_card(facts), trees)
    asked = decide_version(registry, manifest.model, published.version, metrics, data, parameters)
    keep_verdict(registry, asked, f"publish {file.name}")
    return ForeignModel(published, parity.worst_difference, asked, proofs.missing)


def _measured(
    data: TrainingDataset, graph: bytes, name: str, parameters: RunParameters
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The content of `metrics.json`, and the curves."""
    matrix = np.asarray(data.matrix[data.rows(TEST)])
    if not len(matrix):
        task, by = data.manifest.task, parameters.chosen_by
        unknown = {"chosen": name, "chosen_by": by, "task": task, "models": {name: {}}, "rows": 0}
        return {**unknown, "not_measured": _why_not(data)}, {}
    predict = partial(run_session, open_session(graph))
    scored = {name: predict(matrix)}
    return measure_models(data, matrix, scored, lambda _: predict, parameters), curves_of(data, scored)


def _why_not(data: TrainingDataset) -> str:
    if np.isnan(data.label).all():
        return "Its dataset has no labels."
    if data.manifest.division is not None:
        return "No row on the test side of its dataset has a label that is known."
    return "The rows of its dataset are not divided, so none is for a test."


def _certified(
    parameters: RunParameters, data: TrainingDataset, file: Path, expected: Path, output: str
) -> tuple[bytes, NDArray[np.float32], Parity]:
    """The graph as a registry has it, the rows, and how near it is to what is expected. Raises CertificateError."""
    classes, task = data.manifest.classes, parameters.rules.name
    names = [f"probability_{each}" for each in classes] if task == "multiclass" else [parameters.rules.output_name]
    rows, wanted = _read(expected, [each.name for each in parameters.view.columns], names)
    graph = adapt_graph(_bytes(file), rows.shape[1], task, len(classes), output)
    given, tolerance = wanted if task == "multiclass" else wanted[:, 0], parameters.parity_tolerance
    worst = certify_outputs(graph, rows, given, task, tolerance)
    return graph, rows, Parity(len(rows), worst, tolerance, 0, reason=REASONS[task])


def _manifest(
    parameters: RunParameters, data: TrainingDataset, graph: MeasuredGraph, parity: Parity, made_by: Any, now_us: int
) -> ModelManifest:
    """made_by: the model as its framework wrote it."""
    estimator = made_by.producer_name or "onnx"
    return ModelManifest(
        model=parameters.model_name,
        version=0,
        model_digest=hashlib.sha256(graph.graph).hexdigest(),
        view=stamp_view(parameters.view),
        input_name=INPUT_NAME,
        output_name=parameters.rules.output_name,
        estimator=estimator,
        libraries={estimator: made_by.producer_version, "onnxruntime": importlib.metadata.version("onnxruntime")},
        dataset_digest=data.digest,
        cut_us=data.manifest.cut_us,
        parity=parity,
        created_at_us=now_us,
        task=data.manifest.task,
        classes=data.manifest.classes,
        threshold=parameters.threshold,
        categories=data.manifest.categories,
        rows_share_runs=graph.together,
        cost=measure_costs([graph])[0],
    )


def _dataset(folder: Path, parameters: RunParameters) -> tuple[TrainingDataset, GivenSpine | None]:
    """Of a run, or exported; and the rows that a user brought. Raises DatasetError where it is not of this view."""
    is_exported, view = (folder / DATA_FILE).is_file(), parameters.view
    manifest = read_manifest(folder)
    if manifest.view.fingerprint != view.fingerprint:
        raise DatasetError(
            f"The dataset in {folder} is of {manifest.view.label} as it was then, and the definitions have "
            f"{view.label}. Build it again, and train the model on that."
        )
    try:
        if is_exported:
            table = read_directory(folder)
            given = None if table.spine is None else check_spine(view, table.spine)
            return measured_rows(table, view, parameters.dataset.entity), given
        return load_dataset(folder), None
    except OSError as error:
        raise DatasetError(f"The dataset in {folder} cannot be read: {error}. Build it again.") from error


def _read(file: Path, features: list[str], names: list[str]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The rows, and what is expected of them."""
    try:
        frame = pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise TrainingError(f"{file} cannot be read as Parquet: {error}. Write it again.") from error
    if missing := [each for each in (*features, *names) if each not in frame.columns]:
        raise TrainingError(
            f"{file} lacks {', '.join(missing)}. It needs the features of the view and what the model gives: "
            f"{', '.join(names)}."
        )
    if frame.is_empty():
        raise TrainingError(f"{file} has no row. Write some hundred rows, with what the model gives for each.")
    rows = frame.select(pl.col(features).cast(pl.Float32).fill_null(float("nan"))).to_numpy()
    return np.ascontiguousarray(rows), frame.select(pl.col(names).cast(pl.Float64)).to_numpy()


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise TrainingError(f"{file} cannot be read: {error.strerror}. Give the ONNX file of the model.") from error
