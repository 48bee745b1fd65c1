"""A guard of a model's runs: one that takes much longer than the model was measured to take is ended.

ONNX Runtime looks between two nodes of a graph, and between two turns of a loop in it, whether the run is to end. A
thread says so. It looks every 20 ms while models run, and sleeps otherwise, so that a run costs no timer of its own.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any
from weakref import WeakSet

import onnxruntime

_LOOK_EVERY_S = 0.02
_LOOKS_WITHOUT_A_RUN = 500
"""Then it sleeps: to wake it costs a lone request 0.1 ms, where a run costs 0.6 us otherwise."""


class RunGuard:
    """`with guard.within(seconds) as options:` around a run with these options. Used by one thread at a time."""

    def __init__(self) -> None:
        self.options: Any = onnxruntime.RunOptions()
        self.until_s: float | None = None
        self._within_s = 0.0
        _WATCH.add(self)

    def within(self, seconds: float) -> RunGuard:
        """How long the run may take."""
        self._within_s = seconds
        return self

    def __enter__(self) -> Any:
        if self.options.terminate:
            self.options.terminate = False
        self.until_s = time.monotonic() + self._within_s
        _WATCH.began()
        return self.options

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.until_s = None


class _Watch:
    """The thread that ends what takes too long; it begins with the first run of the process."""

    def __init__(self) -> None:
        self._guards: WeakSet[RunGuard] = WeakSet()
        self._changing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wanted = threading.Event()
        self._ran = False

    def add(self, guard: RunGuard) -> None:
        with self._changing:
            self._guards.add(guard)

    def began(self) -> None:
        self._ran = True
        if not self._wanted.is_set():
            self._wanted.set()
            with self._changing:
                if self._thread is None or not self._thread.is_alive():  # not alive in the child of a fork
                    self._thread = threading.Thread(target=self._run, name="model runs", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            looks = 0
            while looks < _LOOKS_WITHOUT_A_RUN:
                time.sleep(_LOOK_EVERY_S)
                looks = 0 if self._ran else looks + 1
                self._ran = False
                self._end_what_takes_too_long()
            self._wanted.clear()
            if self._ran:  # a run that began since the last look
                self._wanted.set()

    def _end_what_takes_too_long(self) -> None:
        with self._changing:
            guards = list(self._guards)
        now_s = time.monotonic()
        for guard in guards:
            until_s = guard.until_s
            if until_s is not None:
                self._ran = True
                if now_s > until_s:
                    guard.options.terminate = True


_WATCH = _Watch()
