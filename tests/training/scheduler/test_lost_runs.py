"""A run whose end the database could not be told continues, once the database can be written again."""

from __future__ import annotations

import inspect
import resource
import time

from dbos import DBOS
from dbos._core import ActiveWorkflowById
from dbos._sys_db import SystemDatabase

from tests.training.scheduler.fake_scheduler import PLAN
from tests.training.scheduler.schedules.test_schedules import done, scheduler, state_of, wait
from training.scheduler.runs.runs import Runs
from training.scheduler.workflow.run_states import RUNNING, SUCCEEDED
from training.settings import load_settings


def test_a_run_outlasts_a_full_disk_and_does_again_only_the_step_that_could_not_be_written_down(tmp_path, monkeypatch):
    """The thread of the run ended, and the run was "running" until somebody started the scheduler again."""
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(tmp_path / "runs"))
    log, hold = tmp_path / "log", tmp_path / "log.hold"
    hold.touch()
    with Runs(load_settings()) as runs:
        runs.start("retrain", {"pipeline": "of four"}, "one")
        one = scheduler(log)
        try:
            wait(lambda: state_of(runs, "left") == "done" and "right" in [step for _, step, _ in done(log)])
            no_file_may_grow = (0, resource.RLIM_INFINITY)
            resource.prlimit(one.pid, resource.RLIMIT_FSIZE, no_file_may_grow)
            hold.unlink()
            time.sleep(2)
            assert runs.status("one") == RUNNING
            assert state_of(runs, "right") == "running"
            resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            wait(lambda: runs.status("one") == SUCCEEDED)
        finally:
            one.kill()
            one.wait()
    assert sorted(step for _, step, _ in done(log) if step in PLAN) == ["both", "first", "left", "right", "right"]


def test_dbos_still_has_the_calls_that_it_offers_to_nobody() -> None:
    """There is no public one: `resume_workflow` wakes a run that was cancelled between the look and the call."""
    asked = list(inspect.signature(SystemDatabase.reenqueue_for_recovery).parameters)
    assert asked == ["self", "workflow_id", "executor_ids", "recovery_queue_name"], (
        "this release of DBOS gives a run back by another call: adapt training/scheduler/lost_runs.py"
    )
    assert ActiveWorkflowById().activeList() == []
    assert "_active_workflows_set" in inspect.getsource(DBOS)
