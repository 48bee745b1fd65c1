"""Versions as training publishes them: a graph that runs, a certificate, and digests of all files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from tests.serving.published_models import fitted
from tests.shared_features.formats.test_dataset_manifest import DATASET
from tests.shared_features.formats.test_model_manifest import MANIFEST
from training.models.graph.model_constants import INPUT_NAME
from training.registry.versions import Registry

MODEL = "card_fraud"


def publish_sound(
    registry: Registry, seed: int = 0, average_precision: float = 0.5, more: Mapping[str, bytes] | None = None
) -> int:
    """The version's number. more: files."""
    graph = fitted(len(MANIFEST.view.features), seed)
    view = replace(MANIFEST.view, fingerprint=DATASET.view.fingerprint)
    manifest = replace(
        MANIFEST, model_digest=hashlib.sha256(graph).hexdigest(), dataset_digest=DATASET.digest, view=view,
        input_name=INPUT_NAME,
    )  # fmt: skip
    metrics = {"chosen": "random_forest", "models": {"random_forest": {"average_precision": average_precision}}}
    return registry.publish(manifest, graph, metrics, DATASET, "a test", more).version
