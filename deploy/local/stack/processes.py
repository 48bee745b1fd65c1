"""Processes by their id, with the proof that an id is still that process: the time at which it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time

_LOOK_EVERY_S, _LOOK_AT_LEAST_EVERY_S = 0.1, 0.5


def started(pid: int) -> str | None:
    """When the process of this id started, as `ps` tells it. None where there is none, or where it has ended."""
    told = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    ).stdout.strip()
    state, _, since = told.partition(" ")
    return None if not since or state.startswith("Z") else since.strip()


def is_running(pid: int, since: str | None) -> bool:
    """Whether the process that started then still runs."""
    return since is not None and started(pid) == since


def end(pid: int, since: str | None, *, grace_s: float) -> bool:
    """Ask the process to end, kill it after `grace_s`. Whether it had to be killed. Harmless when it has ended."""
    _send(pid, since, signal.SIGTERM)
    deadline_s, look_every_s = time.monotonic() + grace_s, _LOOK_EVERY_S
    while is_running(pid, since):
        if time.monotonic() > deadline_s:
            _send(pid, since, signal.SIGKILL)
            return True
        time.sleep(look_every_s)
        look_every_s = min(look_every_s * 1.2, _LOOK_AT_LEAST_EVERY_S)  # each look starts a process
    return False


def _send(pid: int, since: str | None, number: signal.Signals) -> None:
    if is_running(pid, since):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
