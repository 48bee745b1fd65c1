"""Outage: a server that a process needs is unavailable. The log says so once when it begins, and once when it ends.

While it lasts, it is among the waits of the process, which `status` shows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from streaming.job.waits import Wait
from streaming.log import Log


class Outage:
    """`away` and `back` are the two log lines; both carry `facts`. The second line also says how long the outage took.

    `settled_s`: an answer that comes sooner than this after the last failure was on its way already. It proves nothing.
    """

    def __init__(
        self,
        log: Log,
        away: str,
        back: str,
        *,
        settled_s: float = 0.0,
        clock_s: Callable[[], float] = time.monotonic,
        **facts: Any,
    ) -> None:
        self._log, self._away, self._back, self._facts = log, away, back, facts
        self._settled_s, self._clock_s = settled_s, clock_s
        self._since_s: float | None = None
        self._failed_s = 0.0
        self._wait = Wait(away, clock_s)

    def failed(self, **why: Any) -> None:
        """Call at each failure. The first one begins the outage, and `why` is logged."""
        self._failed_s = self._clock_s()
        if self._since_s is None:
            self._since_s = self._failed_s
            self._log.warning(self._away, **self._facts, **why)
            self._wait.begin(**self._facts, **why)

    def answered(self) -> None:
        """Call at each success. The first one after a failure ends the outage."""
        if self._since_s is None:
            return
        now_s = self._clock_s()
        if now_s - self._failed_s >= self._settled_s:
            self._log.info(self._back, **self._facts, unavailable_s=round(now_s - self._since_s, 1))
            self._since_s = None
            self._wait.end()
