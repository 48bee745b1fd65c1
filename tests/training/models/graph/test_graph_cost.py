from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from serving.models.model import open_session as open_serving_session
from tests.training.models.fitted_models import fitted, train_rows, window_rows
from training.models.graph.graph_cost import ROUNDS, MeasuredGraph, measure_costs
from training.models.graph.onnx_export import export_onnx, open_session

GRAPH = export_onnx(fitted("logistic_regression"), train_rows().shape[1], "binary")


class SlowMachine:
    """A clock by which every run takes 9 us, and in some rounds, all but one, ten times as long."""

    def __init__(self, quiet_round: int) -> None:
        self.now, self.calls, self.quiet = 0, 0, quiet_round

    def __call__(self) -> int:
        ended, self.calls = self.calls % 2 == 1, self.calls + 1
        if ended:
            runs_of_a_round = 2 * 2 * 50  # two graphs, one row and a batch of each, fifty times
            self.now += 9_000 * (1 if (self.calls - 1) // 2 // runs_of_a_round == self.quiet else 10)
        return self.now


def test_a_time_is_the_best_of_several_rounds_so_that_a_busy_machine_fails_no_model() -> None:
    graphs = [MeasuredGraph(GRAPH, window_rows(), together) for together in (True, False)]
    for found in measure_costs(graphs, SlowMachine(quiet_round=ROUNDS - 2)):
        assert (found.graph_bytes, found.row_us, found.batch_us) == (len(GRAPH), 9.0, 9.0)


def test_a_round_takes_the_median_so_that_one_quick_or_slow_run_says_nothing() -> None:
    taken: Iterator[int] = iter(
        each for at in range(10_000) for each in (0, [1_000, 9_000, 9_000, 9_000, 90_000][at % 5])
    )
    found = measure_costs([MeasuredGraph(GRAPH, window_rows(), True)], lambda: next(taken))
    assert (found[0].row_us, found[0].batch_us) == (9.0, 9.0)


def test_fewer_rows_than_a_batch_and_missing_ones_are_measured_too() -> None:
    rows = np.full((1, train_rows().shape[1]), np.nan, np.float32)
    found = measure_costs([MeasuredGraph(GRAPH, rows, False)])[0]
    assert found.row_us > 0
    assert found.batch_us > found.row_us


def test_a_graph_is_measured_in_the_session_that_serving_opens() -> None:
    ours, theirs = (each(GRAPH).get_session_options() for each in (open_session, open_serving_session))
    for option in ("intra_op_num_threads", "inter_op_num_threads", "execution_mode", "graph_optimization_level"):
        assert getattr(ours, option) == getattr(theirs, option)
