"""From a fitted pipeline to one ONNX graph: float32[n, features] in, float32[n] scores or values out.

Of several classes, float32[n, classes] probabilities.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.pipeline import Pipeline

from training.models.boosting.conversion import register_boosting
from training.models.correction.corrected_model import CorrectedModel, pipeline_of
from training.models.graph.corrections import add_corrections
from training.models.graph.model_constants import INPUT_NAME
from training.models.graph.robust_scaling import DIVIDING
from training.models.task_rules import RULES

OPSETS = {"": 18, "ai.onnx.ml": 3}
"""What skl2onnx 1.20 writes for all candidates, and old enough for any runtime of the last years."""


def export_onnx(model: Pipeline | CorrectedModel, features: int, task: str = "binary") -> bytes:
    """The model as a serialised graph. Equal models give equal bytes, so the bytes' digest names the model."""
    pipeline = pipeline_of(model)
    register_boosting(pipeline)
    with warnings.catch_warnings():
        # Skl2onnx 1.20 writes booleans of boosted trees as integers; protobuf below 7 takes them, and says so.
        warnings.filterwarnings("ignore", "Field onnx.AttributeProto.ints: Expected an int, got a boolean")
        found: Any = convert_sklearn(
            pipeline,
            name="model",
            initial_types=[(INPUT_NAME, FloatTensorType([None, features]))],
            options=DIVIDING if task == "regression" else {**DIVIDING, id(pipeline): {"zipmap": False}},
            target_opset=OPSETS,
        )
    _KEEP[task](found.graph)
    if isinstance(model, CorrectedModel):
        add_corrections(found.graph, model.corrections)
    del found.opset_import[:]
    found.opset_import.extend(onnx.helper.make_opsetid(domain, version) for domain, version in OPSETS.items())
    onnx.checker.check_model(found, full_check=True)
    return bytes(found.SerializeToString(deterministic=True))


def _keep_positive_score(graph: Any) -> None:
    """Replace the outputs (label, probabilities of both classes) by the probability of the positive class."""
    probabilities = graph.output[1].name
    graph.initializer.append(onnx.helper.make_tensor("positive_class", onnx.TensorProto.INT64, [], [1]))
    name = RULES["binary"].output_name
    graph.node.append(onnx.helper.make_node("Gather", [probabilities, "positive_class"], [name], axis=1))
    _give(graph, name, [None])


def _keep_probabilities(graph: Any) -> None:
    """Replace the outputs (label, probabilities of all classes) by the probabilities."""
    probabilities, name = graph.output[1], RULES["multiclass"].output_name
    classes = probabilities.type.tensor_type.shape.dim[1].dim_value
    if probabilities.name != name:
        graph.node.append(onnx.helper.make_node("Identity", [probabilities.name], [name]))
    _give(graph, name, [None, classes])


def _keep_value(graph: Any) -> None:
    """Give the value as float32[n] in place of float32[n, 1]."""
    name = RULES["regression"].output_name
    graph.initializer.append(onnx.helper.make_tensor("one_axis", onnx.TensorProto.INT64, [1], [-1]))
    graph.node.append(onnx.helper.make_node("Reshape", [graph.output[0].name, "one_axis"], [name]))
    _give(graph, name, [None])


def _give(graph: Any, name: str, shape: list[int | None]) -> None:
    del graph.output[:]
    graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))


_KEEP: dict[str, Callable[[Any], None]] = {
    "binary": _keep_positive_score,
    "multiclass": _keep_probabilities,
    "regression": _keep_value,
}


def open_session(graph: bytes) -> Any:
    """An ONNX Runtime session on the CPU with one thread, as serving runs it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def run_session(session: Any, matrix: NDArray[np.float32], batch: int = 65_536) -> NDArray[np.float32]:
    """float32[n], or [n, classes]: what the graph gives, batch after batch."""
    parts = [
        session.run(None, {INPUT_NAME: np.ascontiguousarray(matrix[start : start + batch])})[0]
        for start in range(0, len(matrix), batch)
    ]
    return np.concatenate(parts) if parts else np.empty((0, *session.get_outputs()[0].shape[1:]), np.float32)
