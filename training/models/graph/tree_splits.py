"""The splits of every tree of a graph, whichever library fitted the trees, and what the graph computes before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from training.models.graph.inner_tensor import inner_tensor

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class TreeSplits:
    """Of the trees that read one tensor of the graph, with `n` splits.

    columns: int64[n], of that tensor. thresholds: float64[n]. given: from rows of features to that tensor.
    """

    columns: NDArray[np.int64]
    thresholds: NDArray[np.float64]
    given: Callable[[Matrix], NDArray[Any]]


def tree_splits(graph: bytes) -> list[TreeSplits]:
    """One for each tensor that trees read; none of a model without trees."""
    nodes = [each for each in onnx.load_model_from_string(graph).graph.node if each.op_type.startswith("TreeEnsemble")]
    found = []
    for tensor in dict.fromkeys(each.input[0] for each in nodes):
        splits = [_splits(each) for each in nodes if each.input[0] == tensor]
        columns, thresholds = (np.concatenate(each) for each in zip(*splits, strict=True))
        distinct = np.unique(np.column_stack([columns, thresholds]), axis=0)
        if len(distinct):
            found.append(TreeSplits(distinct[:, 0].astype(np.int64), distinct[:, 1], inner_tensor(graph, tensor)))
    return found


def _splits(node: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    columns = np.array(attributes["nodes_featureids"], np.int64)
    kept = np.array([mode != b"LEAF" for mode in attributes["nodes_modes"]], np.bool_)
    return columns[kept], np.array(list(_thresholds(attributes)), np.float64)[kept]


def _thresholds(attributes: dict[str, Any]) -> Iterator[float]:
    if "nodes_values_as_tensor" in attributes:  # trees in float64
        yield from onnx.numpy_helper.to_array(attributes["nodes_values_as_tensor"]).tolist()
    else:
        yield from attributes["nodes_values"]
