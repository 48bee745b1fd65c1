"""The progress of a step: what it does now, and how much of it is done. For the log, and for everybody who looks on."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

PROGRESS_FILES = "*.progress.json"
"""In the folder of a run: one for each step that is being done, because steps may be done side by side."""
_LOG = structlog.get_logger(part="step")


class Tell(Protocol):
    """Called with what is done now, such as "fitting random_forest", and which part of how many that is."""

    def __call__(self, says: str, part: int = 0, of: int = 0) -> None: ...


def untold(says: str, part: int = 0, of: int = 0) -> None:
    """Where nobody looks on."""


class Doing(msgspec.Struct, frozen=True):
    """A step that is being done. since_us: since when it does the step. of: 0 where parts are not counted."""

    step: str
    since_us: int
    says: str = ""
    part: int = 0
    of: int = 0

    def describe(self, now_us: int) -> str:
        """In a few words. Seconds in steps of ten, so that few texts differ."""
        says = f": {self.says}" if self.says else ""
        parts = f" ({self.part} of {self.of})" if self.of else ""
        seconds = (now_us - self.since_us) // 10_000_000 * 10
        return f"step {self.step}{says}{parts}" + (f", {seconds} s" if seconds > 0 else "")


class StepProgress:
    """A Tell that keeps a file of the step in the run's folder while it is done. Without a folder it only logs."""

    def __init__(self, run: Path, step: str) -> None:
        self._file = run / PROGRESS_FILES.replace("*", step)
        self._step, self._since_us = step, time.time_ns() // 1000
        self._write(Doing(step, self._since_us))

    def __call__(self, says: str, part: int = 0, of: int = 0) -> None:
        parts = {"part": f"{part} of {of}"} if of else {}
        _LOG.info(says, step=self._step, seconds=round(time.time() - self._since_us / 1e6, 1), **parts)
        self._write(Doing(self._step, self._since_us, says, part, of))

    def end(self) -> None:
        """The step is done, or has failed."""
        with suppress(OSError):
            self._file.unlink()

    def _write(self, doing: Doing) -> None:
        with suppress(OSError):  # an erasure removed the folder; the step says so itself
            behind = self._file.with_name(f".{self._file.name}")
            behind.write_bytes(msgspec.json.encode(doing))
            behind.replace(self._file)
