"""The line that says what a command waits for: it changes in place on a screen, elsewhere each new text is a line."""

from __future__ import annotations

import time
from typing import TextIO

_CLEAR = "\r\x1b[2K"
_CUT, _FOLD = "\x1b[?7l", "\x1b[?7h"
"""A line that is longer than the screen is cut: one that is folded could not be drawn again in place."""


class WaitingLine:
    """limit_s: how long is waited at most."""

    def __init__(self, out: TextIO, limit_s: float) -> None:
        self._out, self._limit_s = out, limit_s
        self._began_s, self._said = time.monotonic(), ""

    def show(self, says: str) -> None:
        """What is waited for now."""
        waited_s = time.monotonic() - self._began_s
        text = f"waiting, {waited_s:.0f} of {self._limit_s:.0f} s: {says}"
        if self._out.isatty():
            self._out.write(f"{_CLEAR}{_CUT}{text}{_FOLD}")
        elif says != self._said:
            self._out.write(text + "\n")
        self._said = says
        self._out.flush()

    def end(self) -> None:
        """Nothing is waited for any more."""
        if self._said and self._out.isatty():
            self._out.write(_CLEAR)
            self._out.flush()
