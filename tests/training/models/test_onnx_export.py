import pytest

from tests.training.models.fitted_models import FITTED, fitted, window_rows
from training.models.model_constants import INPUT_NAME
from training.models.onnx_export import export_onnx, open_session, run_session
from training.models.task_rules import RULES


@pytest.mark.parametrize(("task", "name"), FITTED)
def test_exporting_again_gives_the_same_bytes(task, name):
    assert export_onnx(fitted(name, task), 6) == export_onnx(fitted(name, task), 6)


@pytest.mark.parametrize("task", RULES)
def test_the_graph_takes_one_matrix_and_gives_one_score_or_value_per_row(task):
    session = open_session(export_onnx(fitted("random_forest", task), 6))
    assert [(each.name, each.type, each.shape[1]) for each in session.get_inputs()] == [
        (INPUT_NAME, "tensor(float)", 6)
    ]
    assert [(each.name, each.type) for each in session.get_outputs()] == [(RULES[task].output_name, "tensor(float)")]
    assert run_session(session, window_rows()[:7]).shape == (7,)
    assert run_session(session, window_rows()[:0]).shape == (0,)
