"""The steps of a run as they stand: what ended has its end, one step is being done, and the others wait."""

import time
from dataclasses import replace
from typing import Any

import pytest

from training.runs.plan.step_names import STEP_NAMES
from training.scheduler.workflow.queued_steps import QueuedStep
from training.scheduler.workflow.run_states import CANCELLED, FAILED, QUEUED, RUNNING, SUCCEEDED
from training.scheduler.workflow.run_steps import DONE, SKIPPED, WAITING, RunStep, in_queue, plan_of, steps_of

BEGUN = {"function_name": "begin", "output": "/runs/1", "error": None, "completed_at_epoch_ms": 1_000}
PLAN = {"function_name": "plan", "output": {"a": [], "b": ["a"], "c": ["b"]}, "error": None,
        "completed_at_epoch_ms": 1_000}  # fmt: skip


def ended(name: str, done: str = "run", error: str | None = None) -> dict[str, Any]:
    said = None if error else {"done": done, "reason": "new", "seconds": 2.5, "line": "7 rows"}
    return {"function_name": name, "output": said, "error": error, "started_at_epoch_ms": 1_000,
            "completed_at_epoch_ms": 4_000}  # fmt: skip


def states(status: str, *recorded: dict[str, Any]) -> list[str]:
    return [each.state for each in steps_of(status, recorded, 1)]


@pytest.mark.parametrize(
    ("status", "recorded", "wanted"),
    [
        (QUEUED, (), [WAITING] * 3),
        (RUNNING, (BEGUN,), [RUNNING, WAITING, WAITING]),
        (RUNNING, (BEGUN, ended("a")), [DONE, RUNNING, WAITING]),
        (RUNNING, (BEGUN, ended("a", "skipped"), ended("b", "effect")), [SKIPPED, DONE, RUNNING]),
        (SUCCEEDED, (BEGUN, ended("a"), ended("b"), ended("c")), [DONE] * 3),
        (FAILED, (BEGUN, ended("a"), ended("b", error="no memory")), [DONE, FAILED, WAITING]),
        (CANCELLED, (BEGUN, ended("a")), [DONE, CANCELLED, WAITING]),
        (CANCELLED, (), [WAITING] * 3),
        (RUNNING, (), [WAITING] * 3),
    ],
)
def test_each_step_has_the_state_that_the_records_say(
    status: str, recorded: tuple[dict[str, Any], ...], wanted: list[str]
) -> None:
    """A run that was cancelled while it waited has no step that was cancelled. A failure leaves no step running."""
    assert states(status, PLAN, *recorded) == wanted


def test_a_step_that_failed_while_the_run_still_runs_leaves_no_other_one_running() -> None:
    """The record of the step is there a moment before the state of the run."""
    assert states(RUNNING, PLAN, BEGUN, ended("a", error="no memory")) == [FAILED, WAITING, WAITING]


def test_what_ended_says_what_it_said_and_what_fails_says_why() -> None:
    first, second, _ = steps_of(FAILED, (PLAN, BEGUN, ended("a"), ended("b", error="no memory")), 1)
    assert (first.reason, first.seconds, first.line) == ("new", 2.5, "7 rows")
    assert (second.reason, second.seconds, second.line) == ("no memory", 3.0, "")


def test_the_running_step_counts_from_the_end_of_the_one_before_and_never_below_zero() -> None:
    now_ms = int(time.time() * 1000)
    before = {**ended("a"), "completed_at_epoch_ms": now_ms - 60_000}
    running = steps_of(RUNNING, (PLAN, BEGUN, before), 1)[1]
    assert running.seconds is not None
    assert 60 <= running.seconds < 3_600
    ahead = {**ended("a"), "completed_at_epoch_ms": now_ms + 60_000_000}
    assert steps_of(RUNNING, (PLAN, BEGUN, ahead), 1)[1].seconds == 0.0


def test_without_a_pipeline_the_steps_are_those_of_retraining() -> None:
    assert [each.name for each in steps_of(QUEUED, (), 1)] == list(STEP_NAMES)
    assert plan_of((BEGUN,)) == {}
    assert plan_of((BEGUN, PLAN)) == PLAN["output"]


@pytest.mark.parametrize(("at_once", "wanted"), [(1, [RUNNING, WAITING, WAITING]), (2, [RUNNING, RUNNING, WAITING])])
def test_steps_that_do_not_wait_for_each_other_run_side_by_side_as_far_as_that_is_allowed(
    at_once: int, wanted: list[str]
) -> None:
    plan = {**PLAN, "output": {"a": [], "b": [], "c": ["a", "b"]}}
    assert [each.state for each in steps_of(RUNNING, (plan, BEGUN), at_once)] == wanted


def test_a_step_in_a_queue_waits_or_is_done_by_a_worker() -> None:
    begun = steps_of(RUNNING, (PLAN, BEGUN), 1)[0]
    waits = QueuedStep("one/a/1", "one", "a", "gpu", 1_000)
    assert in_queue(begun, None) == begun
    assert in_queue(begun, waits) == RunStep(
        "a", WAITING, "waits for a worker of queue gpu since 1970-01-01 00:00:01 UTC"
    )
    done = in_queue(begun, replace(waits, worker="host-1"))
    assert (done.state, done.reason) == (
        RUNNING, "done by worker host-1 of queue gpu since 1970-01-01 00:00:01 UTC",
    )  # fmt: skip
    ended_step = RunStep("a", DONE, "new")
    assert in_queue(ended_step, waits) == ended_step, "the record is newer"
