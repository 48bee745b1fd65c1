from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from serving.models.model import Model
from serving.models.model import open_session as serving_session
from shared_features.trees import trial_rows
from tests.training.models.fitted_models import FITTED, fitted, window_rows
from training.inference import batch_scorer
from training.inference.batch_scorer import BatchScorer
from training.models.graph.batch_graph import keeps_bits, operators
from training.models.graph.model_constants import INPUT_NAME
from training.models.graph.onnx_export import export_onnx
from training.models.task_rules import RULES

TREES = ("hist_gradient_boosting", "random_forest")


def rows() -> NDArray[np.float32]:
    """Those of the test window, with missing values and infinities."""
    found = np.array(window_rows())
    random = np.random.default_rng(5)
    found[random.random(found.shape) < 0.05] = np.nan
    found[random.random(found.shape) < 0.01] = np.inf
    return found


@pytest.mark.parametrize(("task", "name"), FITTED)
def test_every_candidate_of_every_task_gives_the_bits_of_serving(
    task: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In runs of many rows, of few, and of what is left over; by ONNX Runtime, and by compiled trees."""
    matrix = rows()
    graph, output = export_onnx(fitted(name, task), matrix.shape[1], task), RULES[task].output_name
    served = Model("m", 1, INPUT_NAME, output, serving_session(graph)).score(matrix)
    monkeypatch.setattr(trial_rows, "_MOST_SPLITS", 200)
    for rows_of_a_run, threads, compiled in ((7, 3, False), (64, 3, True), (100_000, 1, False)):
        monkeypatch.setattr(batch_scorer, "_ROWS_OF_A_RUN", rows_of_a_run)
        monkeypatch.setattr(batch_scorer, "_ROWS_WORTH_COMPILING", 1 if compiled else 1_000_000)
        with BatchScorer(graph, INPUT_NAME, output, threads) as scorer:
            found = scorer.score(matrix)
            assert found.dtype == np.float32
            assert found.tolist() == served
            assert scorer.shares_runs == (name in TREES)
            assert scorer.compiled is (True if compiled and name in TREES else None)
            assert scorer.score(matrix[:0]).shape == found[:0].shape


def test_few_rows_are_left_to_onnx_runtime() -> None:
    """Trees are read and tried in the time in which it runs 100,000 rows."""
    matrix = rows()
    with BatchScorer(export_onnx(fitted("random_forest"), matrix.shape[1]), INPUT_NAME, "score") as scorer:
        scorer.score(matrix)
        assert (scorer.compiled, scorer.why_not) == (None, "")


def other(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.zeros(len(rows), np.float32)


def test_compiled_trees_that_give_other_bits_for_the_first_rows_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_scorer, "_ROWS_WORTH_COMPILING", 1)
    monkeypatch.setattr(batch_scorer, "compile_graph", lambda *given: other)
    matrix = rows()
    graph = export_onnx(fitted("random_forest"), matrix.shape[1])
    served = Model("m", 1, INPUT_NAME, "score", serving_session(graph)).score(matrix)
    with BatchScorer(graph, INPUT_NAME, "score") as scorer:
        assert scorer.score(matrix).tolist() == served
        assert scorer.compiled is False
        assert "other bits for a row of the first ones" in scorer.why_not


def test_a_graph_whose_first_rows_differ_alone_is_run_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an operator is thought to keep the bits, and on some processor does not."""
    matrix = rows()
    graph = export_onnx(fitted("logistic_regression"), matrix.shape[1])
    monkeypatch.setattr(batch_scorer, "keeps_bits", lambda graph: True)
    served = Model("m", 1, INPUT_NAME, "score", serving_session(graph)).score(matrix)
    with BatchScorer(graph, INPUT_NAME, "score") as scorer:
        assert scorer.score(matrix).tolist() == served
        assert not scorer.shares_runs


def test_trees_share_runs_and_matrix_products_do_not() -> None:
    forest, line = (
        export_onnx(fitted(name), window_rows().shape[1]) for name in ("random_forest", "logistic_regression")
    )
    assert keeps_bits(forest)
    assert not keeps_bits(line)
    assert operators(line) & {"Gemm", "MatMul", "LinearClassifier"}
