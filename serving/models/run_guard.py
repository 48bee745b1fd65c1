"""A guard of a model's runs: one that takes much longer than the model was measured to take is ended.

ONNX Runtime looks between two nodes of a graph, and between two turns of a loop in it, whether the run is to end. A
thread says so. It looks every 20 ms while models run, and sleeps otherwise, so that a run costs no timer of its own.

What counts is the processor time of the run's thread from the second look that saw the run: a garbage collection or a
busy neighbour that comes between the request and its run is not the model's doing. A collection lets no look through,
so at most one came before it.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import onnxruntime

_LOOK_EVERY_S = 0.02
_LOOKS_WITHOUT_A_RUN = 500
"""Then it sleeps: to wake it costs a lone request 0.1 ms, where a run costs 0.6 us otherwise."""
TIMES_LONGER = 10
"""A run is ended where it takes so much longer than measured."""


class RunGuard:
    """`with guard.within(seconds) as options:` around a run with these options. Used by one thread at a time."""

    def __init__(self) -> None:
        self.options: Any = onnxruntime.RunOptions()
        self.run = 0
        """Counts the runs: another number is another run."""
        self.running = False
        self.within_s = 0.0
        self.clock = _ThreadClock()
        _WATCH.add(self)

    def within(self, seconds: float) -> RunGuard:
        """How much processor time the run may take."""
        self.within_s = seconds
        return self

    def __enter__(self) -> Any:
        if self.options.terminate:
            self.options.terminate = False
        if self.clock.thread != threading.get_ident():
            self.clock = _ThreadClock()
        self.run += 1
        self.running = True
        _WATCH.began()
        return self.options

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.running = False


class _ThreadClock:
    """The processor time of the thread that makes it, readable from any other."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        of_thread = getattr(time, "pthread_getcpuclockid", None)  # macOS has none
        self._id: int = time.CLOCK_MONOTONIC if of_thread is None else of_thread(self.thread)

    def now_s(self) -> float:
        try:
            return time.clock_gettime(self._id)
        except OSError:  # the thread has ended, or is the parent's after a fork
            return time.monotonic()


class _SeenRun(NamedTuple):
    """A run that was seen: its number, how often, at most twice, and the clock of its thread then."""

    run: int
    looks: int
    since_s: float


class _Watch:
    """The thread that ends what takes too long; it begins with the first run of the process."""

    def __init__(self) -> None:
        self._seen: WeakKeyDictionary[RunGuard, _SeenRun] = WeakKeyDictionary()
        self._changing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wanted = threading.Event()
        self._ran = False

    def add(self, guard: RunGuard) -> None:
        with self._changing:
            self._seen[guard] = _SeenRun(0, 0, 0.0)

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
                self.look()
            self._wanted.clear()
            if self._ran:  # a run that began since the last look
                self._wanted.set()

    def look(self) -> None:
        """End what takes too long."""
        with self._changing:
            seen = list(self._seen.items())
        for guard, last in seen:
            if not guard.running:
                continue
            self._ran = True
            looks = last.looks + 1 if guard.run == last.run else 1
            if looks <= 2:
                self._seen[guard] = _SeenRun(guard.run, looks, guard.clock.now_s())
            elif guard.clock.now_s() - last.since_s > guard.within_s:
                guard.options.terminate = True


_WATCH = _Watch()
