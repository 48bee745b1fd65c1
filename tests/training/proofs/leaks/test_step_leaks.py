"""Every leak that a step of a user's pipeline can have is caught and named, and an honest one is not accused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from shared_features.kernel.event_time import DAY_US
from tests.training.proofs.leaks import seeded_steps
from tests.training.proofs.leaks.seeded_steps import SEEDED
from tests.training.random_dataset import random_dataset
from training.errors import LeakError
from training.pipelines import DATASET
from training.pipelines.pipeline_step import PipelineStep
from training.proofs.leaks.leak import LeakReport
from training.proofs.leaks.step_leaks import step_leaks

Function = Callable[..., str]


def checked(function: Function, **parameters: object) -> LeakReport:
    step = PipelineStep(function.__name__, function, DATASET, parameters=parameters)
    return step_leaks(step, random_dataset(rows=900), DAY_US)


def test_honest_steps_are_not_accused(tmp_path: Path) -> None:
    report = checked(seeded_steps.honest)
    assert report.leaks == ()
    assert report.checked == {"columns of step honest": 1}
    (tmp_path / "rates").write_text("1.5")
    assert checked(seeded_steps.of_a_file, rates=tmp_path / "rates").leaks == ()


@pytest.mark.parametrize(("function", "cause"), SEEDED, ids=lambda each: getattr(each, "__name__", ""))
def test_every_seeded_leak_is_caught_and_named(
    function: Function, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rates").write_text("1.25\n")
    monkeypatch.setenv("TOMORROWS_RATES", str(tmp_path / "rates"))
    report = checked(function)
    assert {each.feature.partition("/")[0] for each in report.leaks} == {function.__name__}
    assert any(each.cause.startswith(cause) for each in report.leaks), [each.describe() for each in report.leaks]


def test_steps_that_cannot_be_tried_say_why() -> None:
    changes = PipelineStep("publishes", seeded_steps.honest, DATASET, effect=True)
    scores = PipelineStep("scores", seeded_steps.honest, (*DATASET, "export/model.onnx"))
    dataset = random_dataset(rows=300)
    assert step_leaks(changes, dataset, 0).unchecked == ("step publishes was not tried: it has an effect",)
    assert "it takes export/model.onnx" in step_leaks(scores, dataset, 0).unchecked[0]
    assert "makes no table" in checked(seeded_steps.no_table).unchecked[0]
    with pytest.raises(LeakError, match="Step fails cannot be tried: it raised RuntimeError: no GPU"):
        checked(seeded_steps.fails)
