"""Batch prediction from ready features beside bare ONNX Runtime on the same matrix, with a model of 100 boosted trees.

Bare is one session with as many threads as there are cores, given the whole matrix at once: what a user would write.
"""

from __future__ import annotations

import tempfile
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

_HISTORY, _ROWS, _RUNS = 100_000, 1_000_000, 3


def measure(file: Path | None) -> list[Figure]:
    rows = measured_transactions(file)
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as place:
        folder = Path(place)
        publish_small_model(folder / "registry", CARD_FRAUD, rows)
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

    bare_s = median_seconds(lambda: bare.run(None, {model.manifest.input_name: matrix}), _RUNS)
    ours_s = median_seconds(lambda: model.scorer.score(matrix), _RUNS)
    file_s = median_seconds(file, _RUNS)
    against = f"bare ONNX Runtime, {cores()} threads, the same matrix in memory"
    return [
        Figure("batch prediction of a matrix", _ROWS / ours_s, "rows/s", _ROWS / bare_s, against),
        Figure("batch prediction from file to file", _ROWS / file_s, "rows/s", _ROWS / bare_s, against),
    ]
