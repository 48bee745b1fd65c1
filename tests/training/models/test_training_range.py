"""The range seen in fitting: infinities and strangers become its ends, NaN stays, and the graph gives the same bits."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from training.models.graph.onnx_export import export_onnx, open_session, run_session
from training.models.training_range import TrainingRange

INF, NAN = np.inf, np.nan
FITTED = np.array([[1, -5, NAN, 0], [3, INF, NAN, 0], [NAN, 7, -INF, 0]], np.float32)
ASKED = np.array([[0, -INF, 5, 1], [4, INF, NAN, -1], [NAN, NAN, -INF, NAN], [2, 6, 0, 0]], np.float32)
WANTED = np.array([[1, -5, 0, 0], [3, 7, NAN, 0], [NAN, NAN, 0, NAN], [2, 6, 0, 0]], np.float32)


def test_each_column_is_held_to_its_own_finite_range_and_what_is_missing_stays_missing() -> None:
    step = TrainingRange().fit(FITTED)
    assert step.low_.tolist() == [1, -5, 0, 0]
    assert step.high_.tolist() == [3, 7, 0, 0]
    found = step.transform(ASKED)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, WANTED)


@pytest.mark.parametrize("column", range(3))
def test_the_graph_holds_to_the_range_as_the_step_does(column: int) -> None:
    """A model that reads one column gives it back, so the graph shows what the step made of it."""
    rows = np.array([[1, -5, 10], [3, 7, 11], [2, 0, 12]], np.float32)
    asked: NDArray[np.float32] = np.array([[-1e30, -1e30, -1e30], [1e30, 1e30, 1e30], [INF, -INF, INF]], np.float32)
    pipeline = make_pipeline(TrainingRange(), LinearRegression()).fit(rows, rows[:, column])
    linear = pipeline[-1]
    linear.coef_, linear.intercept_ = np.eye(3)[column], 0.0
    session = open_session(export_onnx(pipeline, 3, "regression"))
    wanted = TrainingRange().fit(rows).transform(asked)[:, column]
    assert run_session(session, asked).ravel().tolist() == wanted.tolist()
