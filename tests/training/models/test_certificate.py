import numpy as np
import onnx
import pytest

from tests.training.models.fitted_models import fitted, window_rows
from training.errors import CertificateError
from training.models.candidates import CANDIDATES, scores
from training.models.certificate import certify, require_pass
from training.models.onnx_export import export_onnx


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


def test_a_graph_that_computes_something_else_is_refused_by_name():
    graph = onnx.load_from_string(export_onnx(fitted("logistic_regression"), 6))
    classifier = next(node for node in graph.graph.node if node.op_type == "LinearClassifier")
    coefficients = next(each for each in classifier.attribute if each.name == "coefficients")
    coefficients.floats[6] += 0.1  # the first of the positive class
    found = certify(fitted("logistic_regression"), graph.SerializeToString(), window_rows(), 0, 0)
    with pytest.raises(CertificateError, match=r"not the fitted one, so nothing was published.*differs by"):
        require_pass(found)
