"""Runs in PostgreSQL, which may go away in the middle."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter

import httpx
import pytest

from deploy.embedded.ports import free_port
from tests.training.pipelines.project import write_project
from tests.training.scheduler.postgres import postgres, programs
from tests.training.scheduler.schedules.test_schedules import EVERY_TWO_SECONDS, done, scheduler, wait
from tests.training.scheduler.test_worker import PIPELINES
from tests.training.scheduler.test_worker import scheduler as queue_scheduler
from training.runs.plan.step_names import STEP_NAMES
from training.scheduler.runs.runs import Runs
from training.scheduler.schedules.schedules import Schedules
from training.scheduler.workflow.run_states import FAILED, SUCCEEDED
from training.service.app import create_app
from training.service.web_server import serving_http
from training.settings import load_settings

PROJECT = "project_of_a_database_that_goes_away"
AWAY_S = 5.0
A_MINUTE_S = 60.0


@pytest.mark.slow
def test_postgresql_goes_away_for_a_while_and_no_run_is_lost_or_done_twice(tmp_path, monkeypatch):
    found = programs()
    if found is None:
        pytest.skip("NOT TESTED: PostgreSQL is not installed; on Debian: apt-get install postgresql")
    log = tmp_path / "log"
    with postgres(found) as server:
        monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(tmp_path / "runs"))
        monkeypatch.setenv("MILLRACE_RUNS_DATABASE", server.url)
        with Runs(load_settings()) as runs:
            Schedules(runs.client).put(EVERY_TWO_SECONDS)
            serving = scheduler(log)
            try:
                wait(lambda: len(done(log)) > len(STEP_NAMES))
                server.stop()
                time.sleep(AWAY_S)
                server.start()
                before = len(done(log))
                wait(lambda: len(done(log)) > before + 2 * len(STEP_NAMES))
            finally:
                with Runs(load_settings()) as fresh:
                    Schedules(fresh.client).pause(EVERY_TWO_SECONDS.name)
                wait(lambda: serving.poll() is not None or everything_succeeded())
                serving.kill()
                serving.wait()
        with Runs(load_settings()) as again:
            finished = again.newest()
        assert {run.status for run in finished} == {SUCCEEDED}
    begun = Counter(run for _, step, run in done(log) if step == STEP_NAMES[-1])
    assert len(begun) == len({run.id for run in finished}) >= 3


def everything_succeeded() -> bool:
    with Runs(load_settings()) as runs:
        return all(run.status == SUCCEEDED for run in runs.newest())


@pytest.mark.deep
@pytest.mark.slow
def test_postgresql_goes_away_for_a_minute_while_a_step_waits_in_a_queue_and_while_it_is_done(places, monkeypatch):
    found = programs()
    if found is None:
        pytest.skip("NOT TESTED: PostgreSQL is not installed; on Debian: apt-get install postgresql")
    write_project(places, monkeypatch, PROJECT, PIPELINES)
    monkeypatch.setenv("MILLRACE_RUNS_PORT", str(free_port()))
    begun = places / "begun"

    def times() -> int:
        return len(begun.read_text().splitlines()) if begun.exists() else 0

    with queue_scheduler(places, monkeypatch, found) as (runs, workers, server):

        def start(run_id: str, number: int) -> None:
            given = {"place": str(places), "number": number}
            runs.start("retrain", {"pipeline": "own", "steps": {"heavy": given}}, run_id)

        def answers() -> int:
            with serving_http(load_settings(), lambda keys: create_app(load_settings(), runs, keys)) as address:
                return httpx.get(f"{address}/v1/runs", timeout=60.0, trust_env=False).status_code

        # While the step waits for a worker.
        start("one", 1)
        wait(lambda: [each.step for each in runs.queued_steps()] == ["heavy"])
        server.stop()
        assert answers() == 503
        time.sleep(A_MINUTE_S)
        server.start()
        assert answers() == 200
        first, log = workers.start("--grace", "1")
        wait(lambda: times() == 1)

        # While it is done: it ends while nobody can be told.
        server.stop()
        (places / "go-1").touch()
        time.sleep(A_MINUTE_S)
        server.start()
        wait(lambda: runs.status("one") in (SUCCEEDED, FAILED))
        assert [each.line for each in runs.steps("one")] == ["wrote a", "made 1", "a1"]
        assert times() == 1, "it was done once"

        # A worker that is told to end meanwhile ends, and another one does its step.
        start("two", 2)
        wait(lambda: times() == 2)
        server.stop()
        os.kill(first.pid, signal.SIGTERM)
        assert first.wait(A_MINUTE_S) == 0, log.read_text()
        server.start()
        workers.start()
        wait(lambda: times() == 3)
        (places / "go-2").touch()
        wait(lambda: runs.status("two") in (SUCCEEDED, FAILED))
        assert [each.line for each in runs.steps("two")] == ["wrote a", "made 2", "a2"]
    assert times() == 3
