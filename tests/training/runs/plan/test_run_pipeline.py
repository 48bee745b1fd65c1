"""The pipeline of a run is found beside the definitions, and what is wrong with its name is said."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from shared_features import Rows
from shared_features.errors import DefinitionError
from tests.domains.machines import BREAKDOWN
from tests.training.pipelines.project import write_project
from training.definitions import Model
from training.errors import RequestError
from training.runs.plan.retraining import STEPS
from training.runs.plan.run_parameters import RunParameters
from training.runs.plan.run_pipeline import code_of_pipelines, module_of_pipelines, steps_of_run

ROOT = Path(__file__).parents[4]
TEXT = """
from pathlib import Path
from training.pipelines import Pipeline, PipelineStep

def work(inputs: Path, output: Path) -> str:
    return "done"

NIGHTLY = Pipeline("nightly", (PipelineStep("work", work),), retraining=False)
"""


def asked(pipeline: str, **steps: dict[str, object]) -> RunParameters:
    return RunParameters(BREAKDOWN, pipeline=pipeline, steps=steps)


def test_it_stands_beside_the_definitions() -> None:
    assert module_of_pipelines("my_shop.features") == "my_shop.pipelines"
    assert module_of_pipelines("features") == "pipelines"


def test_a_name_leads_to_its_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(tmp_path, monkeypatch, "project_with_a_name", TEXT)
    definitions = "project_with_a_name.features"
    (step,) = steps_of_run(definitions, asked("nightly"))
    assert step.action == "project_with_a_name.pipelines:work"
    assert steps_of_run(definitions, asked("")) == STEPS
    with pytest.raises(
        RequestError, match=r"no pipeline 'nigtly' in project_with_a_name.pipelines. There are: nightly. D"
    ):
        steps_of_run(definitions, asked("nigtly"))
    with pytest.raises(RequestError, match="Parameters of step 'work' are given, and no pipeline"):
        steps_of_run(definitions, asked("", work={"least": 1}))


def test_a_step_that_would_leave_expectations_unchecked_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = TEXT.replace('PipelineStep("work", work),), retraining=False', 'PipelineStep("validate", work),)')
    write_project(tmp_path, monkeypatch, "project_that_validates", text)
    definitions, expecting = "project_that_validates.features", Model("breaks", BREAKDOWN, expectations=(Rows(),))
    assert steps_of_run(definitions, asked("nightly"))
    with pytest.raises(
        RequestError, match="'nightly' replaces step 'validate', which checks the expectations of model"
    ):
        steps_of_run(definitions, replace(asked("nightly"), model=expecting))


def test_a_module_that_is_missing_or_faulty_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        RequestError, match=r"there is no module tests.domains.pipelines beside the definitions tests.do"
    ):
        steps_of_run("tests.domains.machines", asked("nightly"))
    write_project(tmp_path, monkeypatch, "project_with_a_fault", TEXT + '\nPipelineStep("Bad name", work)\n')
    with pytest.raises(DefinitionError, match=r"'Bad name' is not a name of a step.*line 10 of pipelines.py"):
        steps_of_run("project_with_a_fault.features", asked("nightly"))
    write_project(tmp_path, monkeypatch, "project_with_twins", TEXT + TEXT.replace("NIGHTLY", "OTHER"))
    with pytest.raises(DefinitionError, match="has two pipelines 'nightly'; rename one"):
        steps_of_run("project_with_twins.features", asked("nightly"))


def test_the_code_of_pipelines_is_that_of_their_steps_and_helpers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for name, text in (
        ("project_of_code", TEXT),
        ("project_of_same_code", TEXT + "\n# A comment does not count.\n"),
        ("project_of_other_code", TEXT.replace('return "done"', 'return "ready"')),
    ):
        # Under one name, as two machines have it: modules are read, and imported once.
        write_project(tmp_path / name, monkeypatch, "same_name_on_two_machines", text)
        program = (
            "from training.runs.plan.run_pipeline import code_of_pipelines\n"
            "print(code_of_pipelines('same_name_on_two_machines.features'))"
        )
        done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT)
        found.append(done.stdout)
    assert found[0] == found[1] != found[2]
    with pytest.raises(
        RequestError, match=r"There is no module nowhere\.pipelines beside the definitions nowhere\.features"
    ):
        code_of_pipelines("nowhere.features")
