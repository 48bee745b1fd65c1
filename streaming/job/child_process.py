"""A child process of the supervisor. It ends with the supervisor, however the supervisor ends.

On Linux the kernel kills the child when its parent ends (PR_SET_PDEATHSIG). Elsewhere the child checks twice a second
whether its parent is still the same (`end_with_parent`). A kill is harmless, because sinks own their positions.
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

    It has its own session. So a Ctrl-C at the console reaches only the supervisor, which then stops its children.
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
        self._ended = _pidfd(self._process.pid)

    @property
    def ended(self) -> list[int]:
        """Descriptors that become readable when the process ends: one on Linux, none elsewhere or after `kill`."""
        return [] if self._ended is None else [self._ended]

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number when a signal ended it."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Send SIGTERM. Harmless if the process has ended."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL and wait. Harmless if the process has ended."""
        self._process.kill()
        self._process.wait()
        if self._ended is not None:
            os.close(self._ended)
            self._ended = None


def run_to_end(command: Sequence[str]) -> int:
    """Run a child until it ends, or until this process is asked to stop (0 then)."""
    child = ChildProcess(command, {})
    try:
        while child.exit_code is None and not wait(_LOOK_FOR_END_EVERY_S, child.ended):
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
    """End this child when its supervisor has ended. On Linux the kernel already does so."""
    parent = supervisor_process()
    if parent is not None and not _LINUX:
        threading.Thread(target=_watch, args=(parent,), name="parent-watch", daemon=True).start()


def _pidfd(process_id: int) -> int | None:
    """A descriptor of a child, None where there is none: other systems than Linux, and some sandboxes."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(process_id)
    except OSError:
        return None


def _die_with(parent: int) -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the kernel was asked
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os._exit(1)
