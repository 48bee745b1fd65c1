"""Tiny models in a registry, published the way training publishes them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shared_features.definitions import FeatureView
from shared_features.formats.model_manifest import ModelManifest, Parity, stamp_view
from tests.shared_features.formats.test_dataset_manifest import DATASET
from training.inference.trees.published_trees import trees_file
from training.models.graph.model_constants import INPUT_NAME
from training.models.graph.onnx_export import export_onnx
from training.models.task_rules import RULES
from training.registry.aliases import Aliases
from training.registry.versions import Registry


def publish(
    registry: Path | str,
    view: FeatureView,
    seed: int = 0,
    /,
    *,
    promote: bool = True,
    graph: bytes | None = None,
    metrics: Mapping[str, Any] | None = None,
    **changed: Any,
) -> int:
    """Fit a model on noise, publish it for the view and let `champion` name it; the version's number.

    graph: of another model, in place of the fitted one. metrics: what `metrics.json` says.
    """
    graph = fitted(len(view.columns), seed) if graph is None else graph
    manifest = ModelManifest(
        model=view.name,
        version=0,
        model_digest=hashlib.sha256(graph).hexdigest(),
        view=stamp_view(view),
        input_name=INPUT_NAME,
        output_name=RULES["binary"].output_name,
        estimator="LogisticRegression",
        libraries={},
        dataset_digest="",
        cut_us=0,
        parity=Parity(0, 0.0, 0.0, 0),
        created_at_us=0,
    )
    manifest = replace(manifest, **changed)
    trees = trees_file(graph, manifest.input_name, manifest.output_name, len(view.columns))
    told = dict(metrics or {})
    published = Registry(registry).publish(manifest, graph, told, DATASET, more=trees)
    if promote:
        Aliases(Registry(registry)).promote(view.name, published.version)
    return published.version


@cache
def fitted(columns: int, seed: int) -> bytes:
    """The graph of a model that was fitted on noise."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(200, columns)).astype(np.float32)
    target = (matrix.sum(axis=1) + random.normal(size=200) > 0).astype(np.int64)
    pipeline = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()).fit(matrix, target)
    return export_onnx(pipeline, columns)


@cache
def boosted(columns: int) -> bytes:
    """The graph of a few trees that were fitted on noise."""
    random = np.random.default_rng(0)
    matrix = random.normal(size=(300, columns)).astype(np.float32)
    target = matrix[:, 0] * matrix[:, 1] + random.normal(size=300) / 5 > 0
    return export_onnx(make_pipeline(HistGradientBoostingClassifier(max_iter=5).fit(matrix, target)), columns)


def patient(turns: int, above: float | None = None) -> bytes:
    """A graph whose score is the first feature, after so many turns of a loop: where the feature is greater than
    `above`, or always.
    """
    output = RULES["binary"].output_name
    tensors = [
        helper.make_tensor("column", TensorProto.INT64, [], [0]),
        helper.make_tensor("above", TensorProto.FLOAT, [], [0.0 if above is None else above]),
        helper.make_tensor("many", TensorProto.INT64, [1], [turns]),
        helper.make_tensor("none", TensorProto.INT64, [1], [turns if above is None else 0]),
        helper.make_tensor("yes", TensorProto.BOOL, [], [True]),
    ]
    nodes = [
        helper.make_node("Gather", [INPUT_NAME, "column"], ["first"], axis=1),
        helper.make_node("Greater", ["first", "above"], ["is_above"]),
        helper.make_node("Where", ["is_above", "many", "none"], ["turns_of_row"]),
        helper.make_node("ReduceMax", ["turns_of_row"], ["turns"], keepdims=0),
        helper.make_node("Loop", ["turns", "yes", "first"], [output], body=_turn()),
    ]
    given = helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, [None, None])
    scores = helper.make_tensor_value_info(output, TensorProto.FLOAT, [None])
    graph = helper.make_graph(nodes, "patient", [given], [scores], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def _turn() -> Any:
    """One turn of a loop that changes nothing."""
    number = helper.make_tensor_value_info("number", TensorProto.INT64, [])
    on = [helper.make_tensor_value_info(name, TensorProto.BOOL, []) for name in ("on", "still_on")]
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None]) for name in ("value", "same_value")]
    nodes = [
        helper.make_node("Identity", ["on"], ["still_on"]),
        helper.make_node("Identity", ["value"], ["same_value"]),
    ]
    return helper.make_graph(nodes, "turn", [number, on[0], value[0]], [on[1], value[1]])


def logarithm(times: float = 1.0) -> bytes:
    """A graph whose score is the logarithm of the first feature, times a number: NaN where the feature is negative."""
    column = helper.make_tensor("column", TensorProto.INT64, [], [0])
    factor = helper.make_tensor("factor", TensorProto.FLOAT, [], [times])
    nodes = [
        helper.make_node("Gather", [INPUT_NAME, "column"], ["first"], axis=1),
        helper.make_node("Log", ["first"], ["log"]),
        helper.make_node("Mul", ["log", "factor"], [RULES["binary"].output_name]),
    ]
    given = helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, [None, None])
    scores = helper.make_tensor_value_info(RULES["binary"].output_name, TensorProto.FLOAT, [None])
    graph = helper.make_graph(nodes, "logarithm", [given], [scores], [column, factor])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())
