"""An operator TreeEnsembleRegressor or TreeEnsembleClassifier, read from its attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from shared_features.trees.flat_trees import FlatTrees, Matrix
from shared_features.trees.tree_ensemble import TreeEnsemble
from training.errors import GraphNotReadError
from training.inference.trees.tree_nodes import flat_trees

_OPERATORS = {"TreeEnsembleRegressor": "target_", "TreeEnsembleClassifier": "class_"}
_ONE = np.float32(1)


@dataclass(frozen=True)
class Ensemble:
    """node: the operator. ensemble: what it gives, its first output, or a classifier's second."""

    node: Any
    ensemble: TreeEnsemble

    @property
    def trees(self) -> FlatTrees:
        return self.ensemble.trees

    @property
    def given(self) -> str:
        """The name of the tensor that it reads."""
        return str(self.node.input[0])

    @property
    def answered(self) -> str:
        """The name of the tensor that it gives."""
        return str(self.node.output[-1])

    def run(self, rows: Matrix) -> Matrix:
        """rows: float32[n, columns]"""
        return self.ensemble.run(rows)


def is_ensemble(node: Any) -> bool:
    return str(node.op_type).startswith("TreeEnsemble")


def read_ensemble(node: Any) -> Ensemble:
    """Raises GraphNotReadError where it has anything that is not compiled."""
    if node.op_type not in _OPERATORS or any(each.name.endswith("_as_tensor") for each in node.attribute):
        raise GraphNotReadError(f"it has an operator {node.op_type} of another kind than float32 trees with lists")
    given = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    nodes = {name.removeprefix("nodes_"): each for name, each in given.items() if name.startswith("nodes_")}
    prefix = _OPERATORS[node.op_type]
    leaves = {name.removeprefix(prefix): each for name, each in given.items() if name.startswith(prefix)}
    base = np.array(given.get("base_values", []), np.float32)
    if (
        not np.isfinite(base).all() or np.signbit(base[base == 0]).any()
    ):  # what is added to nothing keeps its sign there
        raise GraphNotReadError("a base value of its trees is not finite, or a zero with a sign")
    post = given.get("post_transform", b"NONE").decode()
    if len(node.output) != (1 if prefix == "target_" else 2):
        raise GraphNotReadError(f"an operator {node.op_type} has {len(node.output)} outputs")
    try:
        if prefix == "target_":
            return _regressor(node, nodes, leaves, base, given, post)
        return _classifier(node, nodes, leaves, base, given, post)
    except KeyError as error:
        raise GraphNotReadError(f"its trees lack the attribute {error}") from error


def _regressor(node: Any, nodes: Any, leaves: Any, base: Matrix, given: Any, post: str) -> Ensemble:
    aggregate = given.get("aggregate_function", b"SUM").decode()
    if aggregate not in ("SUM", "AVERAGE") or post != "NONE":
        raise GraphNotReadError(f"its trees are joined by {aggregate} and {post}")
    trees = flat_trees(nodes, leaves, given["n_targets"])
    if len(base) and not trees.sure.all():
        raise GraphNotReadError("not every row has a weight of each target of its trees, and there are base values")
    divisor = np.float32(len(trees.roots) if aggregate == "AVERAGE" else 1)
    return Ensemble(node, TreeEnsemble(trees, _base(base, len(trees.sure)), divisor, "sums"))


def _classifier(node: Any, nodes: Any, leaves: Any, base: Matrix, given: Any, post: str) -> Ensemble:
    classes = len(given.get("classlabels_int64s") or given.get("classlabels_strings") or ())
    one = classes == 2 and set(leaves["ids"]) == {0}
    trees = flat_trees(nodes, leaves, 1 if one else classes)
    if one and len(base) < 2:
        if post != "LOGISTIC" and not (post == "NONE" and (trees.weights >= 0).all()):
            raise GraphNotReadError(f"its trees give one sum for two classes, and then {post}")
        answer = "two_sides" if post == "LOGISTIC" else "complement"
        return Ensemble(node, TreeEnsemble(trees, _base(base, 1), _ONE, answer))
    if (classes == 2 and (len(base) or not trees.sure.all())) or classes < 2 or one or post not in _ANSWERS:
        raise GraphNotReadError(f"its trees give sums of {classes} classes in a way that is not known, and then {post}")
    return Ensemble(node, TreeEnsemble(trees, _base(base, classes), _ONE, _ANSWERS[post]))


def _base(base: Matrix, width: int) -> Matrix:
    if len(base) not in (0, width):
        raise GraphNotReadError(f"its trees have {len(base)} base values for {width} sums")
    return base if len(base) else np.zeros(width, np.float32)


_ANSWERS = {"NONE": "sums", "LOGISTIC": "logistic", "SOFTMAX": "softmax"}
