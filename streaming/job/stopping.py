"""Stopping in order: SIGTERM and SIGINT ask, sources end, what is in flight is committed, the process exits with 0.

Bytewax 0.21 handles only SIGINT, and raises there: what is in flight is dropped. So a Python handler replaces it and
only sets a flag. Every source reads the flag in `next_batch` and raises StopIteration. The dataflow then ends as if its
input had ended: sinks write and close. Tried with run_main, cluster_main and cli_main, with 1 and 2 workers and in 2
processes: 1 to 30 ms from the signal to the end. The time that a source sleeps (`next_awake`) or blocks outside Python
comes on top; both stay below 0.5 s. The processes of one Bytewax cluster end together. A process that was asked alone
waits for the others, as long as `bytewax_run` lets it.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Sequence
from types import FrameType

_LOOK_EVERY_S = 0.5
"""The pipe ends a wait at once. This is for a request that comes without a signal."""


class _Stop:
    # A flag instead of a threading.Event: a handler that interrupts Event.wait would wait for its lock.
    requested = False
    pipe: tuple[int, int] | None = None
    """Becomes readable with the request. Nobody reads from it, so it ends the waits of all threads."""


def install() -> None:
    """Take SIGTERM and SIGINT as a request to stop, from now on. Call it in the main thread, before the dataflow."""
    if _Stop.pipe is None:
        _Stop.pipe = os.pipe()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _note)


def stop_requested() -> bool:
    """Whether this process was asked to stop."""
    return _Stop.requested


def wait(seconds: float, or_readable: Sequence[int] = ()) -> bool:
    """Sleep, but no longer than until a request to stop. True if there is one. For loops that wait for a server.

    `or_readable`: descriptors of files; the sleep ends, too, when one of them is readable.
    """
    deadline = time.monotonic() + seconds
    watched = [*or_readable, *([] if _Stop.pipe is None else [_Stop.pipe[0]])]
    while not _Stop.requested and (left := deadline - time.monotonic()) > 0:
        if select.select(watched, [], [], min(left, _LOOK_EVERY_S))[0]:
            break
    return _Stop.requested


def _note(number: int, frame: FrameType | None) -> None:
    again, _Stop.requested = _Stop.requested, True
    if _Stop.pipe is not None and not again:
        os.write(_Stop.pipe[1], b"!")
