"""A closed pipe: what reads the output of a program has ended, as with `| head`. No traceback follows."""

from __future__ import annotations

import functools
import os
import select
import sys
from collections.abc import Callable
from typing import TextIO

EXIT_CLOSED_PIPE = 141
"""As a shell reports a program that SIGPIPE ended: 128 + 13."""


def ends_with_its_reader(main: Callable[..., int]) -> Callable[..., int]:
    """`main`, with exit code 141 instead of a BrokenPipeError of standard output or standard error."""

    @functools.wraps(main)
    def ending(*arguments: object) -> int:
        try:
            try:
                return main(*arguments)
            finally:
                sys.stdout.flush()  # here and not at the end of the process, where nobody can catch it
        except BrokenPipeError as error:
            return end_quietly(error)

    return ending


def end_quietly(error: BrokenPipeError) -> int:
    """Send what is still to be printed to nowhere; the exit code. Raises the error if it is not of our output."""
    closed = [stream for stream in (sys.stdout, sys.stderr) if _has_no_reader(stream)]
    if not closed:
        raise error
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in closed:
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    return EXIT_CLOSED_PIPE


def _has_no_reader(stream: TextIO) -> bool:
    poll = select.poll()
    poll.register(stream.fileno(), select.POLLOUT)
    return any(event & select.POLLERR for _, event in poll.poll(0))
