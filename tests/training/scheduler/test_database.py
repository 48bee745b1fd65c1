"""Runs in PostgreSQL, which may go away in the middle."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from tests.training.scheduler.postgres import postgres, programs
from tests.training.scheduler.schedules.test_schedules import EVERY_TWO_SECONDS, done, scheduler, wait
from training.runs.plan.step_names import STEP_NAMES
from training.scheduler.runs.runs import Runs
from training.scheduler.schedules.schedules import Schedules
from training.scheduler.workflow.run_states import SUCCEEDED
from training.settings import load_settings

AWAY_S = 5.0


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
