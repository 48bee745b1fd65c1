"""How many rounds boosting takes is told by the latest rows; compared with trying each number of rounds by hand."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from training.models.candidates import fit_model
from training.models.early_stopping import LatestRows, choose_rounds, latest_rows
from training.models.predictions import one_thread


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():  # as candidates are fitted; more wait for each other on a busy machine
        yield


def drifting():
    """What the label follows in the first rows changes towards the last ones, so many rounds learn too much of it."""
    random = np.random.default_rng(5)
    matrix = random.normal(size=(2_000, 4)).astype(np.float32)
    weight = np.linspace(1, 0.3, len(matrix))
    label = (random.random(len(matrix)) < 1 / (1 + np.exp(-2 * weight * matrix[:, 0]))).astype(np.int8)
    return matrix, label


def by_hand(earlier, later, most):
    """The number of rounds whose model of the earlier rows has the least log loss over the later ones."""
    model = HistGradientBoostingClassifier(max_iter=most, early_stopping=False, random_state=0).fit(*earlier)
    losses = [log_loss(later[1], each) for each in model.staged_predict_proba(later[0])]
    return int(np.argmin(losses)) + 1


def test_the_rounds_are_those_that_answer_the_latest_rows_best_and_all_rows_are_fitted_with_them():
    matrix, label = drifting()
    latest = latest_rows(np.arange(2_000), share=0.25, patience=200)
    earlier, later = ((matrix[rows], label[rows]) for rows in (slice(1_500), slice(1_500, None)))
    expected = by_hand(earlier, later, 60)
    assert 1 < expected < 60
    model = HistGradientBoostingClassifier(max_iter=60, random_state=0)
    pipeline, notes = fit_model("by_hand", matrix, label.astype(float), 0, steps=[("e", model)], latest=latest)
    (note,) = notes
    assert note.startswith(f"it takes {expected} of 60 rounds: so many answer best the 500 rows of the train window")
    again = HistGradientBoostingClassifier(max_iter=expected, early_stopping=False, random_state=0).fit(matrix, label)
    assert pipeline.predict_proba(matrix).tolist() == again.predict_proba(matrix).tolist()


def test_impatience_ends_the_search_for_a_better_loss_early():
    matrix, label = drifting()
    model = HistGradientBoostingClassifier(max_iter=400, random_state=0)
    note = choose_rounds(Pipeline([("e", model)]), matrix, label, latest_rows(np.arange(2_000), 0.25, 3), "binary")
    assert int(note.split()[2]) < 60


def test_rows_of_one_instant_are_latest_together_and_time_counts_not_the_order_of_rows():
    times = np.array([5, 1, 5, 5, 2, 3, 4, 5, 0, 1])
    found = latest_rows(times, share=0.1, patience=1)
    assert found.from_us == 5
    assert found.later.tolist() == [True, False, True, True, False, False, False, True, False, False]


def test_what_stands_before_boosting_is_fitted_on_the_earlier_rows_alone():
    matrix, label = drifting()
    seen = []

    class Watched(StandardScaler):  # type: ignore[misc]  # scikit-learn ships no types
        def fit(self, rows, y=None, sample_weight=None):
            seen.append(len(rows))
            return super().fit(rows, y, sample_weight)

    steps = [("scale", Watched()), ("e", HistGradientBoostingRegressor(max_iter=5, random_state=0))]
    choose_rounds(Pipeline(steps), matrix, label, latest_rows(np.arange(2_000), 0.25, 5), "regression")
    assert seen == [1_500]


def test_a_model_that_adds_no_trees_is_left_alone():
    matrix, label = drifting()
    latest = latest_rows(np.arange(2_000), 0.25, 5)
    assert choose_rounds(Pipeline([("e", LogisticRegression())]), matrix, label, latest, "binary") == ""


@pytest.mark.parametrize("rows", [slice(10), slice(1_990, None)], ids=["the earlier rows", "the latest rows"])
def test_boosting_is_not_stopped_early_where_a_side_lacks_a_class_and_says_so(rows):
    matrix, _ = drifting()
    label = np.zeros(2_000)
    label[rows] = 1
    later = np.arange(2_000) >= 1_500
    model = HistGradientBoostingClassifier(max_iter=3, random_state=0)
    pipeline, (note,) = fit_model("x", matrix, label, 0, steps=[("e", model)], latest=LatestRows(later, 0, 5))
    assert note == "it was not stopped early: the latest rows of the train window, or those before them, lack a class"
    assert pipeline[-1].n_iter_ == 3
