"""A search on the train window: compared with trials that are fitted and scored by hand, and the same each time."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.training.random_dataset import random_dataset
from training.datasets.time_split import TRAIN
from training.definitions import NumberRange, OneOf, Search, WholeRange
from training.definitions.search import Range
from training.errors import TrainingError
from training.models.columns import Columns
from training.models.graph.onnx_export import export_onnx
from training.runs.actions.candidate_fit import CandidateFit, TrainRows
from training.runs.actions.searching import search_values, write_search

SPACE: dict[str, Range] = {"strength": NumberRange(0.001, 10, log=True), "centred": OneOf((True, False))}
ASKED = Search(SPACE, trials=5, folds=2)


def weighted(columns, seed, strength=1.0, centred=True):
    return make_pipeline(
        SimpleImputer(keep_empty_features=True),
        StandardScaler(with_mean=centred),
        LogisticRegression(C=strength, random_state=seed),
    )


@pytest.fixture(scope="module")
def train():
    dataset = random_dataset()
    rows = dataset.rows(TRAIN)
    columns = Columns(dataset.features)
    return TrainRows(columns, dataset.matrix[rows], dataset.label[rows], dataset.event_time_us[rows], "binary")


@pytest.fixture(scope="module")
def candidate(train):
    return CandidateFit("weighted", weighted, train, seed=3)


@pytest.fixture(scope="module")
def found(candidate):
    return search_values(candidate, ASKED, "roc_auc")


def test_each_trial_is_scored_on_each_fold_as_by_hand(train, found):
    order = np.argsort(train.event_time_us, kind="stable")
    matrix, label, ends = train.matrix[order], train.label[order], [len(order) * part // 3 for part in (1, 2, 3)]
    for trial in found.trials:
        for at, score in enumerate(trial.folds):
            earlier, later = slice(ends[at]), slice(ends[at], ends[at + 1])
            finite = np.where(np.isfinite(matrix[earlier]), matrix[earlier], np.nan)
            low, high = (np.nan_to_num(each(finite[:, :5], axis=0)) for each in (np.nanmin, np.nanmax))
            given, told = (np.clip(matrix[rows, :5], low, high) for rows in (earlier, later))  # the sixth is empty
            by_hand = weighted(None, 3, **trial.values).fit(given, label[earlier])
            expected = roc_auc_score(label[later], by_hand.predict_proba(told)[:, 1])
            assert score == pytest.approx(expected, abs=1e-4)
        assert trial.score == np.mean(trial.folds)
        assert 0.001 <= trial.values["strength"] <= 10
    assert found.best.score == max(trial.score for trial in found.trials)


def test_the_same_seed_and_trials_give_the_same_model(candidate, found):
    again = search_values(candidate, ASKED, "roc_auc")
    assert again == found
    fitted = [replace(candidate, values=each.best.values).fit()[0] for each in (found, again)]
    digests = {hashlib.sha256(export_onnx(each, 6)).hexdigest() for each in fitted}
    assert len(digests) == 1
    assert found.best.values["strength"] == fitted[0][-1].C


def test_rows_of_other_windows_are_out_of_reach(train, candidate, found):
    """A search on half of the window, in time, is what a search would be that never saw the other half."""
    half = np.sort(train.event_time_us)[len(train.label) // 2]
    before = train.event_time_us < half
    cut = TrainRows(train.columns, train.matrix[before], train.label[before], train.event_time_us[before], train.task)
    one = search_values(replace(candidate, train=cut), replace(ASKED, trials=1, folds=1), "roc_auc")
    assert one.trials[0].values == found.trials[0].values
    assert one.trials[0].folds != found.trials[0].folds[:1]


def neighbours(columns, seed, n_neighbors=1):
    return KNeighborsRegressor(n_neighbors)


def test_labels_that_were_not_known_when_a_part_began_do_not_leak_into_its_score():
    """Neighbours in time share a label: a part that begins among them was answered by labels of its own day."""
    day_us, rows = 86_400_000_000, 4_000
    times = np.arange(rows, dtype=np.int64) * (day_us // 100)
    of_day = np.random.default_rng(5).normal(size=rows // 100 + 1)
    matrix, label = (times / day_us).astype(np.float32)[:, None], of_day[times // day_us]
    asked = Search({"n_neighbors": WholeRange(1, 2)}, trials=1, folds=79)

    def rmse_of_folds(gap_us):
        train = TrainRows(Columns(("at",)), matrix, label, times, "regression", gap_us=gap_us)
        candidate = CandidateFit("neighbours", neighbours, train, seed=0)
        (trial,) = search_values(candidate, asked, "rmse").trials
        return trial.folds

    leaking, honest = rmse_of_folds(0), rmse_of_folds(day_us)
    assert sum(each < 1e-9 for each in leaking) >= 39, "the half of the parts that begin in the middle of a day"
    assert min(honest) > 1e-3


def test_the_report_has_every_trial_the_best_one_and_a_plot(found, tmp_path):
    write_search(tmp_path, "weighted", found)
    facts = json.loads((tmp_path / "search-weighted.json").read_bytes())
    assert [each["number"] for each in facts["trials"]] == [0, 1, 2, 3, 4]
    assert facts["trials"][facts["best"]]["values"] == found.best.values
    page = (tmp_path / "search-weighted.html").read_text()
    assert f"<td>{found.best.number} (best)</td>" in page
    assert '<svg class="plot"' in page


def test_a_built_in_candidate_is_searched_by_the_parameters_of_its_estimator(train):
    built_in = CandidateFit("logistic_regression", None, train, seed=0)
    found = search_values(built_in, Search({"C": NumberRange(0.01, 1)}, trials=2, folds=1), "log_loss")
    assert {tuple(each.values) for each in found.trials} == {("C",)}
    with pytest.raises(TrainingError, match=r"names 'depth', and its estimator has no such parameter\. Name one of C,"):
        search_values(built_in, Search({"depth": WholeRange(1, 2)}), "log_loss")


def test_a_fit_that_fails_names_the_candidate(train):
    def wrong(columns, seed, strength=1.0):
        return weighted(columns, seed, -strength)

    with pytest.raises(TrainingError, match="Candidate 'wrong' cannot be fitted"):
        search_values(CandidateFit("wrong", wrong, train, 0), Search({"strength": NumberRange(1, 2)}), "roc_auc")
