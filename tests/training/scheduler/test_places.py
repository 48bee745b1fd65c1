"""Each living scheduler has a place of its own, and a place that is left is taken again."""

from __future__ import annotations

import inspect
import threading

import pytest
from dbos import DBOS

from training.errors import StepError
from training.scheduler.places import executor_id, taken_place, taking_over


def test_the_lowest_free_place_is_taken_and_given_back(tmp_path) -> None:
    with taken_place(tmp_path / "runs") as first:
        with taken_place(tmp_path / "runs") as second:
            assert (first, second) == (0, 1)
        with taken_place(tmp_path / "runs") as again:
            assert again == 1
        assert executor_id(first) != executor_id(second)
    with taken_place(tmp_path / "runs") as first:
        assert first == 0


def test_dbos_still_gives_back_the_runs_of_a_dead_scheduler_by_its_internal_call() -> None:
    """There is no public one: `resume_workflow` forgets how often a run was recovered, so that a run which kills its
    scheduler would never end, and it wakes a run that was cancelled between the look and the call.
    """
    call = DBOS._recover_pending_workflows
    assert list(inspect.signature(call).parameters) == ["executor_ids"], (
        "this release of DBOS recovers the runs of a dead executor by another call: adapt training/scheduler/places.py"
    )


def test_a_directory_that_cannot_be_used_is_named(tmp_path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(StepError, match=r"cannot use .*runs.*MILLRACE_TRAINING_RUNS"), taken_place(tmp_path / "runs"):
        pass


def test_a_place_whose_lock_cannot_be_opened_keeps_nobody_from_taking_over_the_others(tmp_path, monkeypatch) -> None:
    """The look ended with a traceback at the first such place, and was never done again."""
    (tmp_path / "scheduler-1.lock").mkdir()
    (tmp_path / "scheduler-2.lock").touch()
    recovered, asked = threading.Event(), list[str]()

    def recover(executor_ids: list[str]) -> None:
        asked.extend(executor_ids)
        recovered.set()

    monkeypatch.setattr(DBOS, "_recover_pending_workflows", recover)
    with taking_over(tmp_path, own=0):
        assert recovered.wait(60)
    assert asked == [executor_id(2)]
