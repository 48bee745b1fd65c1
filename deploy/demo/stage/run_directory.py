"""The directory of one run of the demo: `var/demo/<time stamp>`, locked while the run lives; the last three stay."""

from __future__ import annotations

import fcntl
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

KEPT = 3
_LOCK = ".running"


class RunDirectory:
    """`path` holds lake, registry, training, redis, kafka and logs of this run."""

    def __init__(self, runs: Path) -> None:
        runs.mkdir(parents=True, exist_ok=True)
        self.path = _create(runs)
        self._lock: IO[str] = (self.path / _LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for name in ("logs", "lake", "registry"):
            (self.path / name).mkdir()
        forget_old(runs)

    @property
    def name(self) -> str:
        return self.path.name

    def log(self, program: str) -> Path:
        return self.path / "logs" / f"{program}.log"

    def close(self) -> None:
        """The run is over: a later one may remove the directory."""
        self._lock.close()


def forget_old(runs: Path, kept: int = KEPT) -> None:
    """Remove all but the newest runs, except those that are still running."""
    ours = sorted(each for each in runs.iterdir() if (each / _LOCK).exists())
    for path in ours[:-kept]:
        if not _is_running(path):
            shutil.rmtree(path, ignore_errors=True)


def _create(runs: Path) -> Path:
    stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    number = 1
    while True:
        path = runs / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
        else:
            return path


def _is_running(path: Path) -> bool:
    with (path / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
