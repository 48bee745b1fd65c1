"""The commands that this process has launched: one thread starts them, and none outlives the interpreter.

The kernel kills a child when the *thread* that started it is gone (`launch.py`), so all children are started by one
daemon thread that lives as long as the process: a child started from a thread pool outlives the pool.

That thread also notes each child. A signal's handler runs in the main thread, and may raise there before anybody holds
the child; the child is known nevertheless, and killed at exit.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import Future

Command = subprocess.Popen[bytes]


def launch(start: Callable[[], Command]) -> Command:
    """Start a command, in a session of its own. It is killed at exit unless `kill` has ended it."""

    def noted() -> Command:
        command = start()
        _RUNNING.add(command)
        return command

    return _LAUNCHER.call(noted)


def kill(command: Command) -> None:
    """End it at once (SIGKILL), with the children of its group. Harmless when ended."""
    if command.returncode is None:
        kill_group(command)
        # Between its start and its setsid it has no group yet.
        command.send_signal(signal.SIGKILL)
    command.wait()
    _RUNNING.discard(command)


def kill_group(command: Command) -> None:
    """End what is left of its group. The command must not have been waited for."""
    # Before the wait: while it is not waited for, its id can be nobody else's.
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses a group of the dead
        os.killpg(command.pid, signal.SIGKILL)


class _Launcher:
    """The one thread that starts children."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[tuple[Callable[[], Command], Future[Command]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def call(self, start: Callable[[], Command]) -> Command:
        result: Future[Command] = Future()
        with self._lock:
            # Not alive in a fork of this process, too.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="launcher", daemon=True)
                self._thread.start()
        self._calls.put((start, result))
        return result.result()

    def finish(self) -> None:
        """Return when all that was asked for has been started, also what nobody waits for any more."""
        if self._thread is not None and self._thread.is_alive():
            with contextlib.suppress(_NothingError):
                self.call(_nothing)

    def _run(self) -> None:
        while True:
            start, result = self._calls.get()
            try:
                result.set_result(start())
            except BaseException as error:
                result.set_exception(error)


class _NothingError(Exception):
    """Nothing was to be started."""


def _nothing() -> Command:
    raise _NothingError


_LAUNCHER = _Launcher()
_RUNNING: set[Command] = set()


def _kill_running() -> None:
    _LAUNCHER.finish()
    for command in list(_RUNNING):
        kill(command)


atexit.register(_kill_running)
