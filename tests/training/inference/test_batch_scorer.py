from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from serving.models.model import Model
from serving.models.model import open_session as serving_session
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


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("task", "name"), FITTED)
def test_every_candidate_of_every_task_gives_the_bits_of_serving(
    task: str, name: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In runs of many rows, of few, and of what is left over."""
    matrix = rows()
    graph, output = export_onnx(fitted(name, task), matrix.shape[1], task), RULES[task].output_name
    served = Model("m", 1, INPUT_NAME, output, serving_session(graph)).score(matrix)
    for rows_of_a_run in (7, 64, 100_000):
        monkeypatch.setattr(batch_scorer, "_ROWS_OF_A_RUN", rows_of_a_run)
        with BatchScorer(graph, INPUT_NAME, output, threads) as scorer:
            found = scorer.score(matrix)
            assert found.dtype == np.float32
            assert found.tolist() == served
            assert scorer.shares_runs == (name in TREES)
            assert scorer.score(matrix[:0]).shape == found[:0].shape


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
