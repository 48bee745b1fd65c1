"""A step whose target is Spark: what is refused before Spark is needed, and where Spark is not installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared_features.errors import DefinitionError
from training.errors import StepError
from training.pipelines import PipelineStep, Spark
from training.steps.plain_call import call_step
from training.steps.step import Step, Task


def count(inputs: Path, output: Path, spark: Any, most: int = 3) -> str:
    return f"{spark.range(most).count()} rows"


def without(inputs: Path, output: Path) -> str:
    return "nothing"


def test_the_session_is_no_parameter_that_a_run_gives() -> None:
    step = PipelineStep("count", count, target=Spark("local[1]"))
    assert step.arguments({}) == {"most": 3}
    with pytest.raises(DefinitionError, match=r"no parameter 'spark'\. It takes most"):
        PipelineStep("count", count, target=Spark(), parameters={"spark": 1})


def test_a_function_that_takes_no_session_and_a_misspelt_option_are_refused() -> None:
    with pytest.raises(DefinitionError, match="without has no parameter 'spark', which takes the session"):
        PipelineStep("count", without, target=Spark())
    with pytest.raises(DefinitionError, match=r"'executor\.memory' is not an option of Spark; write its name in full"):
        Spark(options={"executor.memory": "4g"})


def test_where_spark_is_not_installed_the_step_says_what_to_install(tmp_path: Path) -> None:
    step = Step("count", f"{__name__}:count", arguments={"most": 3}, target=Spark())
    with pytest.raises(
        StepError, match=r"needs Apache Spark, which is not installed\. Install the extra `millrace\[spark\]`"
    ):
        call_step(step, Task(tmp_path, tmp_path, None))
