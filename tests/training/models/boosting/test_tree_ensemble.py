import numpy as np
import onnx
import pytest
from onnx import TensorProto
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info

from training.models.boosting.tree_ensemble import TreeEnsemble
from training.models.graph.onnx_export import open_session

THRESHOLDS = [0.1, 0.5, 16777217.0, -1e-300, 3e38, float(np.finfo(np.float32).min)]


def answers(ensemble, rows):
    """What ONNX Runtime says of rows."""
    node = make_node("TreeEnsembleRegressor", ["features"], ["sums"], domain="ai.onnx.ml", **ensemble.attributes())
    given = make_tensor_value_info("features", TensorProto.FLOAT, [None, rows.shape[1]])
    found = make_tensor_value_info("sums", TensorProto.FLOAT, [None, len(ensemble.base)])
    opsets = [make_opsetid("", 18), make_opsetid("ai.onnx.ml", 3)]
    model = make_model(make_graph([node], "model", [given], [found]), opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model)
    return open_session(model.SerializeToString()).run(None, {"features": rows})[0]


def stump(threshold, *, missing, below=False):
    found = TreeEnsemble(np.array([10.0]), "identity", features=1)
    found.split((0, 0), 0, threshold, (1, 2), missing=missing, below=below)
    found.leaf((0, 1), [1.0])
    found.leaf((0, 2), [2.0])
    return found


@pytest.mark.parametrize("threshold", THRESHOLDS)
@pytest.mark.parametrize("missing", [True, False])
def test_a_float64_threshold_divides_float32_values_as_it_divides_them_itself(threshold, missing):
    nearest = np.float32(threshold)
    with np.errstate(over="ignore"):
        below = np.nextafter(nearest, np.float32(-np.inf))
    beside = np.array([below, nearest, np.nextafter(nearest, np.float32(np.inf))])
    expected = [11.0 if float(value) <= threshold else 12.0 for value in beside]
    rows = np.append(beside, np.nan).astype(np.float32)[:, None]
    assert answers(stump(threshold, missing=missing), rows)[:, 0].tolist() == [*expected, 11.0 if missing else 12.0]


def test_a_threshold_may_send_its_own_value_the_second_way():
    rows = np.array([[0.5], [np.nextafter(np.float32(0.5), np.float32(0))]], np.float32)
    assert answers(stump(0.5, missing=False, below=True), rows)[:, 0].tolist() == [12.0, 11.0]


def test_each_target_begins_at_its_base_and_adds_its_own_leaves():
    found = TreeEnsemble(np.array([1.0, 2.0, 3.0]), "softmax", features=1)
    found.leaf((0, 0), [10.0, 20.0, 30.0])
    found.leaf((1, 0), [100.0], target=2)
    assert answers(found, np.zeros((1, 1), np.float32)).tolist() == [[11.0, 22.0, 133.0]]


def test_equal_sets_of_a_category_share_a_column_behind_the_features():
    found = TreeEnsemble(np.zeros(1), "identity", features=2)
    for node, values in enumerate(({1, 2}, {3}, {2, 1})):
        found.split_by_set((node, 0), 1, frozenset(values), (1, 2), missing=False)
    assert found.sets == [(1, frozenset({1, 2})), (1, frozenset({3}))]
    assert found.attributes()["nodes_featureids"] == [2, 3, 2]


def test_the_level_of_exponents_is_taken_out_of_the_trees_and_no_sum_changes_beside_it():
    found = stump(0.5, missing=False)
    rows = np.array([[0.0], [1.0]], np.float32)
    before = answers(found, rows)
    found.take_out_level()
    assert found.factor == pytest.approx(np.exp(11.5))
    assert answers(found, rows).tolist() == (before - np.float32(11.5)).tolist() == [[-0.5], [0.5]]
