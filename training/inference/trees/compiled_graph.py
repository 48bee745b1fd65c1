"""A graph of trees as machine code: only where it was compared with ONNX Runtime, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from shared_features.trees.flat_trees import Matrix
from shared_features.trees.same_bits import same_bits
from shared_features.trees.trial_rows import any_rows, rows_at_splits
from training.errors import GraphNotReadError
from training.inference.trees.cut_graph import CutGraph, alone

__all__ = ["Run", "compile_graph", "same_bits"]
Run = Callable[[Matrix], Matrix]
_THREADS = 2


def compile_graph(graph: bytes, input_name: str, output_name: str, features: int, whole: Run) -> Run:
    """What the graph gives for float32[n, features], in a third of the time that ONNX Runtime takes.

    whole: the graph as ONNX Runtime runs it. Each ensemble is compared with it on both sides of its splits, the whole
    graph on rows of any size. Raises GraphNotReadError where anything is not known or differs.
    """
    try:
        cut = CutGraph(graph, input_name, output_name)
        _try(cut, features, whole)
    except GraphNotReadError:
        raise
    except (
        Exception
    ) as error:  # the only base of ONNX Runtime's errors; without compiled trees nothing is lost but time
        raise GraphNotReadError(f"it could not be cut at its trees: {error}") from error
    return cut.run


def _try(cut: CutGraph, features: int, whole: Run) -> None:
    random = np.random.default_rng(0)
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="try") as pool:  # ONNX Runtime needs most of the time
        for each in cut.ensembles:
            compare = partial(_compare, each.run, alone(each))
            list(pool.map(compare, rows_at_splits(each.trees, random)))
    _compare(cut.run, whole, any_rows(features, random))


def _compare(ours: Run, theirs: Run, rows: Matrix) -> None:
    if not same_bits(ours(rows), theirs(rows)):
        raise GraphNotReadError("its compiled trees gave other bits for a row that was tried")
