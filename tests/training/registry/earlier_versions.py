"""Versions as earlier releases published them: a graph that is trees alone, and no file of its trees."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline

from shared_features.formats.dataset_manifest import DATASET_FILE, DatasetView, encode_dataset_manifest
from shared_features.formats.model_manifest import (
    MANIFEST_FILE,
    METRICS_FILE,
    MODEL_FILE,
    ModelManifest,
    Parity,
    encode_manifest,
    stamp_view,
)
from tests.domains.machines import BREAKDOWN
from tests.shared_features.formats.test_dataset_manifest import DATASET
from training.models.graph.model_constants import INPUT_NAME
from training.models.graph.onnx_export import export_onnx
from training.registry.model_card.model_card import write_model_card
from training.registry.model_card.model_facts import ModelFacts
from training.registry.versions import Registry

MODEL = BREAKDOWN.name
COLUMNS = len(BREAKDOWN.columns)
LEARNED = replace(DATASET, view=DatasetView(BREAKDOWN.name, BREAKDOWN.version, BREAKDOWN.fingerprint))
METRICS = {
    "chosen": "boosted", "chosen_by": "average_precision", "rows": 750,
    "models": {"boosted": {"average_precision": 0.6, "roc_auc": 0.9}},
}  # fmt: skip
_LATER = ("classes", "threshold", "categories", "files", "rows_share_runs", "encoders", "corrections", "cost")
"""Keys that a manifest of the first release lacks."""


@cache
def boosted_by_heat() -> bytes:
    """The graph of a few boosted trees that look at the temperature and one other feature."""
    random = np.random.default_rng(0)
    matrix = random.normal(50, 30, size=(400, COLUMNS)).astype(np.float32)
    heat = matrix[:, [each.name for each in BREAKDOWN.columns].index("celsius")]
    target = heat + matrix[:, -1] / 2 + random.normal(0, 5, size=400) > 80
    return export_onnx(make_pipeline(HistGradientBoostingClassifier(max_iter=5).fit(matrix, target)), COLUMNS)


def earlier_manifest(graph: bytes) -> ModelManifest:
    """Of a release that compared the graph with the fitted model, and knew neither its cost nor shared runs."""
    return ModelManifest(
        model=MODEL,
        version=0,
        model_digest=hashlib.sha256(graph).hexdigest(),
        view=stamp_view(BREAKDOWN),
        input_name=INPUT_NAME,
        output_name="score",
        estimator="boosted",
        libraries={"onnx": "1.19.0"},
        dataset_digest=LEARNED.digest,
        cut_us=LEARNED.cut_us,
        parity=Parity(500, 1.5e-7, 1e-5, 40),
        created_at_us=1_728_000_100_000_000,
    )


def publish_earlier(registry: Registry, graph: bytes = b"") -> int:
    """The version's number. graph: another one than a few boosted trees."""
    graph = graph or boosted_by_heat()
    manifest = earlier_manifest(graph)
    card = write_model_card(ModelFacts(manifest, LEARNED, METRICS, {}, made_by="an earlier release"))
    return registry.publish(manifest, graph, METRICS, LEARNED, "an earlier release", card).version


def write_first_release(registry: Path) -> Path:
    """Version 1 as a folder that knows neither digests of files nor a log."""
    graph, folder = boosted_by_heat(), registry / MODEL / "1"
    plain = json.loads(encode_manifest(replace(earlier_manifest(graph), version=1)))
    del plain["view"]["definition"], plain["parity"]["reason"], plain["parity"]["served_values"]
    kept = {name: each for name, each in plain.items() if name not in (*_LATER, "republished_from")}
    folder.mkdir(parents=True)
    (folder / MODEL_FILE).write_bytes(graph)
    (folder / MANIFEST_FILE).write_text(json.dumps(kept))
    (folder / METRICS_FILE).write_text(json.dumps(METRICS))
    (folder / DATASET_FILE).write_bytes(encode_dataset_manifest(LEARNED))
    return folder


def without_place(manifest: ModelManifest) -> dict[str, object]:
    """What two versions of one model have in common: all but the number and the digests of the files."""
    return {name: each for name, each in asdict(manifest).items() if name not in ("version", "files")}
