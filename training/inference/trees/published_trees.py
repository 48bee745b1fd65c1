"""The trees of a graph as a file of its version: where the graph is one tree ensemble, and what moves its answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared_features.formats.model_manifest import TREES_FILE
from shared_features.formats.tree_file import decode_trees, encode_trees
from shared_features.trees.flat_trees import Matrix
from shared_features.trees.model_trees import ModelTrees
from shared_features.trees.onnx_nodes import MOVING
from shared_features.trees.same_bits import same_bits
from shared_features.trees.tree_ensemble import TreeEnsemble
from shared_features.trees.trial_rows import any_rows
from training.errors import GraphNotReadError
from training.inference.trees.compiled_graph import Run
from training.inference.trees.cut_graph import CutGraph
from training.models.graph.onnx_export import open_session

_FLOAT = 1  # of onnx.TensorProto
_WALKS = 8_000_000
"""Of rows through trees, in the trial: ONNX Runtime takes 0.2 s for them."""


def trees_file(graph: bytes, input_name: str, output_name: str, features: int) -> dict[str, bytes]:
    """The file under its name; empty where the graph has anything else than trees, or a row gets other bits of them."""
    try:
        return {TREES_FILE: read_trees(graph, input_name, output_name, features)}
    except GraphNotReadError:  # the graph answers without the file
        return {}


def read_trees(graph: bytes, input_name: str, output_name: str, features: int) -> bytes:
    """The content of the file. Raises GraphNotReadError, which says why there is none."""
    try:
        trees = _only_trees(graph, input_name, output_name)
        session = open_session(graph)

        def whole(rows: Matrix) -> Matrix:
            found: Matrix = session.run([output_name], {input_name: rows})[0]
            return found

        content = encode_trees(_as_answered(trees, any_rows(features, np.random.default_rng(0)), whole))
        alike = decode_trees(content).has_the_bits_of(whole, features, _WALKS)
    except GraphNotReadError:
        raise
    except Exception as error:  # the only base of ONNX Runtime's errors
        raise GraphNotReadError(f"its trees cannot be read: {error}") from error
    if not alike:
        raise GraphNotReadError("its trees gave other bits for a row that was tried")
    return content


def _only_trees(graph: bytes, input_name: str, output_name: str) -> TreeEnsemble:
    """Raises GraphNotReadError."""
    cut = CutGraph(graph, input_name, output_name)
    if cut.before is not None or len(cut.ensembles) != 1:
        raise GraphNotReadError("it has operators before its trees, or several ensembles")
    (found,) = cut.ensembles
    behind = cut.behind
    if behind is not None and not (behind.reads == [found.answered] and all(map(_only_moves, behind.nodes))):
        raise GraphNotReadError("it has operators behind its trees that compute")
    return found.ensemble


def _only_moves(node: Any) -> bool:
    """Whether the operator leaves each number as it is."""
    return node.op_type in MOVING or (node.op_type == "Cast" and [each.i for each in node.attribute] == [_FLOAT])


def _as_answered(trees: TreeEnsemble, rows: Matrix, whole: Run) -> ModelTrees:
    """The one column that the graph gives, or all of them."""
    wanted = whole(rows)
    ways = [ModelTrees(trees, column) for column in (None, *range(trees.width))]
    alike = [each for each in ways if same_bits(each.run(rows), wanted)]
    if len(alike) != 1:
        raise GraphNotReadError("what it gives is not one column of what its trees answer")
    return alike[0]
