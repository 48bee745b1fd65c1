"""Ctrl-C and SIGTERM: an exception in the main thread, from wherever it is, so that everything is cleaned up."""

from __future__ import annotations

import signal
from types import FrameType


class Interrupted(BaseException):
    """Somebody asked the program to end. No Exception, so that nothing on the way takes it for a fault."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


class Interruption:
    """What was asked. A first signal raises `Interrupted`; a second one, during the clean-up, makes it shorter:
    `BackgroundProcess.stop` then kills the process it was waiting for, and the clean-up continues with the next one.
    """

    def __init__(self) -> None:
        self.number: int | None = None

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def check(self) -> None:
        """Raise what was asked: an exception that a signal raised may have been lost inside a library's callback."""
        if self.number is not None:
            raise Interrupted(self.number)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        raise Interrupted(number)
