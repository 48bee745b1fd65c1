"""`python -m training work`: a step is done on another machine, once, whatever is killed, stopped or changed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared_features.formats.training_run import RESULTS_FOLDER
from tests.training.pipelines.project import write_project
from tests.training.scheduler.postgres import Postgres, postgres, programs
from training.__main__ import main
from training.scheduler.engine import launched
from training.scheduler.runs.runs import Runs
from training.scheduler.workflow.run_states import FAILED, SUCCEEDED
from training.settings import load_settings

ROOT = Path(__file__).parents[3]
PATIENCE_S = 280.0
PROJECT = "project_of_queued_steps"

PIPELINES = """
import os
import time
from pathlib import Path
from training.pipelines import Pipeline, PipelineStep, Queue

def first(inputs: Path, output: Path) -> str:
    (output / "a.txt").write_text("a")
    return "wrote a"

def heavy(inputs: Path, output: Path, place: str = "", number: int = 1) -> str:
    print("heavy began")
    with Path(place, "begun").open("a") as file:
        file.write(f"{number} {os.getppid()}\\n")
    while not Path(place, f"go-{number}").exists():
        time.sleep(0.05)
    (output / "b.txt").write_text((inputs / "first" / "a.txt").read_text() + str(number))
    return f"made {number}"

def last(inputs: Path, output: Path) -> str:
    return (inputs / "heavy" / "b.txt").read_text()

OWN = Pipeline("own", (
    PipelineStep("first", first, outputs=("a.txt",)),
    PipelineStep("heavy", heavy, inputs=("first/a.txt",), outputs=("b.txt",), target=Queue("gpu")),
    PipelineStep("last", last, inputs=("heavy/b.txt",)),
), retraining=False)
"""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--queue"),
        (["--queue", "gpu", "--concurrency", "0"], "'0': give a whole number, 1 or more"),
        (["--queue", "gpu", "--grace", "soon"], "'soon': give a whole number, 0 or more"),
    ],
)
def test_a_command_that_cannot_be_is_refused(arguments, said, capsys):
    with pytest.raises(SystemExit):
        main(["work", *arguments])
    assert said in capsys.readouterr().err


def test_a_worker_that_no_scheduler_could_reach_is_refused(places, monkeypatch, capsys):
    assert main(["work", "--queue", "GPU"]) == 1
    assert "'GPU' is not a name of a queue; use a-z, 0-9, - and _" in capsys.readouterr().err
    assert main(["work", "--queue", "gpu"]) == 1
    assert "MILLRACE_RUNS_DATABASE is not set. Set it to the URL that `serve` has." in capsys.readouterr().err
    monkeypatch.setenv("MILLRACE_RUNS_DATABASE", "postgresql://nobody@127.0.0.1:1/nothing")
    assert main(["work", "--queue", "gpu"]) == 1
    assert re.search(r"There is no folder .*/runs on this machine\. Let MILLRACE_TRAINING", capsys.readouterr().err)


def wait(until: Callable[[], object], what: Callable[[], object] = lambda: "") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)


class Workers:
    """Real ones, each with a log."""

    def __init__(self, place: Path) -> None:
        self._place, self._processes, self._number = place, list[subprocess.Popen[bytes]](), 0

    def start(self, *options: str) -> tuple[subprocess.Popen[bytes], Path]:
        self._number += 1
        log = self._place / f"worker-{self._number}.log"
        command = [sys.executable, "-m", "training", "work", "--queue", "gpu", *options]
        with log.open("wb") as file:
            process = subprocess.Popen(command, cwd=ROOT, stderr=file)
        self._processes.append(process)
        return process, log

    def end(self) -> None:
        for each in self._processes:
            each.kill()
            each.wait()


@contextmanager
def scheduler(places: Path, monkeypatch: pytest.MonkeyPatch, found: Path) -> Iterator[tuple[Runs, Workers, Postgres]]:
    workers = Workers(places)
    with postgres(found) as server:
        monkeypatch.setenv("MILLRACE_RUNS_DATABASE", server.url)
        with launched(load_settings()) as runs:
            try:
                yield runs, workers, server
            finally:
                workers.end()


def stopped(worker: subprocess.Popen[bytes]) -> int:
    os.kill(worker.pid, signal.SIGTERM)
    return worker.wait(PATIENCE_S)


@pytest.mark.deep
@pytest.mark.slow
def test_a_step_is_done_by_another_worker_once_where_one_is_killed_stopped_or_has_other_code(
    places, monkeypatch, capsys
):
    found = programs()
    if found is None:
        pytest.skip("NOT TESTED: PostgreSQL is not installed; on Debian: apt-get install postgresql")
    package = write_project(places, monkeypatch, PROJECT, PIPELINES)
    begun = places / "begun"

    def lines() -> list[str]:
        return begun.read_text().splitlines() if begun.exists() else []

    with scheduler(places, monkeypatch, found) as (runs, workers, _):

        def state() -> str:
            found = [each for each in runs.steps("one") if each.name == "heavy"]
            return f"{found[0].state}: {found[0].reason}" if found else ""

        def start(run_id: str, number: int) -> None:
            given = {"place": str(places), "number": number}
            runs.start("retrain", {"pipeline": "own", "steps": {"heavy": given}}, run_id)

        # It waits for a worker, and says so.
        start("one", 1)
        wait(lambda: state().startswith("waiting: waits for a worker of queue gpu since 20"), state)
        assert main(["runs", "show", "one"]) == 0
        assert re.search(r"heavy +waiting +waits for a worker of queue gpu", capsys.readouterr().out)

        # One with other code leaves it alone, and says so.
        other = places / "other"
        shutil.copytree(package, other / PROJECT)
        (other / PROJECT / "pipelines.py").write_text(PIPELINES.replace('"made {', '"built {'))
        with monkeypatch.context() as patch:
            patch.setenv("PYTHONPATH", str(other), prepend=os.pathsep)
            stranger, log = workers.start()
        wait(lambda: '"left"' in log.read_text(), log.read_text)
        wait(lambda: state().endswith("1 of its workers have other code of the pipelines"), state)
        assert stopped(stranger) == 0
        assert not lines()

        # One that is killed in the middle of it: another one does it again.
        first, log = workers.start()
        wait(lambda: len(lines()) == 1, log.read_text)
        assert "running: done by worker " in state()
        assert "heavy began" in runs.log("one", "heavy")
        first.kill()
        first.wait()
        second, log = workers.start("--grace", "0")
        wait(lambda: len(lines()) == 2, log.read_text)

        # One that is stopped gives it back.
        assert stopped(second) == 0
        assert '"given back"' in log.read_text()
        wait(lambda: state().startswith("waiting: "), state)
        third, log = workers.start()
        wait(lambda: len(lines()) == 3, log.read_text)
        (places / "go-1").touch()
        wait(lambda: runs.status("one") in (SUCCEEDED, FAILED), state)
        assert runs.status("one") == SUCCEEDED, runs.show("one").error
        assert [each.line for each in runs.steps("one")] == ["wrote a", "made 1", "a1"]
        results = places / "runs" / RESULTS_FOLDER
        assert len(list(results.glob("*/heavy/b.txt"))) == 1
        assert len(lines()) == 3

        # A stopped worker that has the time finishes its step.
        start("two", 2)
        wait(lambda: len(lines()) == 4, log.read_text)
        os.kill(third.pid, signal.SIGTERM)
        (places / "go-2").touch()
        assert third.wait(PATIENCE_S) == 0
        assert '"given back"' not in log.read_text()
        wait(lambda: runs.status("two") in (SUCCEEDED, FAILED))
        assert [each.line for each in runs.steps("two")] == ["wrote a", "made 2", "a2"]

        # What is known is found without a worker.
        start("three", 1)
        wait(lambda: runs.status("three") in (SUCCEEDED, FAILED))
        assert [each.state for each in runs.steps("three")] == ["skipped"] * 3
    assert len(lines()) == 4
