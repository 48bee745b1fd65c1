"""Compaction: rewrites many small files into few large ones, and deletes files and commits that no reader needs.

Compaction, and a vacuum of files that were removed half a day ago, conflict with no writer. A compaction conflicts with
another compaction: Delta accepts two compactions of the same files at the same time, and then every row of the files is
stored twice (seen with deltalake 1.6.6, with and without application transactions). So a table is compacted under a
lock, with a handle that was opened under the lock. An erasure holds the lock too: a compaction that the erasure
overtook would leave a file with erased rows. `vacuum(full=True)` is never used, because it would also delete files that
are about to be committed.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pyarrow as pa
from deltalake import DeltaTable

from shared_features.formats.offline_tables import ARRIVAL_DATE
from streaming.lake.log_files import sync_commit
from streaming.lake.table_definition import KEEP_REMOVED_HOURS
from streaming.lake.tables import writer_properties
from streaming.log import get_log

CROWDED_FILES = 20
"""With this many small files, a partition is worth rewriting."""
SMALL_BYTES = 32 << 20
TIERS = (1 << 20, 8 << 20, SMALL_BYTES)
"""Where rows still arrive, only files of one tier are rewritten together, into files of the next one. So a row is
rewritten once per tier. Otherwise the large file of the day would be rewritten every time, for the few new rows."""
_LOOK_S = 0.1
_LOG = get_log("maintenance")


def tend(lake: Path) -> None:
    """Compact and clean every table of the lake. A table that fails is logged, and tried again at the next time."""
    try:
        paths = sorted(lake.glob("*/_delta_log"))
    except OSError as error:
        _LOG.warning("failed to read the lake, trying again later", error=str(error))
        return
    for path in paths:
        try:
            compacted = compact(path.parent)
            deleted = _clean(path.parent)
        except Exception as error:
            _LOG.warning("failed to maintain a table, trying again later", table=path.parent.name, error=str(error))
        else:
            if compacted or deleted:
                _LOG.info("maintained a table", table=path.parent.name, compacted=compacted, deleted=len(deleted))


def compact(path: Path, crowded: int = CROWDED_FILES) -> int:
    """Rewrite the partitions that have many small files. Returns how many files were removed."""
    with alone(path) as mine:
        if not mine:
            return 0
        table = DeltaTable(path)  # one for all: opening a table reads the names of all files that it has removed
        removed = _compact(table, crowded)
        if removed:
            sync_commit(path, table.version(), {})
        return removed


@contextmanager
def alone(path: Path, wait_s: float = 0.0) -> Iterator[bool]:
    """Hold the table's compaction lock, in all processes. True if the lock is held. The lock ends with its process."""
    until = time.monotonic() + wait_s
    with (path.parent / f".{path.name}.compacted").open("w") as lock:
        while not (mine := _locked(lock)) and time.monotonic() < until:
            time.sleep(_LOOK_S)
        yield mine


def _locked(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _clean(path: Path) -> list[str]:
    """Delete the files that were removed long ago, and the old commits that a checkpoint contains. Returns the files.

    A table of an earlier release says that the files are kept for longer.
    """
    table = DeltaTable(path)
    files = table.vacuum(retention_hours=KEEP_REMOVED_HOURS, enforce_retention_duration=False, dry_run=False)
    table.cleanup_metadata()
    return files


def _compact(table: DeltaTable, crowded: int) -> int:
    if table.metadata().partition_columns != [ARRIVAL_DATE]:
        return _compact_growing(table, None, crowded)
    small = {str(date): len(sizes) for date, sizes in _small_files(table).items()}
    if not small:
        return 0
    newest = max(small)
    removed = _compact_growing(table, newest, crowded)
    for date, count in sorted(small.items()):
        if date != newest and count >= 2:  # a closed day ends as few files
            removed += _rewrite(table, date, None)
    return removed


def _compact_growing(table: DeltaTable, date: str | None, crowded: int) -> int:
    """Rewrite each tier of which there are many files: of a day, or of a table that has no days."""
    removed = 0
    for tier in TIERS:
        sizes = _small_files(table).get(date, [])
        if sum(size < tier for size in sizes) >= crowded:
            removed += _rewrite(table, date, tier)
    return removed


def _small_files(table: DeltaTable) -> dict[str | None, list[int]]:
    """The sizes of the small files by their day, None for a table that has no days."""
    files = pa.table(table.get_add_actions(flatten=True))
    days = f"partition.{ARRIVAL_DATE}"
    dates = files[days].to_pylist() if days in files.column_names else [None] * files.num_rows
    found: dict[str | None, list[int]] = {}
    for date, size in zip(dates, files["size_bytes"].to_pylist(), strict=True):
        if size < SMALL_BYTES:
            found.setdefault(date, []).append(size)
    return found


def _rewrite(table: DeltaTable, date: str | None, target_bytes: int | None) -> int:
    writer = writer_properties(pa.schema(table.schema().to_arrow()), compacted=True)
    partition = None if date is None else [(ARRIVAL_DATE, "=", date)]
    metrics = table.optimize.compact(partition_filters=partition, target_size=target_bytes, writer_properties=writer)
    return int(metrics["numFilesRemoved"])
