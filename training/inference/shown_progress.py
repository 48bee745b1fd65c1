"""The progress of a command on standard error: one line that changes on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from shared_features.counted import counted

_EVERY_S = 10.0


class ShownProgress:
    """A Tell: how many rows are done, how fast, and how long the others take."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream or sys.stderr, clock
        self._began_s = clock()
        self._said_s, self._width = self._began_s, 0

    def __call__(self, says: str, part: int = 0, of: int = 0) -> None:
        now_s = self._clock()
        took_s = max(now_s - self._began_s, 1e-9)
        line = f"{says} of {of:,}, {part / took_s:,.0f} rows/s"
        if part < of:
            line += f", {counted(round(took_s * (of - part) / max(part, 1)), 'second')} left"
        if self._stream.isatty():
            self._stream.write("\r" + line.ljust(self._width))
            self._width = len(line)
        elif part < of and now_s - self._said_s >= _EVERY_S:
            self._stream.write(line + "\n")
            self._said_s = now_s
        self._stream.flush()

    def end(self) -> None:
        """Leave the line, where there is one."""
        if self._width:
            self._stream.write("\n")
