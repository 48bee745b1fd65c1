"""A model of another framework: published by its ONNX file and by what the framework itself says of some rows."""

from __future__ import annotations

import hashlib
import importlib.metadata
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import polars as pl
from numpy.typing import NDArray

from shared_features.formats.model_manifest import ModelManifest, Parity, stamp_view
from training.datasets.exports.dataset_table import DATA_FILE
from training.datasets.time_split import TEST
from training.datasets.training_dataset import TrainingDataset, load_dataset
from training.errors import DatasetError, TrainingError
from training.models.graph.batch_graph import keeps_bits
from training.models.graph.foreign_graph import adapt_graph, certify_outputs
from training.models.graph.graph_cost import MeasuredGraph, measure_costs
from training.models.graph.model_constants import INPUT_NAME, REASONS
from training.models.graph.onnx_export import open_session, run_session
from training.models.metrics.evaluation import evaluate_predictions
from training.registry.versions import Published, Registry
from training.runs.plan.run_parameters import RunParameters


def publish_foreign(
    parameters: RunParameters, registry: Registry, file: Path, expected: Path, dataset: Path, output: str, now_us: int
) -> tuple[Published, float]:
    """Publish the graph in a file; the version, and the worst difference from the expected outputs.

    expected: Parquet with the features under their names, as the matrix has them, and `score`, `value`, or for each
    class `probability_` with its name. dataset: the folder of the dataset that it learned from, which `dataset` writes.
    """
    data, view = _dataset(dataset, parameters), parameters.view
    classes, task = data.manifest.classes, parameters.rules.name
    names = [f"probability_{each}" for each in classes] if task == "multiclass" else [parameters.rules.output_name]
    rows, wanted = _read(expected, [each.name for each in view.columns], names)
    graph = adapt_graph(_bytes(file), rows.shape[1], task, len(classes), output)
    given = wanted if task == "multiclass" else wanted[:, 0]
    worst = certify_outputs(graph, rows, given, task, parameters.parity_tolerance)
    session = open_session(graph)
    found = evaluate_predictions(data, run_session(session, np.asarray(data.matrix[data.rows(TEST)])), parameters.k)
    together = keeps_bits(graph)
    made_by = onnx.load_model_from_string(_bytes(file))
    estimator = made_by.producer_name or "onnx"
    manifest = ModelManifest(
        model=parameters.model_name,
        version=0,
        model_digest=hashlib.sha256(graph).hexdigest(),
        view=stamp_view(view),
        input_name=INPUT_NAME,
        output_name=parameters.rules.output_name,
        estimator=estimator,
        libraries={estimator: made_by.producer_version, "onnxruntime": importlib.metadata.version("onnxruntime")},
        dataset_digest=data.digest,
        cut_us=data.manifest.cut_us,
        parity=Parity(len(rows), worst, parameters.parity_tolerance, 0, reason=REASONS[task]),
        created_at_us=now_us,
        task=task,
        classes=classes,
        threshold=parameters.threshold,
        categories=data.manifest.categories,
        rows_share_runs=together,
        cost=measure_costs([MeasuredGraph(graph, rows, together)])[0],
    )
    metrics: dict[str, Any] = {
        "chosen": estimator,
        "chosen_by": parameters.chosen_by,
        "task": task,
        "models": {estimator: found},
        "rows": len(data.rows(TEST)),
    }
    return registry.publish(manifest, graph, metrics, data.manifest, f"from the ONNX file {file.name}"), worst


def _dataset(folder: Path, parameters: RunParameters) -> TrainingDataset:
    """Raises DatasetError where it is not of this view."""
    try:
        found = load_dataset(folder)
    except OSError as error:
        what = "is an exported dataset" if (folder / DATA_FILE).is_file() else "holds no dataset"
        raise DatasetError(
            f"{folder} {what}, and the folder of a run's dataset is needed. Give the one that "
            "`python -m training dataset` names at its end: the dataset is in ..."
        ) from error
    if found.manifest.view.fingerprint != parameters.view.fingerprint:
        raise DatasetError(
            f"The dataset in {folder} is of {found.manifest.view.label} as it was then, and the definitions have "
            f"{parameters.view.label}. Build it again, and train the model on that."
        )
    return found


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
