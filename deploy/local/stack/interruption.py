"""Ctrl-C and SIGTERM: an exception in the main thread, from wherever it is, so that everything is cleaned up."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType

from shared_features.closed_pipe import end_quietly


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


def interruptible(program: Callable[[Interruption], int]) -> int:
    """The exit code of a whole program: its own, 128 + the signal's number when it was asked to end, or 141 if nobody
    reads what is printed any more.
    """
    interruption = Interruption()
    interruption.install()
    try:
        try:
            return program(interruption)
        finally:
            sys.stdout.flush()
    except Interrupted as asked:
        return asked.exit_code
    except BrokenPipeError as error:
        return end_quietly(error)
