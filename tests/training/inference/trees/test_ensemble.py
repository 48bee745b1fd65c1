"""What compiled trees answer is what ONNX Runtime answers, bit for bit, or they are not compiled."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.depth import searched
from tests.training.inference.trees.random_ensembles import any_values, ensemble, ensembles
from training.errors import GraphNotReadError
from training.inference.trees.compiled_graph import same_bits
from training.inference.trees.cut_graph import alone
from training.inference.trees.ensemble import read_ensemble


@settings(max_examples=searched(quick=25, deep=400))
@given(ensembles(), st.integers(0, 2**32 - 1), st.sampled_from([1, 15, 16, 17, 63, 64, 65, 200]))
def test_the_bits_are_those_of_onnx_runtime(node, seed, rows):
    found, values = read_ensemble(node), any_values(np.random.default_rng(seed), rows)
    assert same_bits(found.run(values), alone(found)(values))


def forest(kind="Classifier", width=1, base=0, **given):
    """Three trees of five leaves, whose weights have both signs."""
    given = {"post_transform": "NONE", **given}
    return ensemble(np.random.default_rng(5), ["BRANCH_LEQ"], 3, 5, width, kind, base, **given)


def changed(node, name, value):
    """The node with another attribute, or without it."""
    kept = [each for each in node.attribute if each.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, *([] if value is None else [onnx.helper.make_attribute(name, value)])])
    return node


def positive(node):
    """With weights that are all positive, as probabilities are."""
    weights = next(each for each in node.attribute if each.name == "class_weights").floats
    return changed(node, "class_weights", np.abs(np.array(weights, np.float32)).tolist())


@pytest.mark.parametrize("base", [0, 1])
def test_one_probability_gives_two(base):
    """As a forest of two classes has it."""
    found = read_ensemble(positive(forest(base=base, classlabels_strings=["no", "yes"])))
    values = any_values(np.random.default_rng(0), 300)
    answers = found.run(values)
    assert same_bits(answers, alone(found)(values))
    assert (answers[:, 0] == 1 - answers[:, 1]).all()


@pytest.mark.parametrize(
    ("node", "why"),
    [
        (lambda: forest("Regressor", n_targets=1, aggregate_function="MIN"), "joined by MIN"),
        (lambda: forest("Regressor", n_targets=1, post_transform="PROBIT"), "joined by SUM and PROBIT"),
        (lambda: forest(classlabels_int64s=[0, 1]), "one sum for two classes, and then NONE"),
        (lambda: forest(width=3, classlabels_int64s=[0, 1, 2], post_transform="SOFTMAX_ZERO"), "3 classes in a way"),
        (lambda: forest(width=2, base=2, classlabels_int64s=[0, 1]), "2 classes in a way that is not known"),
        (lambda: changed(forest(classlabels_int64s=[0, 1]), "class_ids", [1] * 15), "2 classes in a way"),
        (lambda: forest("Regressor", n_targets=3, width=3, base=3), "not every row has a weight of each target"),
        (lambda: forest("Regressor", n_targets=2, width=2, base=1), "1 base values for 2 sums"),
        (lambda: changed(forest("Regressor", n_targets=1), "nodes_values", None), "lack the attribute 'values'"),
        (lambda: changed(forest("Regressor", n_targets=1), "base_values", [np.inf]), "a base value of its trees"),
        (lambda: changed(forest("Regressor", n_targets=1), "base_values", [-0.0]), "a zero with a sign"),
        (lambda: onnx.helper.make_node("TreeEnsemble", ["features"], ["answer"]), "an operator TreeEnsemble of"),
    ],
)
def test_what_is_not_known_is_left_to_onnx_runtime(node, why):
    with pytest.raises(GraphNotReadError, match=why):
        read_ensemble(node())


def test_trees_in_float64_are_left_to_onnx_runtime():
    node = forest("Regressor", n_targets=1)
    values = onnx.numpy_helper.from_array(np.zeros(27), "nodes_values_as_tensor")
    node.attribute.append(onnx.helper.make_attribute("nodes_values_as_tensor", values))
    with pytest.raises(GraphNotReadError, match="of another kind than float32 trees"):
        read_ensemble(node)
