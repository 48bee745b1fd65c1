import numpy as np
import onnx
import pytest
from sklearn.ensemble import BaggingClassifier, GradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from tests.training.models.fitted_models import FITTED, fitted, spread, train_labels, train_rows, window_rows
from training.errors import CertificateError
from training.models.built_candidate import build_steps
from training.models.candidates import fit_model
from training.models.certificate import certify, require_pass
from training.models.columns import Columns
from training.models.graph import onnx_export
from training.models.graph.onnx_export import export_onnx
from training.models.predictions import predicted


@pytest.mark.parametrize(("task", "name"), FITTED)
def test_the_exported_graph_predicts_as_the_fitted_model_also_with_missing_and_extreme_values(task, name):
    pipeline = fitted(name, task)
    graph = export_onnx(pipeline, 6, task)
    found = certify(pipeline, graph, window_rows(), on_demand_cases=0, seed=0, spread=spread(task), task=task)
    assert found.passed, found
    kinds = {
        "test window",
        "one feature missing",
        "all features missing",
        "one extreme",
        "all extreme",
        "beside a threshold",
    }
    assert set(found.kinds) == kinds
    assert found.parity.cases > 1_000
    assert len(np.unique(predicted(pipeline, window_rows(), task))) > 20
    assert len(found.parity.worst_of_classes) == (3 if task == "multiclass" else 0)


def test_a_graph_that_computes_something_else_is_refused_by_name():
    graph = onnx.load_from_string(export_onnx(fitted("logistic_regression"), 6))
    classifier = next(node for node in graph.graph.node if node.op_type == "LinearClassifier")
    coefficients = next(each for each in classifier.attribute if each.name == "coefficients")
    coefficients.floats[6] += 0.1  # the first of the positive class
    found = certify(fitted("logistic_regression"), graph.SerializeToString(), window_rows(), 0, 0)
    with pytest.raises(CertificateError, match=r"not the fitted one, so nothing was published.*differs by"):
        require_pass(found)


def test_a_regression_that_splits_elsewhere_is_refused_though_its_values_are_large():
    """One leaf of one tree is off by a hundredth of the spread: less than a ten-thousandth of the value."""
    graph = onnx.load_from_string(export_onnx(fitted("hist_gradient_boosting", "regression"), 6, "regression"))
    trees = next(node for node in graph.graph.node if node.op_type == "TreeEnsembleRegressor")
    weights = next(each for each in trees.attribute if each.name == "target_weights")
    for place in range(40):
        weights.floats[place] += 0.01 * spread("regression")
    pipeline = fitted("hist_gradient_boosting", "regression")
    changed = graph.SerializeToString()
    found = certify(pipeline, changed, window_rows(), 0, 0, spread=spread("regression"), task="regression")
    with pytest.raises(CertificateError, match="not the fitted one"):
        require_pass(found)


def test_a_graph_that_mixes_two_classes_up_is_refused_and_the_worst_of_each_class_is_kept():
    graph = onnx.load_from_string(export_onnx(fitted("logistic_regression", "multiclass"), 6, "multiclass"))
    (out,) = graph.graph.output
    last = next(node for node in graph.graph.node if out.name in node.output)
    last.output[0] = "before"
    order = onnx.helper.make_tensor("order", onnx.TensorProto.INT64, [3], [1, 0, 2])
    graph.graph.initializer.append(order)
    graph.graph.node.append(onnx.helper.make_node("Gather", ["before", "order"], [out.name], axis=1))
    pipeline = fitted("logistic_regression", "multiclass")
    found = certify(pipeline, graph.SerializeToString(), window_rows(), 0, 0, task="multiclass")
    with pytest.raises(CertificateError, match="not the fitted one"):
        require_pass(found)
    first, second, third = found.parity.worst_of_classes
    assert first == pytest.approx(second)
    assert first > 0.1
    assert third < 1e-5


NAMES = ("cents", "count", "ratio", "sparse", "constant", "empty")
TREES = {
    "a forest": RandomForestClassifier(n_estimators=8, random_state=0),
    "boosted trees": GradientBoostingClassifier(n_estimators=8, random_state=0),
    "bagged trees, and a tree that votes": VotingClassifier(
        [
            ("bag", BaggingClassifier(DecisionTreeClassifier(max_depth=5), n_estimators=4, random_state=0)),
            ("tree", DecisionTreeClassifier(max_depth=4, random_state=0)),
        ],
        voting="soft",
        flatten_transform=False,
    ),
}


def fitted_behind(scaler, trees):
    def build(columns, seed):
        return make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), scaler, trees)

    steps = build_steps("build", build, Columns(NAMES), 0, "binary")
    return fit_model("build", train_rows(), train_labels("binary"), 0, steps=steps)[0]


@pytest.mark.parametrize("trees", TREES)
def test_trees_behind_a_scaler_are_tried_on_both_sides_of_their_splits_and_pass(trees):
    pipeline = fitted_behind(RobustScaler(), TREES[trees])
    found = certify(pipeline, export_onnx(pipeline, 6), window_rows(), 0, 0)
    assert found.passed, found
    assert found.kinds["beside a threshold"][0] > 1_000


def test_a_scaler_that_rounds_otherwise_is_found_beside_the_splits_of_the_trees_behind_it(monkeypatch):
    """The fault it is there for: the graph multiplied by the reciprocal of the scale that was divided by."""
    pipeline = fitted_behind(StandardScaler(), TREES["a forest"])
    monkeypatch.setattr(onnx_export, "DIVIDING", {})
    found = certify(pipeline, export_onnx(pipeline, 6), window_rows(), 0, 0, names=NAMES)
    assert found.kinds["beside a threshold"][1] > 1e-3
    told = r"The smallest row that fails: \w+=\S+, all other features missing: fitted [\d.e-]+, exported [\d.e-]+\. "
    with pytest.raises(CertificateError, match=told):
        require_pass(found)
