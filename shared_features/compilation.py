"""The compilation of the kernel: by one process at a time, which says how far it is, while others say that they wait.

numba keeps what it compiled on the disk. Two processes that compile at once each compile all of it, in twice the time.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from numba.core.caching import NullCache
from numba.core.dispatcher import Dispatcher
from numba.core.event import Event, Listener, install_listener

from shared_features.counted import counted
from shared_features.formats import entity_state  # its loops, and through it all others

_EVERY_S, _LOOK_EVERY_S = 10.0, 0.5
_HERE = Path(__file__).parent
Say = Callable[[str], None]


@contextmanager
def compiled_once(say: Say) -> Iterator[None]:
    """What the block compiles, this process alone compiles. Nothing is said where all of it lies on the disk."""
    with lock_file().open("a+") as lock:
        _take(lock, say)
        lock.truncate(0)
        lock.write(f"{os.getpid()} {time.time():.0f}\n")
        lock.flush()
        progress = _Progress(say)
        try:
            with install_listener("numba:compile", progress):
                yield
        finally:
            progress.end()
            lock.truncate(0)


def lock_file() -> Path:
    """One for each cache that numba fills."""
    cache = os.environ.get("NUMBA_CACHE_DIR") or str(_HERE)
    name = hashlib.sha256(f"{cache} {entity_state.__file__}".encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"millrace-kernel-{os.getuid()}-{name}.lock"


def _take(lock: TextIO, say: Say) -> None:
    said_s = float("-inf")
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() - said_s >= _EVERY_S:
                said_s = time.monotonic()
                say(f"another process compiles the kernel{_holder(lock)}; waiting")
            time.sleep(_LOOK_EVERY_S)
        else:
            return


def _holder(lock: TextIO) -> str:
    lock.seek(0)
    pid, _, began = lock.read().strip().partition(" ")
    return f" (pid {pid}, {max(0.0, time.time() - float(began)):.0f} s so far)" if began.isdecimal() else ""


def loops() -> list[Any]:
    """The compiled functions that are kept on the disk."""
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("shared_features.")]
    found: dict[int, Any] = {
        id(each): each for module in modules for each in vars(module).values() if isinstance(each, Dispatcher)
    }
    return [each for each in found.values() if not isinstance(each._cache, NullCache)]


class _Progress(Listener):
    """Hears of each function that numba compiles. A thread of its own says now and then how many are there."""

    def __init__(self, say: Say) -> None:
        self._say, self._began_s = say, 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep_saying, daemon=True)
        self._thread.start()

    def on_start(self, event: Event) -> None:
        if not self._began_s:
            self._began_s = time.monotonic()
            self._say("compiling the kernel, once: about 2 minutes on two free cores")

    def on_end(self, event: Event) -> None:
        """The count tells."""

    def end(self) -> None:
        self._end.set()
        self._thread.join()
        if self._began_s:
            self._say(f"compiled the kernel: {counted(self._done(), 'function')} in {self._seconds():.0f} s")

    def _keep_saying(self) -> None:
        while not self._end.wait(_EVERY_S):
            if self._began_s:
                of = len(loops())
                self._say(f"compiling the kernel: {self._done()} of up to {of} functions, {self._seconds():.0f} s")

    def _done(self) -> int:
        return sum(bool(each.signatures) for each in loops())

    def _seconds(self) -> float:
        return time.monotonic() - self._began_s
