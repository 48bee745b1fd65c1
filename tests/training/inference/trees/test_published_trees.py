"""A version gets the file of its trees where its graph is trees and nothing that computes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from shared_features.formats.model_manifest import TREES_FILE
from shared_features.formats.tree_file import decode_trees
from shared_features.trees.model_trees import ModelTrees
from shared_features.trees.same_bits import same_bits
from tests.training.inference.trees.random_ensembles import FEATURES, any_values, ensemble
from tests.training.inference.trees.test_compiled_graph import forest, graph_of, node, renamed
from training.inference.trees.published_trees import trees_file
from training.models.graph.onnx_export import open_session


def classes(count):
    labels = list(range(count))
    width, post = (1, "LOGISTIC") if count == 2 else (count, "SOFTMAX")
    random = np.random.default_rng(5)
    given = {"post_transform": post, "classlabels_int64s": labels}
    return ensemble(random, ["BRANCH_LEQ"], 3, 5, width, "Classifier", 0, False, **given)


def graph_with(*nodes, **numbers):
    """`graph_of` with whole numbers under their names."""
    model = onnx.load_model_from_string(graph_of(*nodes))
    tensors = [onnx.numpy_helper.from_array(np.array(each, np.int64), name) for name, each in numbers.items()]
    model.graph.initializer.extend(tensors)
    return model.SerializeToString()


def of_value():
    return renamed(forest(), "features", "v")


def of_pair():
    return renamed(classes(2), "features", "p")


GRAPHS = {
    "values": (lambda: graph_with(of_value(), node("Reshape", ["v", "to"], ["answer"]), to=[-1]), 0),
    "columns": (lambda: graph_with(of_value(), node("Identity", ["v"], ["answer"])), None),
    "scores": (
        lambda: graph_with(
            of_pair(), node("Cast", ["p"], ["f"], to=onnx.TensorProto.FLOAT),
            node("Gather", ["f", "one"], ["answer"], axis=1), one=1,
        ),
        1,
    ),
    "probabilities": (lambda: graph_of(classes(3)), None),
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_that_is_trees_has_a_file_with_its_bits(name):
    graph, column = GRAPHS[name][0](), GRAPHS[name][1]
    found = decode_trees(trees_file(graph, "features", "answer", FEATURES)[TREES_FILE])
    rows = any_values(np.random.default_rng(0), 50)
    assert found.column == column
    assert same_bits(found.run(rows), open_session(graph).run(["answer"], {"features": rows})[0])


@pytest.mark.parametrize(
    "graph",
    [
        lambda: graph_of(node("Tanh", ["features"], ["answer"])),
        lambda: graph_of(of_value(), node("Tanh", ["v"], ["answer"])),
        lambda: graph_of(node("Mul", ["features", "scale"], ["s"]), renamed(forest(), "s", "answer")),
        lambda: graph_of(of_value(), renamed(forest(2), "features", "w"), node("Sum", ["v", "w"], ["answer"])),
        lambda: graph_with(of_pair(), node("Reshape", ["p", "to"], ["answer"]), to=[-1]),
        lambda: graph_with(of_pair(), node("Gather", ["p", "last"], ["answer"], axis=1), last=[1]),
        lambda: graph_of(forest(aggregate_function="MAX")),
    ],
)  # fmt: skip
def test_a_graph_that_is_anything_else_has_none(graph):
    assert trees_file(graph(), "features", "answer", FEATURES) == {}


def test_trees_that_give_another_bit_for_a_row_have_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ModelTrees, "has_the_bits_of", lambda *given: False)
    assert trees_file(graph_of(forest()), "features", "answer", FEATURES) == {}
