"""News reach a real HTTP server once, after its errors too; the metrics count the runs that it was about."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from deploy.embedded.ports import free_port
from tests.training.pipelines.project import write_project
from tests.training.service.conftest import Listener, Service
from training.__main__ import main
from training.errors import StepFailedError
from training.registry.aliases import Aliases
from training.registry.versions import Registry
from training.scheduler.news.webhook import FIRST_WAIT_S, TELL_WORKFLOW
from training.scheduler.runs.runs import Runs
from training.scheduler.schedules.schedules import Schedules
from training.scheduler.schedules.tick import Schedule
from training.scheduler.workflow.run_states import SUCCEEDED
from training.settings import load_settings

ROOT = Path(__file__).parents[3]
PATIENCE_S = 240.0
MODELS = """
from tests.domains.machines import BREAKDOWN
from training.definitions import Model

BREAKS = Model("breaks", BREAKDOWN, slices=("celsius", "humidity"), promotion="better")
"""
PARAMETERS = ["train_days=6", "delay_days=1", "test_days=3"]
KINDS = ["champion_stale", "gate_refused", "promoted", "run_failed", "schedule_missed"]


def test_a_webhook_that_fails_first_gets_each_news_once(service: Service) -> None:
    service.listener.refusals = 2
    service.played.errors["fit"] = StepFailedError("the windows hold one class")
    failed = service.client.post("/v1/runs", json={"template": "retrain"}).json()["id"]
    service.wait_for(lambda: service.runs.status(failed) == "failed")
    service.played.errors.clear()
    service.played.summary = {"model": "m", "version": 2, "promoted": False, "reasons": ["worse"], "metrics": {}}
    refused = service.client.post("/v1/runs", json={"template": "retrain"}).json()["id"]
    service.wait_for(lambda: len(service.listener.got) >= 2)
    time.sleep(0.5)  # the watch looks every 0.2 s
    got = sorted((each["kind"], each["run"], each["text"]) for each in service.listener.got)
    assert [each[:2] for each in got] == [("gate_refused", refused), ("run_failed", failed)]
    assert "the windows hold one class" in got[1][2]
    assert service.listener.refused == 2
    metrics = service.client.get("/metrics").text
    assert 'training_runs{status="failed"} 1.0' in metrics
    assert 'training_runs{status="succeeded"} 1.0' in metrics
    assert 'training_run_end_timestamp_seconds{status="failed"}' in metrics


@contextmanager
def serve() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-m", "training", "serve"], cwd=ROOT) as serving:
        try:
            yield serving
        finally:
            serving.kill()


@contextmanager
def away(directory: Path) -> Iterator[None]:
    """In its place is a file: whatever is read or written there fails, for root too."""
    directory.rename(directory.with_suffix(".away"))
    directory.touch()
    yield
    directory.unlink()
    directory.with_suffix(".away").rename(directory)


def wait(until: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.deep  # each kind of news has a test of its own
def test_a_webhook_that_was_down_gets_each_kind_of_news_of_real_runs_and_the_champion_stays(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (write_project(places, monkeypatch, "project_of_news", "") / "models.py").write_text(MODELS)
    lake, registry, port, listener = places / "lake", places / "registry", free_port(), Listener(refusals=2)
    lake.symlink_to(os.environ["MILLRACE_LAKE"])
    monkeypatch.setenv("MILLRACE_LAKE", str(lake))
    monkeypatch.setenv("MILLRACE_RUNS_PORT", str(free_port()))
    monkeypatch.setenv("MILLRACE_RUNS_WEBHOOK", f"http://127.0.0.1:{port}/hook")
    monkeypatch.setenv("MILLRACE_CHAMPION_AGE_LIMIT", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    aliases = Aliases(Registry(registry))

    def start(name: str, model: str) -> int:
        return main(["start", "--wait", "--id", name, *PARAMETERS, f'models=["{model}"]'])

    with Runs(load_settings()) as runs:
        schedules = Schedules(runs.client)
        with serve() as serving:
            assert start("good", "logistic_regression") == 0, "nobody listens, and no run is delayed"
            assert aliases.of("breaks") == {"champion": 1}
            wait(lambda: len(runs.client.list_workflows(name=TELL_WORKFLOW, status=["PENDING"])) == 2)
            serving.kill()
            serving.wait()
        with serve(), listener.listening(port):
            assert start("worse", "random_forest") == 3
            with away(registry):
                assert start("lost", "hist_gradient_boosting") == 1
            assert main(["resume", "lost"]) == 0
            wait(lambda: runs.status("lost-resumed") == SUCCEEDED)
            lake.unlink()
            schedules.put(Schedule("labels", "retrain", {}, "*/2 * * * * *", new_labels=1))
            wait(lambda: {each["kind"] for each in listener.got} == set(KINDS))
            schedules.pause("labels")
            wait(lambda: not runs.client.list_workflows(name=TELL_WORKFLOW, status=["PENDING", "ENQUEUED"]))
        assert [run.id for run in runs.newest()] == ["lost-resumed", "lost", "worse", "good"], "no run came of a tick"
        assert [each.state for each in runs.steps("lost-resumed")].count("done") == 2, "publish and promote"
    _each_was_told_once_and_asked_for_later_and_later(listener)
    told = {(each["kind"], each.get("run")): each["text"] for each in listener.got}
    assert "breaks version 1 is champion: " in told["promoted", "good"]
    assert "breaks version 2 was refused by the gate, the champion stays: " in told["gate_refused", "worse"]
    assert "Run lost failed: step 'publish' stopped: " in told["run_failed", "lost"]
    assert "breaks version 3 was refused by the gate, the champion stays: " in told["gate_refused", "lost-resumed"]
    assert "It could not tell whether to start a run: " in told["schedule_missed", None]
    assert "The champion of breaks, version 1, was made at " in told["champion_stale", None]
    assert aliases.of("breaks") == {"champion": 1}
    assert Registry(registry).versions("breaks") == [1, 2, 3]
    assert main(["registry", "verify"]) == 0
    capsys.readouterr()
    assert main(["news"]) == 1, "the exit code of a run that failed"
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == set(KINDS)
    assert main(["runs", "compare", "good", "worse"]) == 0
    said = capsys.readouterr().out
    assert said.count("celsius from ") == said.count("humidity from ") == 2, "slices of real runs, with their rows"
    assert "celsius, worst" in said
    assert main(["runs", "export", "good", "-o", str(places / "good.tar.gz"), "--without-data"]) == 0
    with tarfile.open(places / "good.tar.gz") as archive:
        card = archive.extractfile("model-card.md")
        assert card is not None
        text = card.read()
        assert b"# Model card of breaks" in text
        assert b"Version 1 may become champion" in text


def _each_was_told_once_and_asked_for_later_and_later(listener: Listener) -> None:
    texts = Counter(each["text"] for each in listener.got if each["kind"] != "champion_stale")  # that is told each day
    assert set(texts.values()) == {1}
    for text in texts:
        came = [at for at, about in listener.asked if about == text]
        pauses = [after - before for before, after in pairwise(came)]
        assert all(pause > 0.9 * FIRST_WAIT_S * 3**number for number, pause in enumerate(pauses)), text
    assert listener.refused == 2
