"""A model that learned from other shares of the classes says the probabilities of their own shares."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.models.correction.correction_graph import floats32, graph_of
from training.models.correction.odds import DividedShares, ScaledOdds

floats = st.floats(0, 1, width=32)


@given(floats, st.sampled_from([0.001, 0.5, 1.0, 8.0]))
def test_odds_are_multiplied_as_their_definition_says(score: float, factor: float) -> None:
    share, times = Fraction(score), Fraction(factor)
    wanted = share * times / (share * times + 1 - share)
    assert ScaledOdds(factor).apply(floats32([score]))[0] == pytest.approx(float(wanted), rel=1e-6)


def test_what_was_sampled_has_its_own_share_again() -> None:
    """Of 90 negative and 10 positive rows a ninth of the negative ones is kept: half of what is left is positive."""
    assert ScaledOdds(1 / 9).apply(floats32([0.5, 0, 1])).tolist() == floats32([0.1, 0, 1]).tolist()


def test_of_several_classes_each_is_divided_by_its_weight_and_the_sum_is_1() -> None:
    found = DividedShares((1.0, 5.0, 2.0)).apply(floats32([[0.2, 0.5, 0.3], [0, 1, 0]]))
    np.testing.assert_allclose(found, floats32([[0.2 / 0.45, 0.1 / 0.45, 0.15 / 0.45], [0, 1, 0]]), rtol=1e-6)


def test_the_graph_computes_the_same_bits() -> None:
    random = np.random.default_rng(0)
    scores = np.concatenate([random.random(2_000, np.float32), floats32([0, 1, 1e-45, 1e-30, 1 - 6e-8])])
    odds = (ScaledOdds(0.013), ScaledOdds(40.0))
    assert graph_of(odds)(scores).tobytes() == odds[1].apply(odds[0].apply(scores)).tobytes()
    shares = random.dirichlet(np.ones(4), 500).astype(np.float32)
    divided = DividedShares((0.3, 1.0, 20.0, 1.0))
    assert graph_of((divided,), 4)(shares).tobytes() == divided.apply(shares).tobytes()
