"""A durable run survives a kill at every boundary, retries what may pass, and is done once."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import ANY

import pytest

from shared_features.formats.model_manifest import VERDICTS
from tests.domains.machines import BREAKDOWN
from tests.serving.published_models import publish
from tests.training.pipelines.project import write_project
from training.__main__ import main
from training.errors import RequestError, StepFailedError, TransientStepError
from training.runs.plan.step_names import STEP_NAMES
from training.scheduler.engine import launched
from training.scheduler.runs.runs import Runs
from training.scheduler.workflow import durable_run, retried_step
from training.scheduler.workflow.run_states import CANCELLED, ENDED, FAILED, QUEUED, RUNNING, SUCCEEDED
from training.settings import load_settings
from training.steps.run_journal import read_journal

ROOT = Path(__file__).parents[4]
PARAMETERS = {"train_days": 6, "delay_days": 1, "test_days": 3, "models": ["logistic_regression"]}
OPTIONS = ["--train-days", "6", "--delay-days", "1", "--test-days", "3", "--models", "logistic_regression"]
PATIENCE_S = 280.0


def scheduler_until(moment: str, step: str, *begin: str, run_id: str = "one") -> int:
    """begin: what the command begins with."""
    command = [*begin, sys.executable, "-m", "tests.training.scheduler.killed_scheduler", moment, step, run_id]
    return subprocess.run(command, cwd=ROOT, check=False, timeout=PATIENCE_S).returncode


_OF_THE_RUN = re.compile(
    rb"20\d{6}T[-\w]+|20\d\d-\d\d-\d\dT[\d:.]+Z|processor time of one row [\d,]+ us, of \d+ rows [\d,]+ us"
)
"""The name of a run, an instant, and how long its graph took."""


def contents(registry: Path) -> dict[str, Any]:
    """Every file of a registry, without the run and the instant that made a version."""
    found: dict[str, Any] = {}
    for file in sorted(each for each in registry.rglob("*") if each.is_file()):
        content: Any = file.read_bytes()
        if file.name == "manifest.json":
            content = json.loads(content)
            del content["created_at_us"], content["cost"]["row_us"], content["cost"]["batch_us"]
            content["files"] = {name: each for name, each in content["files"].items() if not name.startswith("card.")}
        if file.parent.name == VERDICTS:
            content = json.loads(content)
            del content["asked_at"], content["asked_by"]
        if file.name.startswith("card."):
            content = _OF_THE_RUN.sub(b"", content)
        if file.name == "log.jsonl":  # a change that was repeated stands there twice
            lines = [json.loads(line) for line in _OF_THE_RUN.sub(b"", content).splitlines()]
            content = {(line["action"], line["version"], line["why"], line["alias"]) for line in lines}
        found[str(file.relative_to(registry))] = content
    return found


KILLS = [("after", name) for name in ("begin", *STEP_NAMES, "end")]
KILLS.insert(KILLS.index(("after", "fit")), ("during", "fit"))
FEW_KILLS = [("during", "fit"), ("after", "publish")]


@pytest.mark.slow
@pytest.mark.parametrize(
    "kills", [FEW_KILLS, pytest.param(KILLS, marks=pytest.mark.deep)], ids=["few", "every boundary"]
)
def test_a_run_that_is_killed_at_boundaries_ends_as_an_undisturbed_one(places, monkeypatch, kills):
    assert main(["run", *OPTIONS]) == 0
    undisturbed = contents(places / "registry")
    told = {name: entry.line for name, entry in read_journal(only_run(places / "runs")).steps.items()}
    monkeypatch.setenv("MILLRACE_REGISTRY", str(places / "killed" / "registry"))
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(places / "killed" / "runs"))
    with Runs(load_settings()) as runs:
        assert runs.start("retrain", PARAMETERS, "one") == "one"
        for moment, step in kills:
            assert scheduler_until(moment, step) == -signal.SIGKILL, f"{moment} {step}"
            assert runs.status("one") in (RUNNING, QUEUED)
        assert scheduler_until("never", "") == 0
        assert runs.status("one") == SUCCEEDED
        assert runs.show("one").steps == ("begin", *STEP_NAMES)
    assert contents(places / "killed" / "registry") == undisturbed
    journal = read_journal(only_run(places / "killed" / "runs"))
    said = {name: entry.line.replace("/killed", "") for name, entry in journal.steps.items()}
    assert said["publish"].replace(" (the same model was published before)", "") == told["publish"]
    assert {**said, "publish": ""} == {**told, "publish": ""}
    assert not list((places / "killed" / "runs" / "step-results").glob("new-*/*/*.pickle"))


def only_run(runs: Path) -> Path:
    (found,) = (runs / "breakdown").iterdir()
    return found


def obeying_modes() -> list[str]:
    """What a command begins with, so that files that are read-only are so for it, whoever runs the tests."""
    if os.geteuid() != 0:
        return []
    program = shutil.which("setpriv")
    if program is None:
        pytest.skip("NOT TESTED: root may write everything here, and there is no setpriv; on Debian: util-linux")
    return [program, "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    paths = [folder, *folder.rglob("*")]
    for each in paths:
        each.chmod(0o555 if each.is_dir() else 0o444)
    try:
        yield
    finally:
        for each in paths:
            each.chmod(0o755 if each.is_dir() else 0o644)


@pytest.mark.slow
@pytest.mark.deep  # the errors of steps, and which are tried again, have tests of their own
def test_a_registry_that_is_read_only_ends_the_run_with_its_reason_the_champion_stays_and_resume_publishes(places):
    registry = places / "registry"
    assert main(["run", *OPTIONS]) == 0
    before = contents(registry)
    with Runs(load_settings()) as runs:
        runs.start("retrain", {**PARAMETERS, "top": 50}, "one")
        with read_only(registry):
            assert scheduler_until("never", "", *obeying_modes()) == 0
        assert contents(registry) == before
        run, publish = runs.show("one"), STEP_NAMES.index("publish")
        assert run.status == FAILED
        assert re.fullmatch(
            rf"step 'publish' stopped: \[Errno 13\] Permission denied: '{re.escape(str(registry))}/breakdown/.*'\. "
            r"Finished steps are kept\. Mend it, then start the run again\.",
            run.error,
        )
        assert [each.state for each in runs.steps("one")][publish:] == ["failed", "waiting"]
        assert runs.log("one", "publish").count("beginning") == 1, "nothing passes by itself, so it was tried once"
        assert [each.id for each in runs.newest()] == ["one"]
        assert runs.resume("one") == "one-resumed"
        assert scheduler_until("never", "", run_id="one-resumed") == 0
        assert runs.status("one-resumed") == SUCCEEDED
        assert runs.show("one-resumed").summary["version"] == 2


@pytest.mark.slow
@pytest.mark.deep  # the step of a batch scoring has tests of its own
def test_a_batch_scoring_that_is_killed_at_boundaries_and_in_the_middle_writes_its_file_once(places, monkeypatch):
    monkeypatch.setenv("MILLRACE_SCORING", str(places / "scoring"))
    publish(places / "registry", BREAKDOWN)
    span = {"from": "2024-10-07T00:00:00Z", "to": "2024-10-08T00:00:00Z"}
    with Runs(load_settings()) as runs:
        runs.start("batch-score", {"model": "breakdown", "output": "out.parquet", **span}, "one")
        for moment, step in (("after", "begin"), ("during", "score"), ("after", "score"), ("after", "end")):
            assert scheduler_until(moment, step) == -signal.SIGKILL, f"{moment} {step}"
        assert scheduler_until("never", "") == 0
        assert runs.status("one") == SUCCEEDED
        assert [each.state for each in runs.steps("one")] == ["done"]
        assert runs.show("one").summary["scored"]["rows"] > 0
    assert [each.name for each in (places / "scoring").iterdir()] == ["out.parquet"]


class FakeProcess:
    """In place of the process of steps: remembers what it was asked, and fails as a test says."""

    asked: ClassVar[list[str]] = []
    plan: ClassVar[dict[str, list[str]]] = {}
    errors: ClassVar[dict[str, list[Exception]]] = {}
    hold: ClassVar[set[str]] = set()

    def __init__(self, look: Any) -> None:
        self._look = look

    def ask(self, request: dict[str, Any], limit_s: float) -> Any:
        name = request.get("step", request["do"])
        self.asked.append(name)
        held = name in self.hold
        while name in self.hold:
            time.sleep(0.05)
            self._look()
        if held:  # after what let it go, so that whoever cancels and then lets go has cancelled
            self._look()
        if self.errors.get(name):
            raise self.errors[name].pop(0)
        if name == "begin":
            return "the folder"
        if name == "plan":
            return self.plan
        return {} if name == "end" else {"done": "run", "reason": "", "seconds": 0.0, "line": ""}

    def __enter__(self) -> FakeProcess:
        return self

    def __exit__(self, *error: object) -> None:
        pass


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """A scheduler in this process; its runs do nothing."""
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(durable_run, "StepProcess", FakeProcess)
    monkeypatch.setattr(retried_step, "FIRST_WAIT_S", 0.05)
    FakeProcess.asked, FakeProcess.errors, FakeProcess.hold, FakeProcess.plan = [], {}, set(), {}
    with launched(load_settings()) as found:
        yield found
        FakeProcess.hold.clear()


def ended(runs: Runs, run_id: str) -> str:
    return reached(runs, run_id, ENDED)


def reached(runs: Runs, run_id: str, states: tuple[str, ...]) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while (status := runs.status(run_id)) not in states:
        assert time.monotonic() < deadline, f"still {status}, asked {FakeProcess.asked}"
        time.sleep(0.05)
    return status


def test_a_run_is_done_once_retried_where_that_helps_cancelled_and_resumed(runs: Runs) -> None:
    # Two starts with one id are one run.
    assert runs.start("retrain", {"top": 5}, "a") == runs.start("retrain", {"top": 5}, "a") == "a"
    assert ended(runs, "a") == SUCCEEDED
    assert FakeProcess.asked == ["begin", *STEP_NAMES, "end"]
    assert runs.show("a").parameters == {"top": 5}

    # What may pass is tried again, with a pause; what does not fails at once, and says why.
    FakeProcess.asked.clear()
    FakeProcess.errors = {"dataset": [TransientStepError("away"), TransientStepError("still away")]}
    assert ended(runs, runs.start("retrain", {}, "b")) == SUCCEEDED
    assert FakeProcess.asked[:5] == ["begin", "dataset", "dataset", "dataset", "validate"]
    FakeProcess.asked.clear()
    FakeProcess.errors = {"fit": [StepFailedError("the windows hold one class")]}
    assert ended(runs, runs.start("retrain", {}, "c")) == FAILED
    assert FakeProcess.asked == ["begin", "dataset", "validate", "leaks", "fit", "end"]
    assert "the windows hold one class" in runs.show("c").error
    FakeProcess.errors = {"fit": [TransientStepError("away for good") for _ in range(9)]}
    assert ended(runs, runs.start("retrain", {}, "d")) == FAILED
    assert len(FakeProcess.errors["fit"]) == 5, "four attempts"
    assert runs.show("d").error == "step 'fit' failed 4 times; the last time: away for good"

    # One run of a template at a time, however it names what is trained; a cancelled one makes room, and is resumed with
    # the step that was interrupted.
    FakeProcess.errors, FakeProcess.hold = {}, {"fit"}
    runs.start("retrain", {}, "e")
    runs.start("retrain", {"view": "breakdown", "model": "breakdown"}, "f")
    FakeProcess.asked.clear()
    assert reached(runs, "e", (RUNNING,)) == RUNNING
    while "fit" not in FakeProcess.asked:
        time.sleep(0.05)
    assert runs.status("f") == QUEUED
    runs.cancel("e")
    FakeProcess.hold = set()
    assert ended(runs, "e") == CANCELLED
    assert ended(runs, "f") == SUCCEEDED
    FakeProcess.asked.clear()
    runs.resume("e")
    assert ended(runs, "e") == SUCCEEDED
    assert FakeProcess.asked == [*STEP_NAMES[STEP_NAMES.index("fit") :], "end"]
    assert [run.id for run in runs.newest()][:2] == ["f", "e"]


def test_a_trigger_starts_no_run_beside_one_that_will_read_the_newest_data(runs: Runs) -> None:
    """A run that waits to be continued read its data long ago: it stood for the newest, and a tick was left out."""
    FakeProcess.hold = {"fit"}
    runs.start("retrain", {}, "a")
    while "fit" not in FakeProcess.asked:
        time.sleep(0.05)
    runs.cancel("a")
    assert ended(runs, "a") == CANCELLED
    FakeProcess.asked.clear()
    runs.start("retrain", {}, "b")
    while "fit" not in FakeProcess.asked:
        time.sleep(0.05)
    runs.resume("a")  # waits behind b
    assert runs.status("a") == QUEUED
    assert runs.queued("retrain", {}) is None
    new = runs.trigger("retrain", {}, "amount_mean_7d drifted")
    assert new not in ("a", "b")
    assert runs.show(new).reason == "amount_mean_7d drifted"
    assert runs.trigger("retrain", {}, "it still drifts") == new
    assert runs.trigger("retrain", {"top": 5}, "other parameters") != new
    assert {each.id for each in runs.active() if each.status == RUNNING} == {"b"}
    FakeProcess.hold = set()
    for each in runs.newest():
        assert ended(runs, each.id) == SUCCEEDED


def test_a_run_that_waits_is_cancelled_at_once_never_begins_and_holds_nobody_back(runs: Runs) -> None:
    """Elsewhere it was "cancelling" for ever, because no process had it (PrefectHQ/prefect#8194, #17563)."""
    FakeProcess.hold = {"fit"}
    for each in ("a", "b", "c"):
        runs.start("retrain", {}, each)
    reached(runs, "a", (RUNNING,))
    runs.cancel("b")
    assert runs.status("b") == CANCELLED
    FakeProcess.hold = set()
    assert [ended(runs, each) for each in ("a", "c")] == [SUCCEEDED, SUCCEEDED]
    assert FakeProcess.asked.count("begin") == 2
    assert runs.status("b") == CANCELLED


def states(runs: Runs, run_id: str) -> dict[str, str]:
    return {each.name: each.state for each in runs.steps(run_id)}


def test_steps_side_by_side_are_shown_cancelled_and_resumed_together_and_one_may_fail(runs: Runs) -> None:
    FakeProcess.plan = {"first": [], "left": ["first"], "right": ["first"], "both": ["left", "right"]}
    FakeProcess.hold = {"left", "right"}
    runs.start("retrain", {"pipeline": "diamond"}, "a")
    while not {"left", "right"} <= set(FakeProcess.asked):
        time.sleep(0.05)
    assert states(runs, "a") == {"first": "done", "left": "running", "right": "running", "both": "waiting"}
    runs.cancel("a")
    while FakeProcess.asked[-1] != "end":  # both have ended
        time.sleep(0.05)
    assert ended(runs, "a") == CANCELLED
    assert states(runs, "a") == {"first": "done", "left": "cancelled", "right": "cancelled", "both": "waiting"}
    FakeProcess.asked.clear()
    FakeProcess.hold = set()
    runs.resume("a")
    assert ended(runs, "a") == SUCCEEDED
    assert sorted(FakeProcess.asked) == ["both", "end", "left", "right"]

    FakeProcess.asked.clear()
    FakeProcess.hold, FakeProcess.errors = {"right"}, {"left": [StepFailedError("no memory")]}
    runs.start("retrain", {"pipeline": "diamond"}, "b")
    while states(runs, "b").get("left") != "failed":
        time.sleep(0.05)
    assert states(runs, "b") == {"first": "done", "left": "failed", "right": "running", "both": "waiting"}
    FakeProcess.hold = set()
    assert ended(runs, "b") == FAILED
    assert runs.show("b").error == "no memory"
    assert states(runs, "b") == {"first": "done", "left": "failed", "right": "done", "both": "waiting"}

    # Steps that are called like built-in ones keep their order, whatever files they take.
    FakeProcess.plan = {name: [] for name in ("dataset", "own", "validate", "fit")}
    FakeProcess.hold = {"dataset"}
    FakeProcess.asked.clear()
    runs.start("retrain", {"pipeline": "around"}, "c")
    while "own" not in FakeProcess.asked:
        time.sleep(0.05)
    FakeProcess.hold = set()
    assert ended(runs, "c") == SUCCEEDED
    assert [name for name in FakeProcess.asked if name in STEP_NAMES] == ["dataset", "validate", "fit"]


PIPELINES = """
import time
from pathlib import Path
from training.pipelines import Pipeline, PipelineStep, Subprocess

def meet(here: Path, there: Path) -> None:
    here.touch()
    for _ in range(2400):
        if there.exists():
            return
        time.sleep(0.1)
    raise ValueError("was alone")

def first(inputs: Path, output: Path, place: str = "") -> str:
    meet(Path(place, "first"), Path(place, "beside"))
    (output / "a.txt").write_text("a")
    return "wrote a"

def beside(inputs: Path, output: Path, place: str = "") -> str:
    meet(Path(place, "beside"), Path(place, "first"))
    return "met the first"

def second(inputs: Path, output: Path, mended: Path = Path("/nowhere")) -> str:
    print("looking")
    if not mended.with_name("mended").exists():
        raise ValueError("not mended yet")
    return "is mended"

OWN = Pipeline("own", (
    PipelineStep("second", second, inputs=("first/a.txt",), target=Subprocess(seconds=200)),
    PipelineStep("first", first, outputs=("a.txt",)),
    PipelineStep("beside", beside, before=("second",)),
), retraining=False)
"""


def test_a_run_of_a_pipeline_fails_with_its_step_and_is_resumed(places, monkeypatch):
    write_project(places, monkeypatch, "project_of_durable_runs", PIPELINES)
    (places / "file").touch()
    place = {"place": str(places)}
    steps = {"second": {"mended": str(places / "file")}, "first": place, "beside": place}
    parameters = {"pipeline": "own", "steps": steps}
    with launched(load_settings()) as runs:
        assert ended(runs, runs.start("retrain", parameters, "one")) == FAILED
        assert "step 'second' raised ValueError: not mended yet (line 26 of pipelines.py)" in runs.show("one").error
        assert states(runs, "one") == {"first": "done", "beside": "done", "second": "failed"}
        assert "looking" in runs.log("one", "second")
        (places / "mended").touch()
        assert ended(runs, runs.resume("one")) == SUCCEEDED
        assert [each.state for each in runs.steps("one-resumed")] == ["skipped", "skipped", "done"]
        assert main(["runs", "export", "one-resumed", "-o", str(places / "one.tar.gz")]) == 0
        assert main(["runs", "import", str(places / "one.tar.gz")]) == 0
        (imported,) = [run for run in runs.listed() if run.imported]
        assert (imported.id, imported.origin) == ("imported:one-resumed", "one")
        assert {**imported.summary, "folder": ANY} == runs.show("one-resumed").summary
        assert (runs.folder(imported.id) / "first" / "a.txt").read_text() == "a"  # type: ignore[operator]
        assert ended(runs, runs.start("retrain", {"pipeline": "owns"}, "two")) == FAILED
        assert "There is no pipeline 'owns' in project_of_durable_runs.pipelines" in runs.show("two").error


@pytest.mark.parametrize(
    ("template", "parameters", "said"),
    [
        (
            "retrian",
            {},
            r"There is no run template 'retrian'. There are: retrain, batch-score. Did you mean 'retrain'\?",
        ),
        ("retrain", {"top": "five"}, r"Expected `int`, got `str` - at `\$.top`. It takes view, model, cutoff, "),
        ("retrain", {"tops": 5}, r"unknown field `tops`"),
        ("retrain", {"steps": {"check": 5}}, r"Expected `object`, got `int` - at `\$.steps"),
        ("retrain", {"models": ["forest"]}, r"Unknown models: forest. Give some of hist_gradient_boosting"),
        ("retrain", {"cutoff": "2026-01-01T00:00:00"}, r"has no time zone"),
        ("retrain", {"floor": {"speed": 1}}, r"There is no floor for speed"),
    ],
)
def test_what_cannot_be_run_is_refused_when_it_is_asked_for(places, template, parameters, said):
    with Runs(load_settings()) as runs:
        with pytest.raises(RequestError, match=said):
            runs.start(template, parameters)
        assert runs.newest() == []


def test_a_run_that_does_not_exist_and_one_that_is_not_cancelled_are_named(places):
    with Runs(load_settings()) as runs:
        with pytest.raises(RequestError, match="There is no run 'x'"):
            runs.cancel("x")
        runs.start("retrain", {}, "queued")
        with pytest.raises(
            RequestError, match="run queued is queued; only a run that was cancelled or failed is resumed"
        ):
            runs.resume("queued")
