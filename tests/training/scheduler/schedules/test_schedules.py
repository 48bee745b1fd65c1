"""Schedules fire once per tick with two schedulers, survive a kill, and make up what was missed with one run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.training.scheduler.fake_scheduler import PLAN
from training.errors import RequestError
from training.runs.plan.step_names import STEP_NAMES
from training.scheduler.runs.runs import Runs
from training.scheduler.schedules.schedules import Schedules
from training.scheduler.schedules.tick import Schedule
from training.scheduler.workflow.run_states import SUCCEEDED
from training.settings import load_settings

ROOT = Path(__file__).parents[4]
PATIENCE_S = 300.0
EVERY_TWO_SECONDS = Schedule("often", "retrain", {}, "*/2 * * * * *")


def scheduler(log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.training.scheduler.fake_scheduler", str(log)]
    return subprocess.Popen(command, cwd=ROOT)


def done(log: Path) -> list[tuple[int, str, str]]:
    """Process, step and run of each step that was done."""
    lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
    return [(int(process), step, run) for process, _, step, run in lines]


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.slow
def test_two_schedulers_fire_once_a_kill_loses_nothing_and_a_pause_is_made_up_once(tmp_path, monkeypatch):
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(tmp_path / "runs"))
    log = tmp_path / "log"
    with Runs(load_settings()) as runs:
        Schedules(runs.client).put(EVERY_TWO_SECONDS)
        two = [scheduler(log), scheduler(log)]
        try:
            wait(lambda: len(runs.newest()) >= 3)
            os.kill(two[0].pid, signal.SIGKILL)
            two[0].wait()
            before = len(runs.newest())
            wait(lambda: len(runs.newest()) >= before + 2)
        finally:
            for each in two:
                each.kill()
                each.wait()
        down_from = datetime.now(UTC)
        time.sleep(5)
        up_from = datetime.now(UTC)
        again = [scheduler(log)]  # one alone: it takes over what either of the two was doing
        try:
            wait(lambda: any(run_time(run.id) >= up_from for run in runs.newest()))
            Schedules(runs.client).pause("often")
            wait(lambda: all(run.status == SUCCEEDED for run in runs.newest()))
        finally:
            for each in again:
                each.kill()
                each.wait()
        found = runs.newest()
    begun = Counter(run for _, step, run in done(log) if step == "begin")
    assert len(begun) == len(found) == len({run.id for run in found})
    missed = [run for run in found if down_from <= run_time(run.id) < up_from - timedelta(seconds=2)]
    assert not missed, "the newest missed tick stands for those before it"
    assert one_after_the_other([run for _, _, run in done(log)])
    for run in begun:
        assert [step for _, step, name in done(log) if name == run and step in STEP_NAMES][-1] == STEP_NAMES[-1]


def test_a_kill_among_steps_side_by_side_repeats_only_those_that_had_not_ended(tmp_path, monkeypatch):
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(tmp_path / "runs"))
    log, hold = tmp_path / "log", tmp_path / "log.hold"
    hold.touch()
    with Runs(load_settings()) as runs:
        runs.start("retrain", {"pipeline": "of four"}, "one")
        one = scheduler(log)
        try:
            wait(lambda: state_of(runs, "left") == "done" and "right" in [step for _, step, _ in done(log)])
            assert state_of(runs, "right") == "running"
        finally:
            one.kill()
            one.wait()
        hold.unlink()
        again = scheduler(log)
        try:
            wait(lambda: runs.status("one") == SUCCEEDED)
        finally:
            again.kill()
            again.wait()
    by_process = {one.pid: ["first", "left", "right"], again.pid: ["both", "right"]}
    for process, steps in by_process.items():
        assert sorted(step for pid, step, _ in done(log) if pid == process and step in PLAN) == steps


def state_of(runs: Runs, step: str) -> str:
    return next((each.state for each in runs.steps("one") if each.name == step), "")


def run_time(run_id: str) -> datetime:
    return datetime.strptime(run_id.rpartition("-")[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def one_after_the_other(runs: list[str]) -> bool:
    """Whether each run was over before the next began."""
    order = [run for at, run in enumerate(runs) if at == 0 or runs[at - 1] != run]
    return len(order) == len(set(order))


def test_schedules_are_put_replaced_listed_paused_and_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(tmp_path / "runs"))
    with Runs(load_settings()) as runs:
        schedules = Schedules(runs.client)
        schedules.put(Schedule("nightly", "retrain", {"top": 5}, "0 3 * * *", "Europe/Berlin"))
        schedules.put(Schedule("nightly", "retrain", {"top": 7}, "0 4 * * *", "Europe/Berlin", new_labels=10))
        (state,) = schedules.all()
        assert state.schedule == Schedule("nightly", "retrain", {"top": 7}, "0 4 * * *", "Europe/Berlin", 10)
        assert state.next_tick is not None
        assert (state.next_tick.hour, str(state.next_tick.tzinfo)) == (4, "Europe/Berlin")
        schedules.pause("nightly")
        assert [each.next_tick for each in schedules.all()] == [None]
        schedules.resume("nightly")
        assert all(each.next_tick for each in schedules.all())
        with pytest.raises(RequestError, match=r"There is no schedule 'weekly'\. There are: nightly"):
            schedules.pause("weekly")
        schedules.remove("nightly")
        assert not list(schedules.all())
        with pytest.raises(RequestError, match="never fires"):
            schedules.put(Schedule("never", "retrain", {}, "0 0 31 4 *"))
        assert not list(schedules.all())
