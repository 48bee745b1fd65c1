"""A child of the supervisor: it is never left behind, however the supervisor ends.

On Linux the kernel is asked to kill it with its parent (PR_SET_PDEATHSIG). Elsewhere the child looks now and then
whether its parent is still the same (`end_with_parent`). Killing is harmless: sinks own their positions.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence

from streaming.job.stopping import wait

_PARENT = "MILLRACE_SUPERVISOR_PROCESS"
_PR_SET_PDEATHSIG = 1
_LINUX = sys.platform == "linux"
_LIBC = ctypes.CDLL(None) if _LINUX else None  # loaded here: nothing may be loaded between fork and exec
_LOOK_EVERY_S = 0.5
_LOOK_FOR_END_EVERY_S = 0.05


class ChildProcess:
    """One running command with the supervisor's output streams. Start it in the supervisor's only thread.

    It has a session of its own: a Ctrl-C at the console reaches the supervisor, which ends its children in order.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        parent = os.getpid()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment, _PARENT: str(parent)},
            start_new_session=True,
            # Safe here: the supervisor has one thread, so no lock can be held by another one across the fork.
            preexec_fn=(lambda: _die_with(parent)) if _LINUX else None,
        )
        self.started_s = time.monotonic()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number when a signal ended it."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """SIGTERM; harmless when ended."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, and wait; harmless when ended."""
        self._process.kill()
        self._process.wait()


def run_to_end(command: Sequence[str]) -> int:
    """Run a child until it ends, or until this process is asked to stop (0 then)."""
    child = ChildProcess(command, {})
    try:
        while child.exit_code is None and not wait(_LOOK_FOR_END_EVERY_S):
            pass
        return child.exit_code or 0
    finally:
        child.kill()


def supervisor_process() -> int | None:
    """The process id of the supervisor that started this process, if one did."""
    parent = os.environ.get(_PARENT)
    return None if parent is None else int(parent)


def is_supervised() -> bool:
    """Whether a supervisor started this process."""
    return supervisor_process() is not None


def end_with_parent() -> None:
    """In a child, where the kernel does not do it: end when the supervisor that started this process is gone."""
    parent = supervisor_process()
    if parent is not None and not _LINUX:
        threading.Thread(target=_watch, args=(parent,), name="parent-watch", daemon=True).start()


def _die_with(parent: int) -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the kernel was asked
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os._exit(1)
