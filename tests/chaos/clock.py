"""Clocks that step: a small library under a process (LD_PRELOAD) adds an offset to its time of day.

Nothing of the product knows of it, and nobody has to be root. Only the time of day steps: the monotonic clock goes on,
as a real one does. (libfaketime was tried: under it Python's `time.sleep` ends in EINVAL.)
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

_SOURCE = Path(__file__).with_name("stepping_clock.c")


class SteppingClock:
    """The time of day of the processes that are started with `environment`; `library` as `build_library` made it."""

    def __init__(self, file: Path, library: Path | None) -> None:
        self._file, self._library = file, library
        file.write_bytes(bytes(8))

    @property
    def environment(self) -> dict[str, str]:
        """What a process has to be started with; empty without a library."""
        if self._library is None:
            return {}
        return {"LD_PRELOAD": str(self._library), "CHAOS_CLOCK_OFFSET": str(self._file)}

    def step_to(self, ahead_s: float) -> None:
        """From now on so many seconds ahead of the machine's time of day."""
        with self._file.open("r+b") as file:  # in place: it is mapped
            file.write(struct.pack("=q", int(ahead_s * 1e9)))


def missing() -> list[str]:
    """What keeps clocks from stepping here, as sentences; empty when nothing does."""
    if sys.platform != "linux":
        return ["Clocks step on Linux only."]
    return [] if shutil.which("cc") else ["There is no C compiler `cc` on the path: install gcc or clang."]


def build_library(folder: Path) -> Path | None:
    """The library, compiled into the folder; None where that is not possible."""
    if missing():
        return None
    library = folder / "stepping_clock.so"
    command = ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(_SOURCE), "-ldl", "-pthread"]
    subprocess.run(command, check=True, env=dict(os.environ))
    return library
