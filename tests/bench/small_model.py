"""A model for the prediction figures: fitted on rows of the history and published by training's own code."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from deploy.demo.traffic.cards.transactions import Transactions
from shared_features.definitions import FeatureGroup, FeatureView
from shared_features.feature_matrix import feature_matrix, request_floats
from shared_features.formats.entity_keys import entity_keys
from shared_features.formats.events import concatenate
from shared_features.formats.model_manifest import ModelManifest, Parity, stamp_view
from shared_features.group_events import group_events
from shared_features.kernel.replay import replay
from shared_features.kernel.tile_state import TileState
from tests.bench.filled_redis import event_batches
from tests.shared_features.formats.test_dataset_manifest import DATASET
from training.inference.trees.published_trees import trees_file
from training.models.candidates import fit_model
from training.models.graph.batch_graph import keeps_bits
from training.models.graph.model_constants import INPUT_NAME
from training.models.graph.onnx_export import export_onnx
from training.models.task_rules import RULES
from training.registry.aliases import Aliases
from training.registry.versions import Registry

ESTIMATOR = "hist_gradient_boosting"
SERVED_TREES = 100
"""Of the model that answers requests."""
_HISTORY = 300_000  # the latest transactions that are replayed
_ROWS = 50_000  # of those, the latest are what is learned from


def publish_small_model(registry: Path, view: FeatureView, rows: Transactions, trees: int | None = None) -> None:
    """Fit, export, publish; `champion` names it. trees: how many; None: those of the built-in candidate, 200."""
    latest = rows.take(slice(-_HISTORY, None))
    matrix = view_matrix(view, latest)[-_ROWS:]
    steps = None if trees is None else [("model", HistGradientBoostingClassifier(max_iter=trees, random_state=1))]
    pipeline, _ = fit_model(ESTIMATOR, matrix, latest.is_fraud[-_ROWS:].astype(np.float64), seed=1, steps=steps)
    graph = export_onnx(pipeline, len(view.columns))
    manifest = ModelManifest(
        model=view.name,
        version=0,
        model_digest=hashlib.sha256(graph).hexdigest(),
        view=stamp_view(view),
        input_name=INPUT_NAME,
        output_name=RULES["binary"].output_name,
        estimator=ESTIMATOR,
        libraries={},
        dataset_digest="",
        cut_us=0,
        parity=Parity(0, 0.0, 0.0, 0),  # nothing is certified here: the model only has to cost what a real one does
        created_at_us=0,
        rows_share_runs=keeps_bits(graph),
    )
    file = trees_file(graph, manifest.input_name, manifest.output_name, len(view.columns))
    published = Registry(registry).publish(manifest, graph, {}, DATASET, more=file)
    Aliases(Registry(registry)).promote(view.name, published.version)


def view_matrix(view: FeatureView, rows: Transactions) -> NDArray[np.float32]:
    """float32[n, features]: each transaction as of its own time."""
    spine = concatenate(list(event_batches(view.source, rows)))
    stored = {group.part_name: _stored(group, view, rows) for group in view.groups}
    request = request_floats(view.source, spine.columns, spine.valid)
    return feature_matrix(view, request, spine.event_time_us, stored)


def _stored(group: FeatureGroup, view: FeatureView, rows: Transactions) -> NDArray[np.float64]:
    updates = [group_events(group, batch) for source in group.sources for batch in event_batches(source, rows)]
    spine = concatenate(list(event_batches(view.source, rows)))
    asked = np.asarray(entity_keys(group.entity, view.source, spine.columns))
    keys = np.concatenate([np.asarray(each.keys) for each in updates])
    entities, index = np.unique(np.concatenate([keys, asked]), return_inverse=True)
    state = TileState(group.layout)
    slots = state.add(len(entities))[index]
    event_time_us, digest, values, valid = (
        np.concatenate([getattr(each, name) for each in updates])
        for name in ("event_time_us", "digest", "values", "valid")
    )
    read_slots = slots[len(keys) :]
    return replay(
        state,
        slots[: len(keys)],
        event_time_us + 1,
        event_time_us,
        digest,
        values,
        valid,
        read_slots,
        spine.event_time_us,
    )
