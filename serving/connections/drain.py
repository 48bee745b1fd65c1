"""The drain of one process that was asked to end: readiness turns first, requests are still answered, then it closes.

A balancer that asks for readiness needs a moment to learn of it. Until then it sends requests, which must not meet a
closed port. Each answer of the drain ends its connection, so that few are open when the process closes the last.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from serving.log import get_log

STATE_KEY = "drain"
"""Under which connections and routes find it in the state of the application."""


class Drain:
    """`is_on`: whether the process was asked to end. Lives on one event loop.

    SIGTERM begins it, and reaches uvicorn when `lasts_s` have passed. SIGINT, a person's Ctrl-C, reaches it at once.
    """

    def __init__(self, lasts_s: float) -> None:
        self._lasts_s = lasts_s
        self.is_on = False

    def start(self) -> None:
        """Catch SIGTERM, where somebody else had a handler for it. Call this in the event loop.

        Signals are the main thread's. An application that runs in another one ends as that thread's owner says.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        end = signal.getsignal(signal.SIGTERM)
        if not callable(end):
            return
        if self._lasts_s:
            signal.signal(signal.SIGTERM, lambda number, frame: self._begin(loop, end, number, frame))
        parent = multiprocessing.parent_process()
        if parent is not None:  # a worker whose parent was killed would keep the port for ever
            loop.add_reader(parent.sentinel, self._orphaned, loop, parent.sentinel, end)

    def _begin(
        self, loop: asyncio.AbstractEventLoop, end: Callable[..., Any], number: int, frame: FrameType | None
    ) -> None:
        if loop.is_closed():  # what it served has ended, and somebody else's signal comes by this handler
            end(number, frame)
        elif not self.is_on:  # a second one comes where a signal is sent to a process and to its parent
            self.is_on = True
            loop.call_soon_threadsafe(lambda: loop.call_later(self._lasts_s, end, number, frame))
            get_log("serving").info("draining: still answering, and readiness says no", seconds=self._lasts_s)

    def _orphaned(self, loop: asyncio.AbstractEventLoop, sentinel: int, end: Callable[..., Any]) -> None:
        loop.remove_reader(sentinel)
        get_log("serving").error("ending a worker, because its parent process has died")
        end(signal.SIGTERM, None)
