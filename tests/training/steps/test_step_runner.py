"""Steps run once for equal content, see nothing but their declared inputs, and say why they run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from shared_features.formats.training_run import RESULTS_FOLDER
from training.errors import StepError
from training.steps.result_store import ResultStore
from training.steps.run_journal import Journal, StepEntry, read_journal, write_journal
from training.steps.step import Step, Task
from training.steps.step_runner import StepRunner

_HERE = "tests.training.steps.test_step_runner"
STEPS = (
    Step("numbers", f"{_HERE}:write_numbers", parameters=("numbers",)),
    Step("total", f"{_HERE}:write_total", inputs=("numbers/numbers.txt",), parameters=("scale",)),
    Step("told", f"{_HERE}:tell", inputs=("total/total.txt",), effect=True),
)


def write_numbers(task: Task) -> str:
    (task.output / "numbers.txt").write_text(" ".join(map(str, sorted(task.context["numbers"]))))
    (task.output / "order.txt").write_text(" ".join(map(str, task.context["numbers"])))
    return f"{len(task.context['numbers'])} numbers"


def write_total(task: Task) -> str:
    assert not (task.inputs / "numbers" / "order.txt").exists(), "it is not declared"
    total = sum(map(int, (task.inputs / "numbers" / "numbers.txt").read_text().split())) * task.context["scale"]
    (task.output / "total.txt").write_text(str(total))
    return f"total {total}"


def tell(task: Task) -> str:
    task.context["told"].append((task.inputs / "total" / "total.txt").read_text())
    return "told"


class Runs:
    """Runs of these steps in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.told = directory, list[str]()
        self.store = ResultStore(directory)

    def runner(self, name: str, **facts: Any) -> StepRunner:
        run = self.directory / "view" / name
        if not run.exists():
            run.mkdir(parents=True)
            write_journal(run, Journal({}, {}, 0, {}))
        return StepRunner(self.store, STEPS, run, facts)

    def run(self, name: str, **facts: Any) -> dict[str, StepEntry]:
        runner = self.runner(name, **facts)
        return {step.name: runner.perform(step.name, {**facts, "told": self.told}) for step in STEPS}

    def explain(self, name: str, **facts: Any) -> list[tuple[str, str]]:
        return [(each.verdict, each.reason) for each in self.runner(name, **facts).explain()]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def done(entries: dict[str, StepEntry]) -> list[str]:
    return [entry.done for entry in entries.values()]


def test_a_second_run_skips_and_tells_again(runs: Runs) -> None:
    assert done(runs.run("1", numbers=[1, 2], scale=1)) == ["run", "run", "effect"]
    again = runs.run("2", numbers=[1, 2], scale=1)
    assert done(again) == ["skipped", "skipped", "effect"]
    assert again["total"].line == "total 3"
    assert runs.told == ["3", "3"]
    assert read_journal(runs.directory / "view" / "2").steps == again


def test_equal_bytes_stop_the_rest(runs: Runs) -> None:
    runs.run("1", numbers=[1, 2], scale=1)
    assert done(runs.run("2", numbers=[2, 1], scale=1)) == ["run", "skipped", "effect"]


def test_an_explanation_says_what_would_run_and_why_and_runs_nothing(runs: Runs) -> None:
    assert runs.explain("0", numbers=[1, 2], scale=1)[:2] == [
        ("run", "no earlier run has it"),
        ("open", "runs, unless numbers give equal results"),
    ]
    runs.run("1", numbers=[1, 2], scale=1)
    before = sorted(runs.directory.rglob("*"))
    same = ("skipped", "same code, parameters and inputs")
    assert runs.explain("0", numbers=[1, 2], scale=1)[:2] == [same, same]
    assert runs.explain("0", numbers=[1, 2], scale=5)[:2] == [same, ("run", "scale changed from 1 to 5")]
    assert runs.explain("0", numbers=[3], scale=1)[0] == ("run", "numbers changed from [1, 2] to [3]")
    assert sorted(runs.directory.rglob("*")) == before
    assert runs.told == ["3"]


def test_a_damaged_file_is_not_built_upon(runs: Runs) -> None:
    key = runs.run("1", numbers=[1, 2], scale=1)["numbers"].key
    file = runs.directory / RESULTS_FOLDER / str(key) / "numbers" / "numbers.txt"
    file.write_text("9 9")
    with pytest.raises(StepError, match=r"numbers.txt is damaged.*start the run again"):
        runs.run("2", numbers=[1, 2], scale=7)
    assert runs.run("3", numbers=[1, 2], scale=7)["total"].line == "total 21"


def test_a_file_that_is_gone_is_made_again(runs: Runs) -> None:
    key = runs.run("1", numbers=[1, 2], scale=1)["numbers"].key
    (runs.directory / RESULTS_FOLDER / str(key) / "numbers" / "order.txt").unlink()
    entries = runs.run("2", numbers=[1, 2], scale=1)
    assert done(entries) == ["run", "skipped", "effect"]
    assert entries["numbers"].reason == "its result is gone"


def test_results_are_shared_kept_as_long_as_a_run_has_them_and_then_forgotten(runs: Runs) -> None:
    runs.run("1", numbers=[1, 2], scale=1)
    runs.run("2", numbers=[1, 2], scale=2)
    assert len(list((runs.directory / RESULTS_FOLDER).glob("*/"))) == 3
    assert runs.store.forget() == 0
    for file in (runs.directory / "view" / "1").iterdir():
        if file.is_symlink():
            file.unlink()
    assert runs.store.forget() == 1, "the total of the first run; the numbers belong to the second run too"
    assert done(runs.run("3", numbers=[1, 2], scale=2)) == ["skipped", "skipped", "effect"]


def test_a_full_disk_is_one_sentence_and_finished_steps_stay(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = runs.runner("1", numbers=[1], scale=1)
    runner.perform("numbers", {"numbers": [1]})

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StepError, match=r"step 'total' stopped: .*No space left.*Finished steps are kept"):
        runner.perform("total", {"scale": 1})
    monkeypatch.undo()
    assert not list((runs.directory / RESULTS_FOLDER).glob("new-*"))
    assert done(runs.run("2", numbers=[1], scale=1)) == ["skipped", "run", "effect"]
