"""The log of a step: what its process printed while it did the step, in a file of the run's folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SHOWN_BYTES = 64 * 1024


@contextmanager
def logged(run: Path, step: str) -> Iterator[None]:
    """Inside the block standard output and standard error go to the log, and afterwards to where they went before.

    A process that is killed leaves what it has printed.
    """
    if not run.is_dir():
        yield  # the step itself says that the run is gone
        return
    sys.stderr.flush()
    with _file(run, step).open("ab") as file:
        begun, before = file.tell(), os.dup(2)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(before, 1)
            os.dup2(before, 2)
            os.close(before)
            sys.stderr.write(_file(run, step).read_bytes()[begun:].decode(errors="replace"))


def read_log(run: Path, step: str) -> str:
    """The end of it, 64 KiB at most; empty where the step printed nothing, or its folder is gone."""
    try:
        with _file(run, step).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _SHOWN_BYTES))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def _file(run: Path, step: str) -> Path:
    return run / f"{step}.log"
