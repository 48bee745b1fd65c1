"""What a graph costs: the bytes of its file, and processor time of a row and of a batch, run as serving runs it.

A machine that is busy with something else makes a run slower and never faster. So a time is the median of many runs,
and of several such medians, taken one after the other with the other graphs between them, the least.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.formats.model_manifest import BATCH_ROWS, GraphCost
from training.models.graph.model_constants import INPUT_NAME
from training.models.graph.onnx_export import open_session

ROUNDS = 5
_LEAST_RUNS, _MOST_RUNS = 3, 50
_ENOUGH_NS = 4_000_000
"""Of the runs of a round. More of them would say nothing else, and each training run waits for them."""

Clock = Callable[[], int]
Run = Callable[[int], Any]


@dataclass(frozen=True)
class MeasuredGraph:
    """rows: float32[n, features] to run it on, one at least. together: whether serving runs a batch at once.

    It does where that changes no bit, and row by row otherwise.
    """

    graph: bytes
    rows: NDArray[np.float32]
    together: bool


def measure_costs(graphs: Sequence[MeasuredGraph], clock: Clock = time.thread_time_ns) -> list[GraphCost]:
    """clock: processor time of this thread, in which ONNX Runtime computes everything. Unit: nanoseconds."""
    runs = [_runs(each) for each in graphs]
    for one, batch in runs:
        one(0), batch(0)  # the first runs make room for the graph's values
    rounds = [[tuple(_time_us(run, clock) for run in pair) for pair in runs] for _ in range(ROUNDS)]
    return [
        GraphCost(len(each.graph), *(min(taken[at][size] for taken in rounds) for size in (0, 1)))
        for at, each in enumerate(graphs)
    ]


def _runs(measured: MeasuredGraph) -> tuple[Run, Run]:
    """One row, which differs from run to run, and a batch."""
    session, found = open_session(measured.graph), measured.rows
    batch = np.ascontiguousarray(found[np.arange(BATCH_ROWS) % len(found)])

    def one(at: int) -> Any:
        place = at % BATCH_ROWS
        return session.run(None, {INPUT_NAME: batch[place : place + 1]})

    def at_once(_: int) -> Any:
        return session.run(None, {INPUT_NAME: batch})

    return one, at_once if measured.together else lambda _: [one(place) for place in range(BATCH_ROWS)]


def _time_us(run: Run, clock: Clock) -> float:
    """The median of a round."""
    taken: list[int] = []
    while len(taken) < _LEAST_RUNS or (len(taken) < _MOST_RUNS and sum(taken) < _ENOUGH_NS):
        began = clock()
        run(len(taken))
        taken.append(clock() - began)
    return median(taken) / 1000
