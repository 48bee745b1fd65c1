"""A graph is compiled where its trees are known and give the bits of ONNX Runtime, whatever stands around them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from tests.depth import searched
from tests.training.inference.trees.random_ensembles import FEATURES, any_values, ensemble, ensembles
from training.errors import GraphNotReadError
from training.inference.trees import cut_graph
from training.inference.trees.compiled_graph import compile_graph, same_bits
from training.inference.trees.ensemble import Ensemble
from training.models.graph.onnx_export import export_onnx, open_session
from training.models.task_rules import RULES

OPSETS = [onnx.helper.make_opsetid("", 18), onnx.helper.make_opsetid("ai.onnx.ml", 3)]


def node(operator, given, made, **attributes):
    return onnx.helper.make_node(operator, given, made, **attributes)


def forest(seed=5, **changed):
    given = {"post_transform": "NONE", "n_targets": 1, **changed}
    return ensemble(np.random.default_rng(seed), ["BRANCH_LEQ"], 3, 5, 1, "Regressor", 1, **given)


def graph_of(*nodes, output="answer", kind=onnx.TensorProto.FLOAT):
    features = onnx.helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, [None, FEATURES])
    answer = onnx.helper.make_tensor_value_info(output, kind, None)
    numbers = [
        onnx.numpy_helper.from_array(np.array([0.5, 3, -1], np.float32), "scale"),
        onnx.numpy_helper.from_array(np.array(True), "true"),
    ]
    graph = onnx.helper.make_graph(list(nodes), "model", [features], [answer], numbers)
    return onnx.helper.make_model(graph, opset_imports=OPSETS, ir_version=8).SerializeToString()


def compiled(graph, output="answer"):
    """Both: the compiled graph, and ONNX Runtime's."""
    session = open_session(graph)

    def whole(rows):
        return session.run([output], {"features": rows})[0]

    return compile_graph(graph, "features", output, FEATURES, whole), whole


def renamed(each, given, made):
    each.input[0], each.output[-1] = given, made
    return each


@settings(max_examples=searched(quick=10, deep=200))
@given(ensembles(), st.integers(0, 2**32 - 1))
def test_a_graph_that_is_trees_alone_gives_the_bits_of_onnx_runtime(trees, seed):
    ours, theirs = compiled(graph_of(trees))
    rows = any_values(np.random.default_rng(seed), 100)
    assert same_bits(ours(rows), theirs(rows))


def test_what_stands_before_beside_and_behind_the_trees_is_run_by_onnx_runtime():
    graph = graph_of(
        node("Mul", ["features", "scale"], ["scaled"]),
        renamed(forest(1), "scaled", "first"),
        renamed(forest(2), "features", "second"),
        node("ReduceSum", ["scaled"], ["beside"]),
        node("Sum", ["first", "second", "beside"], ["sum"]),
        node("Tanh", ["sum"], ["answer"]),
    )
    ours, theirs = compiled(graph)
    rows = np.nan_to_num(any_values(np.random.default_rng(0), 100), posinf=9, neginf=-9)[:1]
    assert same_bits(ours(rows), theirs(rows))
    assert np.isfinite(ours(rows)).all()


def classifier():
    random, labels = np.random.default_rng(5), [0, 1, 2]
    return ensemble(random, ["BRANCH_LEQ"], 3, 5, 3, "Classifier", 0, post_transform="NONE", classlabels_int64s=labels)


@pytest.mark.parametrize(
    ("graph", "output", "why"),
    [
        (lambda: graph_of(node("Tanh", ["features"], ["answer"])), "answer", "it has no trees"),
        (lambda: graph_of(forest(aggregate_function="MAX")), "answer", "its trees are joined by MAX"),
        (lambda: graph_of(classifier(), output="label", kind=onnx.TensorProto.INT64), "label", "labels are used"),
        (
            lambda: graph_of(
                renamed(forest(1), "features", "sum"), node("Add", ["sum", "features"], ["given"]),
                renamed(forest(2), "given", "answer"),
            ),
            "answer",
            "stand behind one another",
        ),
        (
            lambda: graph_of(
                node("Cast", ["features"], ["doubles"], to=onnx.TensorProto.DOUBLE),
                renamed(forest(), "doubles", "answer"),
            ),
            "answer",
            "do not read float32",
        ),
    ],
)  # fmt: skip
def test_a_graph_that_is_not_known_is_left_to_onnx_runtime(graph, output, why):
    with pytest.raises(GraphNotReadError, match=why):
        compiled(graph(), output)


def test_a_graph_inside_of_an_operator_is_left_to_onnx_runtime():
    inner = onnx.helper.make_graph(
        [node("Identity", ["sum"], ["inner"])], "inner", [],
        [onnx.helper.make_tensor_value_info("inner", onnx.TensorProto.FLOAT, None)],
    )  # fmt: skip
    chosen = node("If", ["true"], ["answer"], then_branch=inner, else_branch=inner)
    with pytest.raises(GraphNotReadError, match="it has graphs inside of operators"):
        compiled(graph_of(renamed(forest(), "features", "sum"), chosen))


def test_a_graph_whose_part_onnx_runtime_refuses_is_left_to_it_whole(monkeypatch):
    """Its errors have no base of their own."""

    def refused(graph):
        raise ArithmeticError("no such operator")

    graph = graph_of(forest())
    session = open_session(graph)
    monkeypatch.setattr(cut_graph, "open_session", refused)
    with pytest.raises(GraphNotReadError, match="could not be cut at its trees: no such operator"):
        compile_graph(graph, "features", "answer", FEATURES, lambda rows: session.run(None, {"features": rows})[0])


@pytest.mark.parametrize("of", ["trees", "whole graph"])
def test_one_other_bit_leaves_the_graph_to_onnx_runtime(of, monkeypatch):
    graph = graph_of(renamed(forest(), "features", "sum"), node("Identity", ["sum"], ["answer"]))
    wrong: Any = {"trees": Ensemble, "whole graph": cut_graph.CutGraph}[of]
    run = wrong.run
    monkeypatch.setattr(wrong, "run", lambda self, rows: np.nextafter(run(self, rows), np.float32(0)))
    with pytest.raises(GraphNotReadError, match="its compiled trees gave other bits"):
        compiled(graph)


def test_bits_are_the_same_where_both_are_no_number():
    one = np.array([np.nan, 0.0], np.float32)
    assert same_bits(one, -one * np.float32(-1))
    assert not same_bits(one, np.array([np.nan, -0.0], np.float32))
    assert not same_bits(one, np.array([0.0, 0.0], np.float32))
    assert not same_bits(one, one[:1])
    assert not same_bits(one, one.astype(np.float64))


@pytest.mark.parametrize(
    ("estimator", "task"),
    [
        (GradientBoostingClassifier(n_estimators=10), "binary"),
        (GradientBoostingClassifier(n_estimators=5), "multiclass"),
        (GradientBoostingRegressor(n_estimators=10), "regression"),
        (ExtraTreesRegressor(n_estimators=10), "regression"),
        (RandomForestClassifier(n_estimators=10), "multiclass"),
        (DecisionTreeClassifier(), "binary"),
        (HistGradientBoostingRegressor(max_iter=10), "regression"),
    ],
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)
def test_what_scikit_learn_fits_is_compiled(estimator, task):
    random = np.random.default_rng(2)
    matrix = random.normal(size=(400, FEATURES)).astype(np.float32)
    number = matrix[:, 0] * matrix[:, 1] + random.normal(size=400) / 5
    label = {"binary": number > 0, "multiclass": np.digitize(number, [-0.5, 0.5]), "regression": number}[task]
    graph = export_onnx(make_pipeline(estimator.set_params(random_state=1).fit(matrix, label)), FEATURES, task)
    ours, theirs = compiled(graph, RULES[task].output_name)
    assert same_bits(ours(matrix), theirs(matrix))
    assert len(np.unique(ours(matrix))) > 1
