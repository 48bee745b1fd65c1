"""What retraining costs beside the training: a run that changes nothing, a step, a scheduler at rest, a start.

The lake is a small one of tests: what is measured does not depend on its size.
"""

from __future__ import annotations

import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from deploy.embedded.ports import free_port
from deploy.embedded.processes.background_process import BackgroundProcess
from tests.bench.figures import Figure, stopwatch
from tests.bench.processor_time import processor_seconds
from tests.bench.stream_job import ROOT
from tests.domains.machines import BREAKDOWN
from tests.training.lake import write_lake
from tests.training.machine_streams import end_us, machine_streams

PARAMETERS = {"train_days": 6, "delay_days": 1, "test_days": 3, "models": ["logistic_regression"]}
OPTIONS = ["--train-days", "6", "--delay-days", "1", "--test-days", "3", "--models", "logistic_regression"]
STEPS = 20
_RUNS = 5
_REST_S = 30.0
_WITHIN_S = 300.0
_PACKAGE = "bench_of_steps"
_PIPELINES = f"""
from pathlib import Path
from training.pipelines import Pipeline, PipelineStep

def nothing(inputs: Path, output: Path) -> str:
    (output / "a.txt").write_text("a")
    return "nothing"

CHAIN = Pipeline("chain", tuple(
    PipelineStep(f"s{{n}}", nothing, inputs=(f"s{{n - 1}}/a.txt",) if n else (), outputs=("a.txt",))
    for n in range({STEPS})
), retraining=False)
"""


def measure(file: Path | None) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as folder:
        place = Path(folder)
        write_lake(place / "lake", BREAKDOWN, machine_streams(), end_us() + 2 * 3_600_000_000)
        package = place / _PACKAGE
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "features.py").write_text("from tests.domains.machines import *\n")
        (package / "pipelines.py").write_text(_PIPELINES)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")} | {
            "MILLRACE_DEFINITIONS": f"{_PACKAGE}.features",
            "MILLRACE_LAKE": str(place / "lake"),
            "MILLRACE_REGISTRY": str(place / "registry"),
            "MILLRACE_TRAINING_RUNS": str(place / "runs"),
            "MILLRACE_RUNS_PORT": str(free_port()),
            "PYTHONPATH": str(place),
        }
        subprocess.run(_run(), cwd=ROOT, env=environment, check=True, capture_output=True)
        with serving(environment, place / "log") as (process, client):
            database = place / "runs" / "runs.sqlite"
            figures = [*nothing_changes(environment), *at_rest(process.pid)]
            return [*figures, *to_the_first_step(client, database), *of_a_step(client, database)]


def _run() -> list[str]:
    return [sys.executable, "-m", "training", "run", *OPTIONS]


def nothing_changes(environment: dict[str, str]) -> list[Figure]:
    """By `python -m training run`, from the start of its process to its end."""
    walls, processors = list[float](), list[float]()
    for _ in range(_RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with stopwatch() as wall:
            subprocess.run(_run(), cwd=ROOT, env=environment, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        walls.append(wall.elapsed)
        processors.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return [
        Figure("run that changes nothing", statistics.median(walls), "s"),
        Figure("run that changes nothing, processor time", statistics.median(processors), "s"),
    ]


@contextmanager
def serving(environment: dict[str, str], log: Path) -> Iterator[tuple[BackgroundProcess, httpx.Client]]:
    process = BackgroundProcess([sys.executable, "-m", "training", "serve"], log=log, cwd=ROOT, environment=environment)
    address = f"http://127.0.0.1:{environment['MILLRACE_RUNS_PORT']}"
    try:
        with httpx.Client(base_url=address, timeout=60.0, trust_env=False) as client:
            _wait(lambda: _answers(client))
            yield process, client
    finally:
        process.stop(grace_s=40)


def at_rest(process_id: int) -> list[Figure]:
    """Of `serve` after its start, with nothing to do."""
    before, from_s = processor_seconds(process_id), time.monotonic()
    time.sleep(_REST_S)
    share = 100 * (processor_seconds(process_id) - before) / (time.monotonic() - from_s)
    lines = Path(f"/proc/{process_id}/smaps_rollup").read_text().splitlines()
    kilobytes = {line.split()[0]: int(line.split()[1]) for line in lines[1:]}
    return [
        Figure("scheduler at rest, memory (PSS)", kilobytes["Pss:"] / 1024, "MB"),
        Figure("scheduler at rest, memory (RSS)", kilobytes["Rss:"] / 1024, "MB"),
        Figure("scheduler at rest, processor", share, "% of a core"),
    ]


def to_the_first_step(client: httpx.Client, database: Path) -> list[Figure]:
    """From a POST until the first step has begun; until a run that changes nothing has ended."""
    first, ends = list[float](), list[float]()
    for _ in range(_RUNS):
        asked_s = time.time()
        run_id = _succeeded(client, {"template": "retrain", "parameters": PARAMETERS})
        times = _times(database, run_id)
        first.append(times["dataset"][0] - asked_s)
        ended_at = datetime.fromisoformat(client.get(f"/v1/runs/{run_id}").json()["ended_at"])
        ends.append(ended_at.timestamp() - asked_s)
    return [
        Figure("from POST to the first step", statistics.median(first), "s"),
        Figure("from POST to the end of a run that changes nothing", statistics.median(ends), "s"),
    ]


def of_a_step(client: httpx.Client, database: Path) -> list[Figure]:
    """Of steps that write a file of a few bytes, one after the other: nearly nothing of it is their own work."""
    body = {"template": "retrain", "parameters": {"pipeline": "chain"}}
    figures = []
    for name in ("done", "skipped"):
        times = _times(database, _succeeded(client, body))
        seconds = times[f"s{STEPS - 1}"][1] - times["s0"][0]
        figures.append(Figure(f"one of {STEPS} steps that is {name}", 1000 * seconds / STEPS, "ms"))
    return figures


def _succeeded(client: httpx.Client, body: Mapping[str, Any]) -> str:
    answer = client.post("/v1/runs", json=body).raise_for_status().json()
    path = f"/v1/runs/{answer['id']}"
    _wait(lambda: client.get(path).json()["status"] in ("succeeded", "failed"))
    run = client.get(path).json()
    if run["status"] != "succeeded":
        raise RuntimeError(f"run {run['id']} failed: {run['error']}")
    return str(run["id"])


def _times(database: Path, run_id: str) -> dict[str, tuple[float, float]]:
    """Step -> when it began and ended, seconds since the epoch, as DBOS has them."""
    columns = "function_name, started_at_epoch_ms, completed_at_epoch_ms"
    query = f"select {columns} from operation_outputs where workflow_uuid = ?"
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(query, (run_id,)).fetchall()
    return {name: (began_ms / 1000, ended_ms / 1000) for name, began_ms, ended_ms in rows}


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/v1/runs").is_success
    except httpx.TransportError:
        return False


def _wait(until: Callable[[], object]) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while not until():
        if time.monotonic() > deadline:
            raise RuntimeError(f"nothing happened for {_WITHIN_S:.0f} s")
        time.sleep(0.1)
