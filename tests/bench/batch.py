"""Batch prediction from ready features beside bare ONNX Runtime on the same matrix, with a model of 100 boosted trees.

Bare is one session with as many threads as there are cores, given the whole matrix at once: what a user would write.
The processor time of a row is that of this process, which is a better figure than rows/s on a machine that does more.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import load_definitions
from shared_features.feature_views import CARD_FRAUD
from tests.bench.figures import Figure, median_seconds
from tests.bench.small_model import publish_small_model, view_matrix
from tests.bench.transactions import measured_transactions
from training.inference.batch_prediction import predict_rows
from training.inference.batch_scorer import cores
from training.inference.published_model import PublishedModel, open_model
from training.inference.rows_to_predict import FeatureFileRows
from training.registry.versions import Registry

_HISTORY, _ROWS, _RUNS, _TREES = 100_000, 1_000_000, 3, 100


def measure(file: Path | None) -> list[Figure]:
    rows = measured_transactions(file)
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as place:
        folder = Path(place)
        publish_small_model(folder / "registry", CARD_FRAUD, rows, _TREES)
        definitions = load_definitions("shared_features.feature_views")
        model = open_model(Registry(folder / "registry"), definitions, CARD_FRAUD.name)
        matrix = np.resize(view_matrix(CARD_FRAUD, rows.take(slice(-_HISTORY, None))), (_ROWS, len(CARD_FRAUD.columns)))
        with model.scorer:
            return _figures(folder, model, matrix)


def _figures(folder: Path, model: PublishedModel, matrix: NDArray[np.float32]) -> list[Figure]:
    pl.DataFrame(matrix, schema=[each.name for each in CARD_FRAUD.columns]).write_parquet(folder / "features.parquet")
    graph = Registry(folder / "registry").read(CARD_FRAUD.name, 1, "model.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    bare = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def file() -> None:
        rows = FeatureFileRows(folder / "features.parquet", CARD_FRAUD, 250_000)
        predict_rows(model, rows, folder / "predictions.parquet")

    def alone() -> None:
        bare.run(None, {model.manifest.input_name: matrix})

    model.scorer.score(matrix)  # compiles the trees, once
    if not model.scorer.compiled:
        raise RuntimeError(f"The trees were not compiled because {model.scorer.why_not}.")
    bare_s = median_seconds(alone, _RUNS)
    ours_s = median_seconds(lambda: model.scorer.score(matrix), _RUNS)
    file_s = median_seconds(file, _RUNS)
    against = f"bare ONNX Runtime, {cores()} threads, the same matrix in memory"
    return [
        Figure("batch prediction of a matrix", _ROWS / ours_s, "rows/s", _ROWS / bare_s, against),
        Figure("batch prediction from file to file", _ROWS / file_s, "rows/s", _ROWS / bare_s, against),
        Figure("batch prediction from file to file", _processor_us(file), "us/row", _processor_us(alone), against),
    ]


def _processor_us(run: Callable[[], object]) -> float:
    """Of a row, on all threads."""
    began_s = time.process_time()
    run()
    return (time.process_time() - began_s) / _ROWS * 1e6
