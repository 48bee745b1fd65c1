"""A bounded share of a core for a process, by a control group: servers are compared while their client has room."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from types import TracebackType

_ROOT = Path("/sys/fs/cgroup")
_PERIOD_US = 10_000


class CoreShare:
    """A control group whose processes get at most `share` of one core, in periods of 10 ms. It goes with the block."""

    def __init__(self, share: float) -> None:
        self._quota_us = int(share * _PERIOD_US)
        self._folder = _parent() / f"millrace-bench-{os.getpid()}-{id(self)}"

    @staticmethod
    def missing() -> str | None:
        """Why this machine has none, or None."""
        return None if os.access(_parent(), os.W_OK) else f"{_parent()} cannot be written: no control groups here"

    def __enter__(self) -> CoreShare:
        self._folder.mkdir()
        if (self._folder / "cpu.max").exists():
            (self._folder / "cpu.max").write_text(f"{self._quota_us} {_PERIOD_US}")
        else:
            (self._folder / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (self._folder / "cpu.cfs_quota_us").write_text(str(self._quota_us))
        return self

    def hold(self, process_id: int) -> None:
        (self._folder / "cgroup.procs").write_text(str(process_id))

    def __exit__(self, *_: type[BaseException] | TracebackType | BaseException | None) -> None:
        for process_id in (self._folder / "cgroup.procs").read_text().split():
            _let_go(process_id)
        until_s = time.monotonic() + 5
        while self._folder.exists():
            try:
                self._folder.rmdir()
            except OSError as error:
                if error.errno != errno.EBUSY or time.monotonic() > until_s:
                    raise
                time.sleep(0.05)


def _parent() -> Path:
    """The controller `cpu` of version 1 where it is mounted, else the one tree of version 2."""
    return _ROOT / "cpu" if (_ROOT / "cpu").is_dir() else _ROOT


def _let_go(process_id: str) -> None:
    try:
        (_parent() / "cgroup.procs").write_text(process_id)
    except ProcessLookupError:  # it has ended meanwhile
        return
