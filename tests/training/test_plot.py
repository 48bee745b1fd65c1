from __future__ import annotations

import re

import pytest

from training.plot import plot


def ticks(drawn: str, kind: str) -> list[float]:
    return [float(each) for each in re.findall(rf'class="{kind}"[^>]*>([^<]+)<', drawn)]


def test_shares_have_axes_from_zero_to_one() -> None:
    drawn = plot("ROC", "x", "y", {"a": [[0.1, 0.2], [0.4, 0.8]]})
    assert ticks(drawn, "tick") == ticks(drawn, "tick end") == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert plot("ROC", "x", "y", {"a": []}) == ""


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((-3.2, 7.9), [-5, -2.5, 0, 2.5, 5, 7.5, 10]),
        ((100.0, 100.0), [40, 60, 80, 100, 120, 140, 160]),
        ((0.0, 0.0), [-0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6]),
        ((0.0001, 0.0004), [0.0001, 0.0002, 0.0003, 0.0004]),
    ],
)
def test_an_axis_that_fits_has_round_ticks_around_the_points(
    values: tuple[float, float], expected: list[float]
) -> None:
    drawn = plot("Residuals", "x", "y", {}, [[each, each] for each in values], fits=True)
    assert ticks(drawn, "tick") == ticks(drawn, "tick end") == pytest.approx(expected)
    places = [float(each) for each in re.findall(r'c[xy]="([^"]+)"', drawn)]
    assert len(places) == 4
    assert all(0 <= each <= 360 for each in places)
