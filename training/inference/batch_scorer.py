"""Scores many rows with the bits that serving answers, on several threads and in bounded memory.

Of many rows, trees are walked by machine code of our own, which takes a third of ONNX Runtime's time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from training.errors import GraphNotReadError
from training.inference.trees.compiled_graph import compile_graph, same_bits
from training.models.graph.batch_graph import keeps_bits
from training.models.graph.onnx_export import open_session

_ROWS_OF_A_RUN = 2_048
"""ONNX Runtime takes 5 % less time for a row than with four times as many, and 25 % less than with 32 times as many."""
_COMPARED_ROWS = 257
"""More than any processor's vector, and odd: what is left over at the end of a run may be computed in another way."""
_ROWS_WORTH_COMPILING = 100_000
"""ONNX Runtime takes half a second for them. Trees are read and tried in that time, and at first compiled in 2 s."""
Floats = NDArray[np.float32]


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class BatchScorer:
    """A graph that takes float32[n, features] and gives float32[n], or [n, classes]. Ends its threads on exit.

    Rows share a run where that changes no bit: where the graph's operators say so, and where the first rows of the
    first matrix have the same bits alone. Compiled trees are used under the same condition, see `compile_graph`.
    """

    def __init__(self, graph: bytes, input_name: str, output_name: str, threads: int | None = None) -> None:
        """threads: None takes one for each core."""
        self._graph, self._session = graph, open_session(graph)
        self._input, self._outputs = input_name, [output_name]
        self._pool = ThreadPoolExecutor(threads or cores(), thread_name_prefix="score")
        self._together: bool | None = None if keeps_bits(graph) else False
        self._run_many: Callable[[Floats], Floats] = self._run
        self.compiled: bool | None = None
        """Whether compiled trees give the scores. None: they were not tried, as there were too few rows at once."""
        self.why_not = ""
        """Why they do not, as the part of a sentence behind "because"."""

    def __enter__(self) -> BatchScorer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    @property
    def shares_runs(self) -> bool:
        """Whether rows share a run; only known after the first rows."""
        return bool(self._together)

    def score(self, matrix: Floats) -> Floats:
        """What the graph gives for each row."""
        if self._together is None and len(matrix):
            first = matrix[:_COMPARED_ROWS]
            self._together = same_bits(self._run(first), self._run_alone(first))
        if not len(matrix):
            return self._run_alone(np.zeros((1, matrix.shape[1]), np.float32))[:0]
        if self._together and self.compiled is None and len(matrix) >= _ROWS_WORTH_COMPILING:
            self._compile(matrix)
        run = self._run_many if self._together else self._run_alone
        parts = [matrix[start : start + _ROWS_OF_A_RUN] for start in range(0, len(matrix), _ROWS_OF_A_RUN)]
        return np.concatenate(list(self._pool.map(run, parts)))

    def _compile(self, matrix: Floats) -> None:
        first = matrix[:_COMPARED_ROWS]
        try:
            found = compile_graph(self._graph, self._input, self._outputs[0], matrix.shape[1], self._run)
            if not same_bits(found(first), self._run_alone(first)):
                raise GraphNotReadError("its compiled trees gave other bits for a row of the first ones")
        except GraphNotReadError as error:
            self.compiled, self.why_not = False, str(error)
        else:
            self.compiled, self._run_many = True, found

    def _run(self, rows: Floats) -> Floats:
        found: Floats = self._session.run(self._outputs, {self._input: np.ascontiguousarray(rows)})[0]
        return found

    def _run_alone(self, rows: Floats) -> Floats:
        """As serving does."""
        whole, run = np.ascontiguousarray(rows), partial(self._session.run, self._outputs)
        return np.concatenate([run({self._input: whole[row : row + 1]})[0] for row in range(len(whole))])
