import functools

import numpy as np
import onnx
import pytest

from tests.domains.machines import BREAKDOWN
from tests.training.datasets import random_dataset
from training import model as model_module
from training.certificate import certify, require_pass
from training.dataset_builder import SampledInputs
from training.errors import CertificateError, TrainingError
from training.model import CANDIDATES, fit_model, scores
from training.on_demand_parity import count_on_demand_cases
from training.onnx_export import INPUT_NAME, OUTPUT_NAME, export_onnx, open_session, run_session
from training.time_split import TEST, TRAIN


@functools.cache
def fitted(name):
    dataset = random_dataset()
    rows = dataset.rows(TRAIN)
    return fit_model(name, dataset.matrix[rows], dataset.label[rows], seed=1)[0]


def window_rows():
    dataset = random_dataset()
    return dataset.matrix[dataset.rows(TEST)]


@pytest.mark.parametrize("name", CANDIDATES)
def test_the_exported_graph_scores_as_the_fitted_model_also_with_missing_and_extreme_values(name):
    pipeline = fitted(name)
    graph = export_onnx(pipeline, 6)
    found = certify(pipeline, graph, window_rows(), on_demand_cases=0, seed=0)
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
    assert len(np.unique(scores(pipeline, window_rows()))) > 20


@pytest.mark.parametrize("name", CANDIDATES)
def test_exporting_again_gives_the_same_bytes(name):
    assert export_onnx(fitted(name), 6) == export_onnx(fitted(name), 6)


def test_the_graph_takes_one_matrix_and_gives_one_score_per_row():
    session = open_session(export_onnx(fitted("random_forest"), 6))
    assert [(each.name, each.type, each.shape[1]) for each in session.get_inputs()] == [
        (INPUT_NAME, "tensor(float)", 6)
    ]
    assert [(each.name, each.type) for each in session.get_outputs()] == [(OUTPUT_NAME, "tensor(float)")]
    assert run_session(session, window_rows()[:7]).shape == (7,)
    assert run_session(session, window_rows()[:0]).shape == (0,)


@pytest.mark.parametrize("name", ["hist_gradient_boosting"])  # of a forest, skl2onnx rounds them itself
def test_without_rounded_thresholds_the_certificate_fails(name, monkeypatch):
    """The bug it is there for: ONNX keeps a threshold as its nearest float32, which can be the value above it."""
    monkeypatch.setattr(model_module, "round_thresholds", lambda pipeline: None)
    random = np.random.default_rng(0)
    steps = np.arange(64).astype(np.int32) + np.float32(1000).view(np.int32)
    near = np.ascontiguousarray(random.choice(steps, (4_000, 1))).view(np.float32)  # all floats beside each other
    label = (near[:, 0].view(np.int32) % 2 == 0).astype(float)
    pipeline, _ = fit_model(name, near, label, 0)
    found = certify(pipeline, export_onnx(pipeline, 1), near, 0, 0)
    assert not found.passed
    monkeypatch.undo()
    pipeline, _ = fit_model(name, near, label, 0)
    assert certify(pipeline, export_onnx(pipeline, 1), near, 0, 0).passed


def test_a_graph_that_computes_something_else_is_refused_by_name():
    graph = onnx.load_from_string(export_onnx(fitted("logistic_regression"), 6))
    classifier = next(node for node in graph.graph.node if node.op_type == "LinearClassifier")
    coefficients = next(each for each in classifier.attribute if each.name == "coefficients")
    coefficients.floats[6] += 0.1  # the first of the positive class
    found = certify(fitted("logistic_regression"), graph.SerializeToString(), window_rows(), 0, 0)
    with pytest.raises(CertificateError, match=r"differs from what was fitted by .* nothing was published"):
        require_pass(found)


def test_an_unknown_model_is_named():
    with pytest.raises(TrainingError, match="there is no model 'forest'"):
        fit_model("forest", window_rows(), np.zeros(len(window_rows())), 0)


def machine_inputs():
    random = np.random.default_rng(0)
    request = {field.name: random.normal(size=50) for field in BREAKDOWN.request_fields}
    stored = {group.part_name: random.normal(size=(50, len(group.features))) for group in BREAKDOWN.groups}
    for values in (*request.values(), *stored.values()):
        values[random.random(values.shape) < 0.2] = np.nan
    return SampledInputs(request, stored, random.integers(0, 10**15, 50))


def test_on_demand_functions_are_the_same_on_scalars_and_arrays():
    assert count_on_demand_cases(BREAKDOWN, machine_inputs(), seed=0) == 2 * (50 + 300)


def view_with(function):
    column = BREAKDOWN.columns[0]
    broken = type(column)(function.__name__, BREAKDOWN.columns[-2].inputs, function)
    return type("View", (), {"columns": (broken,)})()


def test_a_function_that_differs_on_scalars_is_named():
    def mean_of_batch(celsius, celsius_mean_1h):
        return celsius - np.mean(celsius) + 0 * celsius_mean_1h

    def only_arrays(celsius, celsius_mean_1h):
        return celsius.clip(0, 1) + celsius_mean_1h

    with pytest.raises(CertificateError, match=r"mean_of_batch gives .* for inputs"):
        count_on_demand_cases(view_with(mean_of_batch), machine_inputs(), 0)
    with pytest.raises(CertificateError, match="only_arrays fails on scalars"):
        count_on_demand_cases(view_with(only_arrays), machine_inputs(), 0)
