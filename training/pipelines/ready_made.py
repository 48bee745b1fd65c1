"""Ready-made functions for common steps: import a file, export features, score rows, publish files, call a webhook."""

from __future__ import annotations

import json
import os
import shutil
import urllib.error
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared_features.counted import counted
from training.json_post import post_json

DATASET = ("dataset/dataset.json", "dataset/matrix.npy", "dataset/rows.parquet")
"""The inputs of a step that reads the training dataset: `load_dataset(inputs / "dataset")`."""
_SERVER_ERROR = 500


def import_file(inputs: Path, output: Path, path: Path) -> str:
    """Copy a file of this machine into the run, under its name. Its content counts: a changed file is read again."""
    shutil.copyfile(path, output / path.name)
    return f"{path.name}, {path.stat().st_size:,} bytes"


def export_features(inputs: Path, output: Path) -> str:
    """Write `features.parquet`: one row per labelled event. Takes DATASET."""
    from training.datasets.training_dataset import load_dataset

    table = load_dataset(inputs / "dataset").to_pandas()
    table.to_parquet(output / "features.parquet")
    return f"{counted(len(table), 'row')} x {counted(len(table.columns), 'column')}"


def score_rows(inputs: Path, output: Path) -> str:
    """Write `scores.parquet`: what the model says of each labelled event. Takes DATASET and export/model.onnx.

    Of several classes: `class`, the most probable, and for each class a column `probability_` with its name.
    """
    import numpy as np
    import polars as pl

    from training.datasets.label_classes import tell_counts
    from training.datasets.training_dataset import load_dataset
    from training.inference.batch_scorer import BatchScorer
    from training.models.graph.model_constants import INPUT_NAME
    from training.models.prediction_columns import CLASS, prediction_columns
    from training.models.task_rules import RULES

    dataset = load_dataset(inputs / "dataset")
    graph, name = (inputs / "export" / "model.onnx").read_bytes(), RULES[dataset.manifest.task].output_name
    with BatchScorer(graph, INPUT_NAME, name) as scorer:
        found = scorer.score(np.asarray(dataset.matrix))
    task, classes = dataset.manifest.task, dataset.manifest.classes
    rows = pl.read_parquet(inputs / "dataset" / "rows.parquet")
    rows = rows.with_columns(prediction_columns(task, classes, None, found))
    rows.write_parquet(output / "scores.parquet")
    if task != "multiclass":
        return f"{counted(len(rows), 'row')}, mean {name} {float(found.mean()):.4f}"
    counts = [int((rows[CLASS] == each).sum()) for each in classes]
    return f"{counted(len(rows), 'row')}; answered {tell_counts(classes, counts)}"


def publish_files(inputs: Path, output: Path, folder: str) -> str:
    """Copy every input to a folder outside of the run, as `folder/step/file`; a reader sees the old file or the new."""
    files = _inputs(inputs)
    for name, file in files.items():
        place = Path(folder) / name
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_name(f".{place.name}-{uuid.uuid4().hex}")
        try:
            shutil.copyfile(file, temporary)
            temporary.replace(place)
        finally:
            temporary.unlink(missing_ok=True)
    return f"{counted(len(files), 'file')} in {folder}"


def call_webhook(inputs: Path, output: Path, text: str, variable: str = "MILLRACE_RUNS_WEBHOOK") -> str:
    """Send `{"text": ..., "files": {"step/file": ...}}`, with the inputs that are JSON; once for each run.

    variable: the environment variable that holds the address, which may be a secret.
    """
    address = os.environ.get(variable, "")
    if not address.startswith(("http://", "https://")):
        raise ValueError(f"the environment variable {variable} holds no http or https address; set it")
    told = output / "told.json"
    if told.exists():
        return "told before"
    files = {name: json.loads(file.read_bytes()) for name, file in _inputs(inputs).items() if file.suffix == ".json"}
    body = {"text": text, "files": files}
    _post(address, body)
    told.write_text(json.dumps(body))
    return f"told with {counted(len(files), 'file')}"


def _post(address: str, body: Mapping[str, Any]) -> None:
    """Raises ConnectionError, which a durable run tries again, where nobody answers or the server fails."""
    try:
        post_json(address, body)
    except urllib.error.HTTPError as error:
        kind: Any = ConnectionError if error.code >= _SERVER_ERROR else ValueError
        raise kind(f"the webhook answered {error.code} {error.reason}") from None  # the address stays unsaid
    except urllib.error.URLError as error:
        raise ConnectionError(f"the webhook does not answer: {error.reason}") from None


def _inputs(inputs: Path) -> dict[str, Path]:
    return {str(each.relative_to(inputs)): each for each in sorted(inputs.rglob("*")) if each.is_file()}
