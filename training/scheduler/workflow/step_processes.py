"""The processes of a run's steps: one for each step that is done at the same time; an idle one does the next step."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from training.scheduler.workflow.step_process import StepProcess


class StepProcesses:
    """Several threads may ask at once. new: makes a process."""

    def __init__(self, new: Callable[[], StepProcess]) -> None:
        self._new, self._idle, self._all = new, list[StepProcess](), ExitStack()
        self._lock = threading.Lock()

    def ask(self, request: dict[str, Any], limit_s: float) -> Any:
        """`StepProcess.ask` of one that is idle."""
        with self._lock:
            process = self._idle.pop() if self._idle else self._all.enter_context(self._new())
        try:
            return process.ask(request, limit_s)
        finally:
            with self._lock:
                self._idle.append(process)

    def __enter__(self) -> StepProcesses:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._all.close()
