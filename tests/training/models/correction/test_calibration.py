"""A calibration is what its definition says, rises with the score, and is computed by the graph to the last bit."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.models.correction.correction_graph import floats32, graph_of
from training.models.correction.calibration import Isotonic, Platt, fit_isotonic, fit_platt

SCORES = [at / 8 for at in range(9)]
rows_of = st.lists(st.tuples(st.sampled_from(SCORES), st.booleans()), min_size=1, max_size=24)


def isotonic_at(rows: list[tuple[float, bool]], score: float) -> Fraction:
    """The definition, for a score that a row has: the greatest over all that begin here or below, of the least mean up
    to any that ends here or above (Barlow, Bartholomew, Bremner, Brunk, 1972).
    """
    least = Fraction(1, len(rows) + 2)

    def mean(low: float, high: float) -> Fraction:
        inside = [positive for each, positive in rows if low <= each <= high]
        return Fraction(sum(inside), len(inside))

    there = sorted({each for each, _ in rows})
    found = max(min(mean(low, high) for high in there if high >= score) for low in there if low <= score)
    return min(max(found, least), 1 - least)


@given(rows_of)
def test_isotonic_regression_is_the_best_that_never_falls_and_lines_lie_between(rows: list[tuple[float, bool]]) -> None:
    scores, positive = np.array([each for each, _ in rows], np.float32), np.array([each for _, each in rows])
    found = fit_isotonic(scores, positive)
    there = sorted({each for each, _ in rows})
    for score in there:
        assert found.apply(np.array([score], np.float32))[0] == pytest.approx(float(isotonic_at(rows, score)), abs=1e-6)
    heights = [float(isotonic_at(rows, score)) for score in there]
    asked = np.linspace(0, 1, 33, dtype=np.float32)
    np.testing.assert_allclose(found.apply(asked), np.interp(asked, there, heights), atol=1e-6)


@given(rows_of)
def test_the_graph_finds_the_line_of_every_score_to_the_last_bit_and_thresholds_have_their_heights(rows: Any) -> None:
    scores, positive = np.array([each for each, _ in rows], np.float32), np.array([each for _, each in rows])
    found = fit_isotonic(scores, positive)
    thresholds = found.thresholds
    beside = [np.nextafter(thresholds, np.float32(end)) for end in (-1, 2)]
    asked = np.concatenate([thresholds, *beside, np.random.default_rng(0).random(50, np.float32), floats32([0, 1])])
    given_by_graph = graph_of((found,))(asked)
    assert given_by_graph.tobytes() == found.apply(asked).tobytes()
    assert given_by_graph[: len(thresholds)].tolist() == found.heights.astype(np.float32).tolist()


def test_a_step_between_two_neighbouring_scores_is_as_steep_in_the_graph() -> None:
    at = np.float32(0.25)
    step = Isotonic(np.array([at, np.nextafter(at, np.float32(1))]), np.array([0.1, 0.9]))
    asked = np.array([0, np.nextafter(at, np.float32(0)), at, np.nextafter(at, np.float32(1)), 1], np.float32)
    assert graph_of((step,))(asked).tolist() == floats32([0.1, 0.1, 0.1, 0.9, 0.9]).tolist()


def test_platt_finds_the_function_that_labels_were_drawn_from_and_the_graph_computes_it() -> None:
    random = np.random.default_rng(0)
    scores = random.random(40_000, np.float32)
    wanted = Platt(0.6, -1.5)
    found = fit_platt(scores, random.random(len(scores)) < wanted.apply(scores))
    assert found.slope == pytest.approx(0.6, abs=0.03)
    assert found.intercept == pytest.approx(-1.5, abs=0.03)
    asked = np.concatenate(
        [scores[:500], floats32([0, 1e-30, 1e-7, 0.5, np.nextafter(np.float32(1), np.float32(0)), 1])]
    )
    np.testing.assert_allclose(graph_of((found,))(asked), found.apply(asked), rtol=1.2e-7, atol=0)


def test_rows_of_one_class_only_are_never_certain() -> None:
    scores = np.linspace(0, 1, 8, dtype=np.float32)
    for positive, low, high in ((np.ones(8, bool), 0.8, 0.91), (np.zeros(8, bool), 0.09, 0.2)):
        for fit in (fit_isotonic, fit_platt):
            found = fit(scores, positive).apply(scores)
            assert (found >= low).all()
            assert (found <= high).all()
