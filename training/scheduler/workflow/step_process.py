"""The process in which a run's steps are done: started when it is needed, ended when a step takes too long."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import IO, Any

from training.errors import StepFailedError, TransientStepError

_LOOK_S = 1.0
_OPEN = threading.Lock()
"""Held while a process is started, and for ever once this process is about to end."""
_RUNNING: set[subprocess.Popen[str]] = set()
_WORKER = "training.runs.step_worker"
Line = str | None


class StepProcess:
    """One process at a time. look: called every second while a step is done; what it raises ends the process.

    Scheduler and steps are kept apart, so that the scheduler at rest holds no library that learns, and so that a step
    can be ended in the middle.
    """

    def __init__(self, look: Callable[[], None]) -> None:
        self._look = look
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[Line] = queue.Queue()

    def ask(self, request: dict[str, Any], limit_s: float) -> Any:
        """The answer to a request. Raises StepFailedError, or TransientStepError where another try may help."""
        process = self._running()
        if process.stdin is None:
            raise StepFailedError("the process of the step has no standard input; report this")
        with suppress(BrokenPipeError):  # the end of its answers says so too
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        line = self._wait(limit_s, request)
        if line is None:
            with _OPEN:  # nobody leaves this line where it was ended by `end_all`: then the step did not fail
                code = process.wait()
            self.close()
            raise TransientStepError(f"the process of step {_name(request)} ended with exit code {code}; see the log")
        answer = json.loads(line)
        if "error" in answer:
            raise (TransientStepError if answer["transient"] else StepFailedError)(answer["error"])
        return answer["result"]

    def close(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            _RUNNING.discard(self._process)
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(BrokenPipeError):  # a request that nobody read
                    if pipe is not None:
                        pipe.close()
            self._process = None

    def __enter__(self) -> StepProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._answers = queue.Queue()
            with _OPEN:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", _WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
                _RUNNING.add(self._process)
            threading.Thread(target=_read, args=(self._process.stdout, self._answers), daemon=True).start()
        return self._process

    def _wait(self, limit_s: float, request: dict[str, Any]) -> Line:
        deadline = time.monotonic() + limit_s
        while (left_s := deadline - time.monotonic()) > 0:
            try:
                return self._answers.get(timeout=min(left_s, _LOOK_S))
            except queue.Empty:
                try:
                    self._look()
                except BaseException:
                    self.close()
                    raise
        self.close()
        raise StepFailedError(
            f"step {_name(request)} took longer than {limit_s:g} s, so it was ended. Raise "
            "MILLRACE_TRAINING_STEP_LIMIT, or train on fewer days."
        )


def end_all() -> None:
    """End every process of steps, and let none be started any more. The caller ends this process at once."""
    _OPEN.acquire()
    for process in list(_RUNNING):
        process.kill()
    for process in list(_RUNNING):
        process.wait()


def _read(pipe: IO[str] | None, answers: queue.Queue[Line]) -> None:
    for line in pipe or ():
        answers.put(line)
    answers.put(None)


def _name(request: dict[str, Any]) -> str:
    return repr(request.get("step", request["do"]))
