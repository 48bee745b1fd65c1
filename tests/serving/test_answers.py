"""The class of an answer is the most probable one, and the first of equal ones."""

from __future__ import annotations

import pytest

from serving.answers import most_probable


@pytest.mark.parametrize(
    ("probabilities", "answered"),
    [
        ([0.2, 0.5, 0.3], "late"),
        ([0.4, 0.2, 0.4], "lost"),
    ],
)
def test_the_most_probable_class_is_answered(probabilities: list[float], answered: str) -> None:
    assert most_probable(("lost", "late", "on time"), probabilities) == answered
