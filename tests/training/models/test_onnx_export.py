import pytest

from tests.training.models.fitted_models import fitted, window_rows
from training.models.candidates import CANDIDATES
from training.models.model_constants import INPUT_NAME, OUTPUT_NAME
from training.models.onnx_export import export_onnx, open_session, run_session


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
