"""The directories of the demo's runs: `var/demo/<time stamp>`, each that of a stack. The last three stay."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from deploy.local.stack.stack_directory import StackDirectory

KEPT = 3


def begin_run(runs: Path, number: int = 1) -> StackDirectory:
    """A new one. number: among those of this second."""
    stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    directory = StackDirectory(runs / (stamp if number == 1 else f"{stamp}-{number}"))
    try:
        directory.path.mkdir(parents=True)
    except FileExistsError:
        return begin_run(runs, number + 1)
    directory.create()
    return directory


def forget_old(runs: Path, kept: int = KEPT) -> None:
    """Remove all but the newest runs, except those that are still running."""
    ours = sorted((each for each in map(StackDirectory, runs.iterdir()) if each.is_there), key=lambda each: each.path)
    for directory in ours[:-kept]:
        if directory.supervisor() is None:
            shutil.rmtree(directory.path, ignore_errors=True)
