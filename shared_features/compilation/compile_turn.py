"""The turn to compile the kernel: of one process at a time, which the others that wait for it name.

The turn is a lock on a file that ends with its process, even if that is killed. One file for each cache of numba.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

_EVERY_S, _LOOK_EVERY_S = 10.0, 0.5
_HERE = Path(__file__).parents[1]
Say = Callable[[str], None]


class Turn:
    """Taken as often as it is given. Threads of one process share it: numba itself compiles one function at a time."""

    def __init__(self) -> None:
        self._taken, self._mine = 0, threading.RLock()
        self._file: TextIO | None = None

    def take(self, say: Say) -> None:
        """Return when no other process has it; at once where no file can be locked, and all may compile the same."""
        with self._mine:
            self._taken += 1
            if self._taken > 1:
                return
            try:
                self._file = lock_file().open("a+")
            except OSError:
                return
            _wait(self._file, say)
            self._file.truncate(0)
            self._file.write(f"{os.getpid()} {time.time():.0f}\n")
            self._file.flush()

    def give(self) -> None:
        """The last one frees it."""
        with self._mine:
            self._taken -= 1
            if self._taken or self._file is None:
                return
            self._file.truncate(0)
            self._file.close()
            self._file = None


TURN = Turn()
"""Of this process."""


def compiling() -> str | None:
    """The other process that compiles the kernel, as "pid 4711, 40 s so far". None: no other one does."""
    try:
        with lock_file().open() as lock:
            holder = _holder(lock)
            if not holder or holder.startswith(f"pid {os.getpid()},"):
                return None
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None  # it was killed, and could not wipe its name
    except BlockingIOError:
        return holder
    except OSError:
        return None


def lock_file() -> Path:
    """One for each cache that numba fills."""
    cache = os.environ.get("NUMBA_CACHE_DIR") or str(_HERE)
    name = hashlib.sha256(f"{cache} {_HERE}".encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"millrace-kernel-{os.getuid()}-{name}.lock"


def _wait(lock: TextIO, say: Say) -> None:
    said_s = float("-inf")
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() - said_s >= _EVERY_S:
                said_s = time.monotonic()
                holder = _holder(lock)
                say(f"another process compiles the kernel{f' ({holder})' if holder else ''}; waiting")
            time.sleep(_LOOK_EVERY_S)
        else:
            return


def _holder(lock: TextIO) -> str:
    lock.seek(0)
    pid, _, began = lock.read().strip().partition(" ")
    return f"pid {pid}, {max(0.0, time.time() - float(began)):.0f} s so far" if began.isdecimal() else ""
