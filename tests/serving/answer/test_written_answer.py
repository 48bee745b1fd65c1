"""The class of an answer is the most probable one, the first of equal ones; a threshold decides about a score."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from serving.answer.written_answer import most_probable
from tests.domains.machines import BREAKDOWN
from tests.serving.conftest import INSTANCE, StartServing
from tests.serving.published_models import logarithm, publish


@pytest.mark.parametrize(
    ("probabilities", "answered"),
    [
        ([0.2, 0.5, 0.3], "late"),
        ([0.4, 0.2, 0.4], "lost"),
    ],
)
def test_the_most_probable_class_is_answered(probabilities: list[float], answered: str) -> None:
    assert most_probable(("lost", "late", "on time"), probabilities) == answered


@pytest.mark.parametrize(("threshold", "decision"), [(None, None), (0.004, True), (0.5, False)])
def test_a_model_with_a_threshold_decides(
    serving: StartServing, tmp_path: Path, threshold: float | None, decision: bool | None
) -> None:
    publish(tmp_path, BREAKDOWN, graph=logarithm(0.001), threshold=threshold)  # its score is 0.0043

    async def ask() -> dict[str, object]:
        async with serving(registry=tmp_path) as client:
            answer = await client.post("/v1/views/breakdown:predict", json={"instances": [INSTANCE]})
            found: dict[str, object] = answer.json()["predictions"][0]
            return found

    assert asyncio.run(ask()).get("decision") is decision
