"""The steps `publish` and `promote`: a certified model becomes a version, and perhaps the champion."""

from __future__ import annotations

import hashlib
import importlib.metadata
from pathlib import Path
from typing import Any

import numpy as np

from shared_features.errors import FeatureError
from shared_features.formats.dataset_manifest import DATASET_FILE, decode_dataset_manifest
from shared_features.formats.json_document import encode_document
from shared_features.formats.model_manifest import (
    CHAMPION,
    METRICS_FILE,
    MODEL_FILE,
    ModelManifest,
    Parity,
    check_manifest,
    stamp_view,
)
from shared_features.formats.training_run import DATASET_FOLDER
from training.datasets.time_split import TEST
from training.datasets.training_dataset import TrainingDataset, load_dataset
from training.models.certificate import Certificate, require_pass
from training.models.evaluation import evaluate_scores
from training.models.onnx_export import INPUT_NAME, OUTPUT_NAME, open_session, run_session
from training.registry.aliases import Aliases
from training.registry.gate import decide
from training.registry.versions import Registry
from training.runs.run_folder import read_json
from training.runs.run_parameters import RunParameters

_LIBRARIES = ("numpy", "onnx", "onnxruntime", "polars", "scikit-learn", "skl2onnx")


def publish_model(run: Path, parameters: RunParameters, registry: Registry, now_us: int, output: Path) -> str:
    """Publish model, manifest, metrics and dataset manifest as a version. Refuses without a passed certificate."""
    parity = Parity(**read_json(run / "certify" / "certificate.json")["parity"])
    require_pass(Certificate(parity, {"all": (parity.cases, parity.worst_difference)}))
    file = run / DATASET_FOLDER / DATASET_FILE
    dataset = decode_dataset_manifest(file.read_bytes(), str(file))
    metrics = read_json(run / "evaluate" / METRICS_FILE)
    graph = (run / "export" / MODEL_FILE).read_bytes()
    manifest = ModelManifest(
        model=parameters.view.name,
        version=0,
        model_digest=hashlib.sha256(graph).hexdigest(),
        view=stamp_view(parameters.view),
        input_name=INPUT_NAME,
        output_name=OUTPUT_NAME,
        estimator=metrics["chosen"],
        libraries={name: importlib.metadata.version(name) for name in _LIBRARIES},
        dataset_digest=dataset.digest,
        cut_us=dataset.cut_us,
        parity=parity,
        created_at_us=now_us,
    )
    published = registry.publish(manifest, graph, metrics, dataset)
    (output / "published.json").write_bytes(encode_document({"model": manifest.model, "version": published.version}))
    said = "" if published.new else " (the same model was published before)"
    return f"{manifest.model} version {published.version}{said} at {published.path}"


def promote_model(run: Path, parameters: RunParameters, registry: Registry, output: Path) -> str:
    """Move the alias champion to the published version, if the gate lets it."""
    published = read_json(run / "publish" / "published.json")
    model, version = published["model"], published["version"]
    metrics = read_json(run / "evaluate" / METRICS_FILE)
    champion = Aliases(registry).of(model).get(CHAMPION)
    theirs, basis = None, ""
    if champion is not None and champion != version:
        theirs, basis = _champion_metrics(registry, model, champion, load_dataset(run / DATASET_FOLDER), parameters)
    ours = metrics["models"][metrics["chosen"]]
    decision = decide(ours, theirs, parameters.floors, parameters.gate_tolerance, basis)
    promoted = champion == version or decision.promote
    report = {"version": version, "champion_before": champion, "promoted": promoted, "reasons": list(decision.reasons)}
    (output / "promotion.json").write_bytes(encode_document(report))
    if champion == version:
        return f"version {version} is champion already"
    if not promoted:
        return f"version {version} stays a challenger, {_called(champion)}: {'; '.join(decision.reasons)}"
    Aliases(registry).promote(model, version)
    return f"version {version} is champion, before {_called(champion)}: {'; '.join(decision.reasons)}"


def _called(champion: int | None) -> str:
    return "there was no champion" if champion is None else f"version {champion} was champion"


def _champion_metrics(
    registry: Registry, model: str, version: int, dataset: TrainingDataset, parameters: RunParameters
) -> tuple[dict[str, Any], str]:
    """The champion's metrics over this run's test rows; its own published ones where it wants other features."""
    path = registry.path(model, version)
    try:
        check_manifest(registry.manifest(model, version), parameters.view)
    except FeatureError:
        found = read_json(path / METRICS_FILE)
        return found["models"][found["chosen"]], "on its own test window, since it was trained on another view"
    rows = np.asarray(dataset.matrix[dataset.rows(TEST)])
    score = run_session(open_session((path / MODEL_FILE).read_bytes()), rows)
    return evaluate_scores(dataset, score, parameters.k), "on the same rows"
