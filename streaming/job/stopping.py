"""Stopping in order: SIGTERM and SIGINT ask, sources end, what is in flight is committed, the process exits 0.

Bytewax 0.21 knows SIGINT alone, and raises there: what is in flight is dropped. A Python handler in its place only
takes note; every source looks here in `next_batch` and raises StopIteration, so that the dataflow ends as if its
input had: sinks write and close. Tried with run_main, cluster_main and cli_main, with 1 and 2 workers and in 2
processes: 1 to 30 ms from the signal to the end. It takes longer by as much as a source sleeps (`next_awake`) or
blocks outside Python; both stay below 0.1 s. The processes of one Bytewax cluster end together: one that was asked
alone waits for the others, for so long as `bytewax_run` lets it.
"""

from __future__ import annotations

import signal
import time
from types import FrameType

_LOOK_EVERY_S = 0.05


class _Stop:
    # A flag and no threading.Event: a handler that interrupts Event.wait would wait for the lock it interrupted.
    requested = False


def install() -> None:
    """Take SIGTERM and SIGINT as a request to stop, from now on. Call it in the main thread, before the dataflow."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _note)


def stop_requested() -> bool:
    """Whether this process was asked to stop."""
    return _Stop.requested


def wait(seconds: float) -> bool:
    """Sleep, but not past a request to stop; whether there is one. For every loop that waits for something away."""
    deadline = time.monotonic() + seconds
    while not _Stop.requested and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, _LOOK_EVERY_S))
    return _Stop.requested


def _note(number: int, frame: FrameType | None) -> None:
    _Stop.requested = True
