"""A calibration of several classes is each class's own, divided by their sum, and the graph computes it bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.models.correction.correction_graph import floats32, graph_of
from training.models.correction.calibration import Isotonic, Platt
from training.models.correction.one_versus_rest import OneVersusRest

STEPS = tuple(Isotonic(floats32([0.2, 0.5, 0.9]), np.array(heights)) for heights in ([0.1, 0.4, 0.8], [0, 0, 0.6]))
SHARES = np.random.default_rng(0).dirichlet(np.ones(3), 400).astype(np.float32)


def test_each_class_has_its_own_and_their_sum_is_1() -> None:
    found = OneVersusRest((*STEPS, STEPS[0])).apply(floats32([[0.5, 0.2, 0.3], [0.05, 0.9, 0.05]]))
    np.testing.assert_allclose(found, [[0.4 / 0.6, 0, 0.2 / 0.6], [0.1 / 0.8, 0.6 / 0.8, 0.1 / 0.8]], atol=1e-6)


def test_where_nothing_is_left_every_class_has_an_equal_share() -> None:
    asked = floats32([[0.1, 0.3, 0.2], [0.9, 0.05, 0.05]])
    same = OneVersusRest((STEPS[1],) * 3)
    assert same.apply(asked).tolist() == floats32([[1 / 3] * 3, [1, 0, 0]]).tolist()
    assert graph_of((same,), 3)(asked).tolist() == same.apply(asked).tolist()


def test_the_graph_computes_lines_to_the_last_bit_and_logistic_functions_to_a_rounding() -> None:
    lines = OneVersusRest((*STEPS, STEPS[0]))
    beside = floats32([[0.2, 0.5, 0.3], np.nextafter(floats32([0.2, 0.5, 0.3]), np.float32(1)), [0, 0, 1]])
    asked = np.concatenate([SHARES, beside])
    assert graph_of((lines,), 3)(asked).tobytes() == lines.apply(asked).tobytes()
    logistic = OneVersusRest((Platt(0.6, -1.0), Platt(1.2, 0.3), Platt(1.0, 0.0)))
    np.testing.assert_allclose(graph_of((logistic,), 3)(asked), logistic.apply(asked), rtol=3e-7)
    np.testing.assert_allclose(logistic.apply(asked).sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("rows", [1, 2])
def test_one_row_is_answered_as_it_is_among_others(rows: int) -> None:
    lines = OneVersusRest((*STEPS, STEPS[0]))
    graph = graph_of((lines,), 3)
    assert graph(SHARES[:rows]).tobytes() == graph(SHARES)[:rows].tobytes()
