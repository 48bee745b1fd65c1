import pytest

from tests.training.models.fitted_models import FITTED, fitted, train_labels, train_rows, window_rows
from training.models.candidates import fit_model
from training.models.graph.model_constants import INPUT_NAME
from training.models.graph.onnx_export import export_onnx, open_session, run_session
from training.models.predictions import predicted
from training.models.task_rules import RULES


@pytest.mark.parametrize(("task", "name"), FITTED)
def test_exporting_again_gives_the_same_bytes(task, name):
    assert export_onnx(fitted(name, task), 6, task) == export_onnx(fitted(name, task), 6, task)


@pytest.mark.parametrize("task", RULES)
def test_the_graph_takes_one_matrix_and_gives_a_score_a_value_or_the_probabilities_of_each_row(task):
    session = open_session(export_onnx(fitted("random_forest", task), 6, task))
    assert [(each.name, each.type, each.shape[1]) for each in session.get_inputs()] == [
        (INPUT_NAME, "tensor(float)", 6)
    ]
    assert [(each.name, each.type) for each in session.get_outputs()] == [(RULES[task].output_name, "tensor(float)")]
    of_row = (3,) if task == "multiclass" else ()
    assert run_session(session, window_rows()[:7]).shape == (7, *of_row)
    assert run_session(session, window_rows()[:0]).shape == (0, *of_row)


@pytest.mark.parametrize("name", RULES["multiclass"].models)
def test_two_classes_have_two_probabilities(name):
    """A forest of two classes, or a logistic regression, is fitted as one of two outcomes."""
    label = (train_labels("multiclass") > 0).astype(float)
    pipeline, _ = fit_model(name, train_rows(), label, 1, "multiclass")
    given = run_session(open_session(export_onnx(pipeline, 6, "multiclass")), window_rows()[:50])
    assert given.shape == (50, 2)
    assert given == pytest.approx(predicted(pipeline, window_rows()[:50], "multiclass"), abs=1e-5)
    assert given.sum(axis=1) == pytest.approx(1.0)
