"""Changing a table that others append to and compact: whoever comes second looks again.

Nobody compacts it meanwhile: a compaction that a delete overtakes would leave its file on the disk, with what was
deleted and in no table's log.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from streaming.errors import RefusedError
from streaming.lake.compaction import alone
from streaming.lake.log_files import sync_commit

PATIENCE_S = 60.0
_TRIES = 60
Result = TypeVar("Result")


def changed(path: Path, change: Callable[[DeltaTable], Result]) -> Result:
    """Make a change on a table opened for it, as often as it takes against the commits of others.

    RefusedError when there is no end of them, or of a compaction.
    """
    with uncompacted(path):
        for tried in range(_TRIES):
            try:
                return change(DeltaTable(path))
            except CommitFailedError:
                time.sleep(random.uniform(0.01, 0.05) * (tried + 1))
    raise RefusedError(f"table {path.name} was written by others at each of {_TRIES} tries; run this again")


def synced_change(path: Path, change: Callable[[DeltaTable], Result]) -> Result:
    """The same, and its commits are forced to disk."""

    def attempt(table: DeltaTable) -> Result:
        result = change(table)
        sync_commit(path, table.version(), {})
        return result

    return changed(path, attempt)


@contextmanager
def uncompacted(path: Path) -> Iterator[None]:
    """RefusedError where the table is being compacted for long."""
    with alone(path, PATIENCE_S) as mine:
        if not mine:
            raise RefusedError(f"table {path.name} is being compacted by the archive; run this again in a few minutes")
        yield


def purge(path: Path) -> int:
    """Delete what a table no longer holds, older versions too; returns how many files went.

    Without `full`, only files that the log says are removed are looked at: never one that is about to be committed.
    """
    with uncompacted(path):
        return len(DeltaTable(path).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False))
