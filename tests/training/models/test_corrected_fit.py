"""What a model asks for beside its estimator: sampled and weighted rows, corrected, and a calibration by later rows."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import onnx
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import KNeighborsClassifier

from tests.training.models.fitted_models import train_labels, train_rows, window_rows
from training.errors import CertificateError, TrainingError
from training.models.candidates import fit_model
from training.models.certificate import certify, require_pass
from training.models.corrected_fit import CALIBRATED_SHARE, LearnedRows, fit_corrected
from training.models.correction.corrected_model import CorrectedModel, corrections_of
from training.models.correction.odds import DividedShares, ScaledOdds
from training.models.correction.one_versus_rest import OneVersusRest
from training.models.fitting import Fitting
from training.models.graph.batch_graph import keeps_bits
from training.models.graph.onnx_export import export_onnx, open_session, run_session
from training.models.predictions import predicted

NUMBERS = np.random.default_rng(0)
ROWS = NUMBERS.normal(size=(12_000, 2)).astype(np.float32)
CHANCE = 1 / (1 + np.exp(-1.5 * ROWS[:, 0] + 3))
"""About 8 % are positive."""
LABEL = (NUMBERS.random(len(ROWS)) < CHANCE).astype(float)
TIMES = NUMBERS.permutation(len(ROWS)) * 1_000_000
"""The rows are not in the order of time."""


def fits(name: str, steps: Any = None) -> Any:
    return lambda rows, weights: fit_model(name, rows.matrix, rows.label, 0, rows.task, steps, weights=weights)


def fitted(fitting: Fitting, name: str = "logistic_regression", task: str = "binary", **given: Any) -> Any:
    rows = LearnedRows(**{"matrix": ROWS, "label": LABEL, "time_us": TIMES, "task": task, **given})
    return fit_corrected(fits(name), rows, fitting, seed=0)


def test_where_a_model_asks_for_nothing_the_pipeline_itself_is_fitted_on_all_rows() -> None:
    seen = []

    def fit(rows: LearnedRows, weights: Any) -> Any:
        seen.append((rows.matrix, weights))
        return "pipeline", ["a note"]

    assert fit_corrected(fit, LearnedRows(ROWS, LABEL, TIMES), Fitting(), 0) == ("pipeline", ["a note"])
    ((matrix, weights),) = seen
    assert np.shares_memory(matrix, ROWS), "no matrix is copied"
    assert weights is None


@pytest.mark.parametrize(
    "fitting",
    [Fitting(keep_negatives=0.1), Fitting(class_weights={True: 20}), Fitting(None, {False: 3, True: 0.5}, 0.3)],
    ids=["sampled", "weighted", "both"],
)
def test_scores_stay_probabilities_though_the_shares_of_the_classes_were_changed(fitting: Fitting) -> None:
    model, notes = fitted(fitting)
    (correction,) = model.corrections
    assert isinstance(correction, ScaledOdds)
    assert notes == [correction.says]
    score = predicted(model, ROWS)
    assert score.mean() == pytest.approx(LABEL.mean(), rel=0.05)
    assert np.abs(score - CHANCE).mean() < 0.02
    assert abs(predicted(model.pipeline, ROWS).mean() - LABEL.mean()) > 0.03, "uncorrected it is far from that"


def test_the_correction_says_what_was_done_in_a_persons_words() -> None:
    model, _ = fitted(Fitting(None, {"no": 1, "yes": 4}, 0.5), classes=("no", "yes"))
    negatives = int((LABEL == 0).sum())
    kept = round(0.5 * negatives)
    (says,) = [each.says for each in corrections_of(model)]
    assert says.startswith(f"{kept:,} of {negatives:,} rows of no kept, class weights no 1, yes 4: odds times ")
    assert float(says.rpartition(" ")[2]) == pytest.approx(kept / negatives / 4, rel=1e-5)


def test_the_probabilities_of_several_classes_are_divided_by_their_weights() -> None:
    label, classes = LABEL + (ROWS[:, 1] > 1), ("on", "late", "lost")
    weighted, _ = fitted(Fitting(class_weights={"lost": 6}), task="multiclass", label=label, classes=classes)
    assert isinstance(weighted.corrections[0], DividedShares)
    found = predicted(weighted, ROWS, "multiclass")
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found.mean(axis=0), np.bincount(label.astype(int)) / len(label), atol=0.01)
    graph = export_onnx(weighted, 2, "multiclass")
    certificate = certify(weighted, graph, ROWS[:500], 0, 0, task="multiclass")
    require_pass(certificate)
    assert len(certificate.parity.worst_of_classes) == 3


@pytest.mark.parametrize("calibrate", ["isotonic", "platt"])
def test_a_calibration_learns_from_later_rows_than_the_estimator_and_from_no_other(calibrate: Any) -> None:
    later = np.sort(TIMES)[int(len(TIMES) * (1 - CALIBRATED_SHARE))] <= TIMES
    assert later.sum() == len(TIMES) * CALIBRATED_SHARE
    model, notes = fitted(Fitting(calibrate))
    assert "fitted on 2,400 rows from 1970-01-01T02:40:00" in notes[-1]
    otherwise = np.where(later, 1 - LABEL, LABEL)
    other, _ = fitted(Fitting(calibrate), label=otherwise)
    raw, other_raw = (predicted(each.pipeline, ROWS) for each in (model, other))
    assert raw.tobytes() == other_raw.tobytes(), "the later labels are not the estimator's"
    changed = LABEL.copy()
    changed[~later] = NUMBERS.permutation(changed[~later])
    again, _ = fit_corrected(
        lambda *given, **named: (model.pipeline, []), LearnedRows(ROWS, changed, TIMES), Fitting(calibrate), 0
    )
    assert model.predict_proba(ROWS).tobytes() == again.predict_proba(ROWS).tobytes(), "earlier labels are not its own"


@pytest.mark.parametrize("calibrate", ["isotonic", "platt"])
def test_a_model_that_is_too_sure_says_how_often_it_happens(calibrate: Any) -> None:
    """A forest of whole trees is far too sure of what it has seen."""
    sure = np.clip(LABEL * 0.6 + NUMBERS.random(len(LABEL)) * 0.7, 0, 1)
    matrix = np.column_stack([sure, ROWS[:, 1]]).astype(np.float32)
    half = NUMBERS.random(len(LABEL)) < 0.5
    model, _ = fitted(Fitting(calibrate, {True: 9.0}), "hist_gradient_boosting", matrix=matrix[half], label=LABEL[half],
                      time_us=TIMES[half])  # fmt: skip
    score = predicted(model, matrix[~half])
    parts = np.array_split(np.argsort(score), 8)
    assert max(abs(score[part].mean() - LABEL[~half][part].mean()) for part in parts) < 0.06


@pytest.mark.parametrize("calibrate", ["isotonic", "platt"])
def test_each_of_several_classes_is_calibrated_against_the_others_and_certified(calibrate: Any) -> None:
    label, classes = LABEL + (ROWS[:, 1] > 1), ("on", "late", "lost")
    asked = Fitting(calibrate, {"lost": 6})
    model, notes = fitted(asked, task="multiclass", label=label, classes=classes)
    divided, calibration = model.corrections
    assert isinstance(divided, DividedShares)
    assert isinstance(calibration, OneVersusRest)
    assert re.search(r"each class against the others, and their sum 1 again \(on: .*; late: .*; lost: ", notes[-1])
    found = predicted(model, ROWS, "multiclass")
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found.mean(axis=0), np.bincount(label.astype(int)) / len(label), atol=0.02)
    later = np.sort(TIMES)[int(len(TIMES) * (1 - CALIBRATED_SHARE))] <= TIMES
    if calibrate == "isotonic":  # of Platt's function scikit-learn takes the probability, and not its odds
        before = CorrectedModel(model.pipeline, (divided,))
        theirs = CalibratedClassifierCV(FrozenEstimator(AsClassifier(before)), method="isotonic")
        theirs.fit(ROWS[later], label[later])
        np.testing.assert_allclose(found, theirs.predict_proba(ROWS), atol=2e-3)
    graph = export_onnx(model, 2, "multiclass")
    certificate = certify(model, graph, ROWS[:500], 0, 0, task="multiclass")
    require_pass(certificate)
    assert len(certificate.parity.worst_of_classes) == 3
    assert np.abs(found[:500] - run_session(open_session(graph), ROWS[:500])).mean() < 1e-4


@pytest.mark.parametrize("calibrate", ["isotonic", "platt"])
def test_several_classes_are_calibrated_without_weights_too(calibrate: Any) -> None:
    label, classes = LABEL + (ROWS[:, 1] > 1), ("on", "late", "lost")
    model, _ = fitted(Fitting(calibrate), task="multiclass", label=label, classes=classes)
    assert [type(each) for each in model.corrections] == [OneVersusRest]
    found = predicted(model, ROWS, "multiclass")
    assert found.shape == (len(ROWS), 3)
    np.testing.assert_allclose(found.mean(axis=0), np.bincount(label.astype(int)) / len(label), atol=0.02)
    require_pass(certify(model, export_onnx(model, 2, "multiclass"), ROWS[:500], 0, 0, task="multiclass"))


class AsClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A corrected model, as scikit-learn asks for one."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.classes_ = np.arange(3.0)

    def fit(self, rows: Any, label: Any) -> Any:
        raise AssertionError("it is fitted")

    def predict(self, rows: Any) -> Any:
        return self.predict_proba(rows).argmax(axis=1)

    def predict_proba(self, rows: Any) -> Any:
        return self.model.predict_proba(rows)


SCALED = {
    "sampled": Fitting(keep_negatives=0.2),
    "isotonic": Fitting("isotonic"),
    "platt": Fitting("platt", {True: 30}),
}


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("hist_gradient_boosting", "isotonic"),
        ("logistic_regression", "isotonic"),
        ("random_forest", "platt"),
        ("random_forest", "sampled"),
    ],
)
def test_the_graph_is_certified_before_and_behind_its_corrections(name: str, asked: str) -> None:
    label = train_labels("binary")
    times = np.arange(len(label))
    fit = fits(name)
    model, _ = fit_corrected(fit, LearnedRows(train_rows(), label, times), SCALED[asked], 0)
    graph = export_onnx(model, 6)
    found = certify(model, graph, window_rows(), 0, 0)
    require_pass(found)
    assert "before its correction" in found.parity.reason
    assert found.kinds["beside a threshold"][0] > (100 if asked == "isotonic" else 0)
    if name != "logistic_regression":
        assert keeps_bits(graph), "corrections let rows share a run"
    rows = window_rows()
    apart = np.abs(predicted(model, rows) - run_session(open_session(graph), rows))
    assert np.mean(apart > 1e-5) < 0.01, "but for rows beside a step, the answer is the model's"


@pytest.mark.parametrize("what", ["height", "tree"])
def test_a_calibration_that_the_graph_computes_otherwise_is_refused(what: str) -> None:
    label = train_labels("binary")
    fit = fits("hist_gradient_boosting")
    model, _ = fit_corrected(fit, LearnedRows(train_rows(), label, np.arange(len(label))), Fitting("isotonic"), 0)
    graph = onnx.load_from_string(export_onnx(model, 6))
    if what == "tree":
        tree = [each for each in graph.graph.node if each.op_type == "TreeEnsembleRegressor"][-1]
        values = next(each for each in tree.attribute if each.name == "nodes_values").floats
        values[0] += 0.02
    else:
        heights = next(each for each in graph.graph.initializer if each.name == "correction_0_constant_3")
        wrong = onnx.numpy_helper.to_array(heights) + 1e-3
        heights.CopyFrom(onnx.numpy_helper.from_array(wrong, heights.name))
    found = certify(model, graph.SerializeToString(), window_rows(), 0, 0)
    with pytest.raises(CertificateError, match="not the fitted one"):
        require_pass(found)


def test_a_part_of_the_train_window_without_a_class_says_which_and_what_to_do() -> None:
    early = np.sort(TIMES)[int(len(TIMES) * (1 - CALIBRATED_SHARE))] > TIMES
    without_late, without_early = np.where(early, LABEL, 0.0), np.where(early, 0.0, LABEL)
    for label, part in ((without_late, "a calibration is fitted on"), (without_early, "is learned from")):
        with pytest.raises(TrainingError, match=f"Class True has no row in the part of the train window that {part}"):
            fitted(Fitting("isotonic"), label=label)
    with pytest.raises(TrainingError, match=r"Class 'no' has no row .* Give a larger --train-days"):
        fitted(Fitting("platt"), label=np.ones(len(LABEL)), classes=("no", "yes"))


def test_weights_ask_for_an_estimator_that_takes_them_and_for_classes_that_there_are() -> None:
    with pytest.raises(TrainingError, match=r"class_weights names 'losst', .* write one of them. Did you mean 'lost'"):
        fitted(Fitting(class_weights={"losst": 2}), classes=("on time", "lost"))
    steps = [("neighbours", KNeighborsClassifier())]
    fit = fits("near", steps)
    with pytest.raises(
        TrainingError, match=r"'near' cannot weigh classes. KNeighborsClassifier takes no sample_weight"
    ):
        fit_corrected(fit, LearnedRows(ROWS, LABEL, TIMES), Fitting(class_weights={True: 2}), 0)
