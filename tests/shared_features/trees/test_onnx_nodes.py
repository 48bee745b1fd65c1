"""Without the library of ONNX it can be told which graphs are trees alone."""

from __future__ import annotations

import pytest

from shared_features.trees.onnx_nodes import is_trees_alone, nodes_of
from tests.serving.published_models import boosted, fitted, patient
from tests.training.inference.trees.random_ensembles import FEATURES
from tests.training.inference.trees.test_compiled_graph import forest, graph_of, node, renamed
from tests.training.inference.trees.test_published_trees import GRAPHS, of_value
from training.inference.trees.published_trees import trees_file


@pytest.mark.parametrize("name", GRAPHS)
def test_what_gets_a_file_of_trees_is_trees_alone(name: str) -> None:
    graph = GRAPHS[name][0]()
    assert trees_file(graph, "features", "answer", FEATURES)
    assert is_trees_alone(graph, "features", "answer")


def test_what_nobody_asks_for_does_not_count() -> None:
    """Exporters leave operators behind that make a label of the probabilities."""
    graph = graph_of(renamed(forest(), "features", "answer"), node("Tanh", ["answer"], ["label"]))
    assert trees_file(graph, "features", "answer", FEATURES)
    assert is_trees_alone(graph, "features", "answer")


@pytest.mark.parametrize(
    "graph",
    [
        graph_of(node("Tanh", ["features"], ["answer"])),
        graph_of(of_value(), node("Tanh", ["v"], ["answer"])),
        graph_of(node("Identity", ["features"], ["s"]), renamed(forest(), "s", "answer")),
        graph_of(of_value(), renamed(forest(2), "features", "w"), node("Sum", ["v", "w"], ["answer"])),
        fitted(5, 0),
        patient(3),
    ],
)
def test_what_computes_beside_its_trees_is_not(graph: bytes) -> None:
    assert not any(is_trees_alone(graph, "features", each) for each in ("answer", "score"))


@pytest.mark.parametrize("graph", [boosted(5), fitted(5, 0), patient(3)])
def test_nodes_are_those_that_the_library_reads(graph: bytes) -> None:
    import onnx

    wanted = [
        (each.op_type, tuple(each.input), tuple(each.output)) for each in onnx.load_model_from_string(graph).graph.node
    ]
    assert nodes_of(graph) == wanted


@pytest.mark.parametrize("content", [b"", b"graph", b"\x00" * 50, b"\xff" * 50])
def test_bytes_that_are_no_graph_are_no_trees(content: bytes) -> None:
    assert not is_trees_alone(content, "features", "score")


def test_a_graph_that_was_cut_off_is_no_trees() -> None:
    graph = boosted(5)
    assert is_trees_alone(graph, "features", "score")
    assert not any(is_trees_alone(graph[:length], "features", "score") for length in range(len(graph) // 2))
