"""Steps are done in a process of their own, which can be ended at any time and ends with its scheduler."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from training.errors import StepFailedError, TransientStepError
from training.scheduler.workflow import step_process
from training.scheduler.workflow.step_process import StepProcess

BEGIN = {"do": "begin", "template": "retrain", "parameters": {"view": "nothing"}, "name": "r"}


class Stop(BaseException):
    pass


def test_answers_limits_kills_and_cancels(places: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    with StepProcess(lambda: looks.append(1)) as process:
        with pytest.raises(StepFailedError, match="no feature view 'nothing'") as refused:
            process.ask(BEGIN, 100)
        assert not isinstance(refused.value, TransientStepError)
        first = worker(process)
        os.kill(first, signal.SIGKILL)
        with pytest.raises(TransientStepError, match=r"the process of step 'begin' ended with exit code -9"):
            process.ask(BEGIN, 100)
        with pytest.raises(StepFailedError, match=r"took longer than 0\.05 s, so it was ended"):
            process.ask(BEGIN, 0.05)
        gone = worker_or_none(process)
        assert gone is None

    def cancelled() -> None:
        raise Stop

    monkeypatch.setattr(step_process, "_LOOK_S", 0.01)  # sooner than any answer
    with StepProcess(cancelled) as process, pytest.raises(Stop):
        process.ask({"do": "step", "step": "fit", "run": "no run"} | BEGIN, 100)
    assert worker_or_none(process) is None


ENDING = """
import os, sys, threading, time
from training.scheduler.workflow import step_process
process = step_process.StepProcess(lambda: None)
def ask():
    process.ask({"do": "begin"}, 600)
    os._exit(3)  # an answer, or an error: the step would count as failed
threading.Thread(target=ask, daemon=True).start()
while not step_process._RUNNING:
    time.sleep(0.01)
(worker,) = step_process._RUNNING
step_process.end_all()
while worker.returncode is None:
    time.sleep(0.01)
time.sleep(0.5)
print(worker.returncode, flush=True)
os._exit(0)
"""


def test_a_scheduler_that_ends_leaves_no_process_of_steps_and_no_failed_step() -> None:
    done = subprocess.run([sys.executable, "-c", ENDING], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "-9\n"), done.stderr


def worker(process: StepProcess) -> int:
    running = worker_or_none(process)
    assert running is not None
    return running


def worker_or_none(process: StepProcess) -> int | None:
    running = process._process
    return None if running is None else running.pid
