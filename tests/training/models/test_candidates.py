import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from tests.training.models.fitted_models import window_rows
from training.errors import TrainingError
from training.models.candidates import CANDIDATES, fit_model
from training.models.task_rules import MODELS


def test_an_unknown_model_is_named():
    with pytest.raises(TrainingError, match="There is no model 'forest'"):
        fit_model("forest", window_rows(), np.zeros(len(window_rows())), 0)


def test_the_command_line_offers_every_candidate():
    assert tuple(CANDIDATES) == MODELS


def test_a_candidate_of_another_task_is_refused_with_those_of_its_own():
    with pytest.raises(TrainingError, match="asks for regression, and logistic_regression cannot learn it"):
        fit_model("logistic_regression", window_rows(), np.zeros(len(window_rows())), 0, "regression")


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_boosting_learns_where_a_class_has_one_row_and_none_can_be_set_aside(task, monkeypatch):
    monkeypatch.setattr(HistGradientBoostingClassifier, "fit", _few_rounds(HistGradientBoostingClassifier.fit))
    matrix = np.random.default_rng(0).normal(size=(10_001, 1)).astype(np.float32)
    label = np.arange(len(matrix)) % 2.0 * (task == "multiclass")
    label[7] = 1 if task == "binary" else 2
    pipeline, notes = fit_model("hist_gradient_boosting", matrix, label, 0, task)
    assert notes == ["it was not stopped early: a class has one row, and none can be set aside"]
    assert np.isfinite(pipeline.predict_proba(matrix[:5])).all()


def _few_rounds(fit):
    return lambda self, *given: fit(self.set_params(max_iter=3), *given)
