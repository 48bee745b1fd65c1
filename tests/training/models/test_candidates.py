import numpy as np
import pytest

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
