"""What a graph computes on its way to its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from training.models.graph.model_constants import INPUT_NAME
from training.models.graph.onnx_export import open_session

_TOLD = "told_on_the_way"


def inner_tensor(graph: bytes, tensor: str) -> Callable[[NDArray[np.float32]], NDArray[Any]]:
    """From rows of features to the tensor; ONNX Runtime drops what no output needs."""
    if tensor == INPUT_NAME:
        return lambda rows: rows
    model = onnx.load_model_from_string(graph)
    model.graph.node.append(onnx.helper.make_node("Identity", [tensor], [_TOLD]))
    del model.graph.output[:]
    model.graph.output.append(onnx.ValueInfoProto(name=_TOLD))
    session = open_session(model.SerializeToString())
    return lambda rows: np.asarray(session.run(None, {INPUT_NAME: np.ascontiguousarray(rows)})[0])
