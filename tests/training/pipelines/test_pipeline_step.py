"""A step of one's own is checked when it is defined, and its parameters when a run gives them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shared_features.errors import DefinitionError
from training.errors import RequestError
from training.pipelines import PipelineStep, Queue, Subprocess, import_file


def count(inputs: Path, output: Path, least: int, share: float = 0.5, names: tuple[str, ...] = ()) -> str:
    return "counted"


def no_folders(least: int) -> str:
    return "counted"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "Count"}, "'Count' is not a name of a step; use a-z, 0-9 and _"),
        ({"name": "lock"}, "'lock' is not a name of a step"),
        ({"function": lambda inputs, output: "done"}, "not defined by `def` at the top of a module"),
        ({"function": no_folders}, r"step 'rows': no_folders\(least: 'int'\) -> 'str' does not begin as `def function"),
        ({"inputs": ("dataset",)}, "input 'dataset' names no file of a step; write 'step/file' or 'step/\\*'"),
        ({"parameters": {"least": "many"}}, "step 'rows': parameter 'least' is 'many': Expected `int`, got `str`"),
        ({"parameters": {"lest": 1}}, "there is no parameter 'lest'. It takes least, share, names. Did you mean"),
        ({"inputs": "dataset/*"}, "inputs"),
    ],
)  # fmt: skip
def test_a_definition_that_cannot_be_is_refused(options: Mapping[str, Any], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        PipelineStep(**{"name": "rows", "function": count, **options})


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        (("GPU",), {}, "'GPU' is not a name of a queue; use a-z, 0-9, - and _, but not training-runs or news"),
        (("news",), {}, "'news' is not a name of a queue"),
        (("gpu",), {"second": 5}, "there is no option 'second'. Did you mean 'seconds'"),
        (("gpu",), {"seconds": 0}, "queue 'gpu': seconds is 0; give more than 0, or leave it out"),
        (("gpu",), {"waits_at_most_seconds": -1}, "queue 'gpu': waits_at_most_seconds is -1; give more than 0"),
        ((), {}, "name must be given"),
    ],
)
def test_a_queue_that_cannot_be_is_refused(arguments: tuple[Any, ...], options: dict[str, Any], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        Queue(*arguments, **options)


def test_a_queue_has_limits_only_where_they_are_given() -> None:
    assert Queue("gpu").limits is None
    assert Queue("gpu", seconds=5).limits == Subprocess(seconds=5)
    assert PipelineStep("rows", count, target=Queue("gpu-2")).target == Queue("gpu-2")


def test_parameters_come_from_the_run_then_the_definition_then_the_function() -> None:
    step = PipelineStep("rows", count, parameters={"least": 3, "share": 1})
    assert step.arguments({}) == {"least": 3, "share": 1.0, "names": ()}
    assert step.arguments({"least": 4, "names": ["a"]}) == {"least": 4, "share": 1.0, "names": ("a",)}


def test_parameters_of_a_run_are_checked(tmp_path: Path) -> None:
    step = PipelineStep("rows", count)
    with pytest.raises(RequestError, match="step 'rows': parameter 'least' has no value") as refused:
        step.arguments({})
    assert refused.value.path == "$.parameters.steps.rows.least"
    with pytest.raises(RequestError, match=r"parameter 'least' is 1\.5: Expected `int`, got `float`"):
        step.arguments({"least": 1.5})
    with pytest.raises(RequestError, match=r"parameter 'path' names '.*', which is not a file"):
        PipelineStep("prices", import_file).arguments({"path": str(tmp_path)})
    with pytest.raises(RequestError, match="parameter 'path' is 3: Expected `str`, got `int`"):
        PipelineStep("prices", import_file).arguments({"path": 3})
