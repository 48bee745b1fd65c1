"""Changes a table to which others append: after a conflict the later writer reads the table again and repeats.

The table is not compacted meanwhile. A compaction that a delete overtakes would leave its file on the disk: the file
would hold deleted rows, and no table's log would name the file.
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
    """Make a change on a table, and repeat it until no commit of others conflicts.

    Raises RefusedError if the conflicts, or a compaction, do not end.
    """
    with uncompacted(path):
        for tried in range(_TRIES):
            try:
                return change(DeltaTable(path))
            except CommitFailedError:
                time.sleep(random.uniform(0.01, 0.05) * (tried + 1))
    raise RefusedError(
        f"Table {path.name} cannot be changed: other programs wrote to it during each of {_TRIES} tries. Run this again"
    )


def synced_change(path: Path, change: Callable[[DeltaTable], Result]) -> Result:
    """The same, and force its commits to disk."""

    def attempt(table: DeltaTable) -> Result:
        result = change(table)
        sync_commit(path, table.version(), {})
        return result

    return changed(path, attempt)


@contextmanager
def uncompacted(path: Path) -> Iterator[None]:
    """Raises RefusedError if a compaction of the table takes too long."""
    with alone(path, PATIENCE_S) as mine:
        if not mine:
            raise RefusedError(
                f"Table {path.name} cannot be changed while the archive compacts it. Run this again in a few minutes"
            )
        yield


def purge(path: Path) -> int:
    """Delete the files that a table no longer uses, those of older versions too. Returns their number.

    Without `full`, only files that the log names as removed are deleted: never one that is about to be committed.
    """
    with uncompacted(path):
        return len(DeltaTable(path).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False))
