"""Corrections as a graph of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from training.models.correction.corrected_model import Correction
from training.models.graph.corrections import add_corrections
from training.models.graph.onnx_export import OPSETS, open_session


def floats32(values: Any) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def graph_of(corrections: tuple[Correction, ...], classes: int = 2) -> Callable[[NDArray[np.float32]], Any]:
    """From what a pipeline gives to what is answered."""
    shape = [None] if classes == 2 else [None, classes]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["given"], ["score"])],
        "corrections",
        [onnx.helper.make_tensor_value_info("given", onnx.TensorProto.FLOAT, shape)],
        [onnx.helper.make_tensor_value_info("score", onnx.TensorProto.FLOAT, shape)],
    )
    add_corrections(graph, corrections)
    opsets = [onnx.helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    session = open_session(model.SerializeToString())
    return lambda scores: session.run(["score"], {"given": scores})[0]
