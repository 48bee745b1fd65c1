"""A clock that runs ahead of the machine's, for a child process that ages a day in minutes (`shifted_clock.c`)."""

from __future__ import annotations

import mmap
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

_SOURCE = Path(__file__).with_suffix(".c")
_VARIABLE = "SHIFTED_CLOCK"
_BYTES = 8


class ShiftedClock:
    """In the child: how far its time of day runs ahead. Every library of the process sees it, not only Python."""

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as shared:
            self._shared = mmap.mmap(shared.fileno(), _BYTES)

    @classmethod
    def own(cls) -> Self:
        """The clock of this process, which was started with `environment`."""
        clock = cls(Path(os.environ[_VARIABLE]))
        before_s = time.time()
        clock.forward(3600)
        if time.time() - before_s < 3600:
            raise RuntimeError("the clock of this process cannot be moved; is LD_PRELOAD respected?")
        return clock

    def forward(self, seconds: int) -> None:
        """Move on by whole seconds."""
        shift_ns = int.from_bytes(self._shared[:_BYTES], "little", signed=True) + seconds * 1_000_000_000
        self._shared[:_BYTES] = shift_ns.to_bytes(_BYTES, "little", signed=True)


def environment(folder: Path) -> Mapping[str, str]:
    """What a child needs in its environment. Compiles the clock into the folder."""
    if (compiler := shutil.which("cc")) is None:
        raise RuntimeError("a clock that runs ahead has to be compiled: install a C compiler (cc)")
    library, file = folder / "shifted_clock.so", folder / "shift"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(_SOURCE)], check=True)
    file.write_bytes(bytes(_BYTES))
    return {"LD_PRELOAD": str(library), _VARIABLE: str(file)}
