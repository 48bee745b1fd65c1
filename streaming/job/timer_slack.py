"""Timer slack: how late the kernel may end a sleep of a thread, so that an idle process wakes up less often.

Bytewax's main thread sleeps one millisecond at a time, only to see signals and the end of its workers. On Linux the
kernel ends such a sleep together with other timers, up to the slack later. A request to stop then waits as long.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_PR_SET_TIMERSLACK = 29
_RELAXED_NS = 50_000_000
_PRECISE_NS = 50_000
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@contextmanager
def relaxed() -> Iterator[None]:
    """Sleeps of this thread may last up to 50 ms longer. Threads that it starts inherit this: they call `precise`."""
    _set(_RELAXED_NS)
    try:
        yield
    finally:
        _set(_PRECISE_NS)


def precise() -> None:
    """Sleeps of this thread end in time. Threads that it starts inherit this."""
    _set(_PRECISE_NS)


def _set(nanoseconds: int) -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_TIMERSLACK, ctypes.c_ulong(nanoseconds), 0, 0, 0)
