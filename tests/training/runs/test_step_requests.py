"""A process of steps answers what is asked of a run of a pipeline, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.training.pipelines.project import write_project
from training.__main__ import main
from training.runs.records.step_log import read_log
from training.runs.step_requests import answer
from training.settings import load_settings

TEXT = """
from pathlib import Path
from training.pipelines import Pipeline, PipelineStep, Subprocess, import_file, publish_files

def count(inputs: Path, output: Path, least: int = 1) -> str:
    lines = len((inputs / "prices" / "prices.csv").read_text().splitlines())
    print(f"found {lines}")
    if lines < least:
        raise ValueError("too few")
    (output / "count.txt").write_text(str(lines))
    return f"{lines} lines"

COUNTED = Pipeline("counted", (
    PipelineStep("hand_over", publish_files, inputs=("count/count.txt",), effect=True),
    PipelineStep("count", count, inputs=("prices/prices.csv",), outputs=("count.txt",),
                 target=Subprocess(memory_mb=4000, seconds=300)),
    PipelineStep("prices", import_file, outputs=("prices.csv",)),
), retraining=False)
"""


QUEUED = """
from pathlib import Path
from training.pipelines import Pipeline, PipelineStep, Queue

def heavy(inputs: Path, output: Path, number: int = 1) -> str:
    return f"made {number}"

HEAVY = PipelineStep("heavy", heavy, target=Queue("gpu", waits_at_most_seconds=60))
OWN = Pipeline("queued", (HEAVY,), retraining=False)
"""


def ask(do: str, **request: Any) -> Any:
    return answer(load_settings(), {"do": do, **request})


def begin(name: str, steps: dict[str, Any]) -> Any:
    asked = {"pipeline": "counted", "steps": steps}
    return ask("begin", name=name, template="retrain", parameters=asked)


def test_a_pipeline_of_steps_of_ones_own_is_done_and_cached(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(places, monkeypatch, "project_of_requests", TEXT)
    file = places / "prices.csv"
    file.write_text("1\n2\n")
    steps = {"prices": {"path": str(file)}, "hand_over": {"folder": str(places / "out")}}
    run = begin("one", steps)["result"]
    plan = ask("plan", run=run)["result"]
    assert plan == {"prices": [], "count": ["prices"], "hand_over": ["count"]}
    assert [ask("step", run=run, step=name)["result"]["done"] for name in plan] == ["run", "run", "effect"]
    assert (places / "out" / "count" / "count.txt").read_text() == "2"
    assert "found 2" in read_log(Path(run), "count")
    assert ask("end", run=run, error="")["result"]["view"]["label"].startswith("breakdown")

    again = begin("two", steps)["result"]
    assert [ask("step", run=again, step=name)["result"]["done"] for name in plan] == ["skipped", "skipped", "effect"]
    file.write_text("1\n2\n3\n")
    changed = begin("three", {**steps, "count": {"least": 4}})["result"]
    assert ask("step", run=changed, step="prices")["result"]["reason"].startswith("path.sha256 changed")
    failed = ask("step", run=changed, step="count")
    assert "step 'count' raised ValueError: too few (line 9 of pipelines.py)" in failed["error"]
    assert failed["transient"] is False


def test_what_is_wrong_is_said_before_anything_begins(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(places, monkeypatch, "project_of_faults", TEXT)
    given = {"hand_over": {"folder": "x"}}
    assert "step 'prices': parameter 'path' has no value" in begin("one", given)["error"]
    assert "step 'count': parameter 'least' is 'x'" in begin("one", {**given, "count": {"least": "x"}})["error"]
    assert not (places / "runs").exists()


def test_a_step_of_a_queue_is_done_by_a_process_of_its_queue_alone_and_found_by_all(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(places, monkeypatch, "project_of_queued_requests", QUEUED)
    asked: dict[str, Any] = {"template": "retrain", "parameters": {"pipeline": "queued"}}
    refused = ask("begin", name="one", **asked)["error"]
    assert refused == (
        "Step 'heavy' is done by a worker of queue 'gpu', and the runs are kept in an SQLite file, which no other "
        "machine can reach. Set MILLRACE_RUNS_DATABASE to the URL of a PostgreSQL database, for `serve` and for `work`."
    )
    assert main(["run", "--pipeline", "queued"]) == 1
    monkeypatch.setenv("MILLRACE_RUNS_DATABASE", "postgresql://nobody@127.0.0.1:1/nothing")
    run = ask("begin", name="one", **asked)["result"]
    code = ask("code")["result"]
    assert ask("step", run=run, step="heavy")["result"] == {
        "queue": "gpu", "waits_at_most_seconds": 60, "code": code,
    }  # fmt: skip
    assert ask("step", run=run, step="heavy", queue="cpu")["result"]["queue"] == "gpu"
    assert ask("step", run=run, step="heavy", queue="gpu")["result"]["done"] == "run"
    again = ask("begin", name="two", **asked)["result"]
    assert ask("step", run=again, step="heavy")["result"]["done"] == "skipped"
