"""Deleting from the disk what a table no longer holds."""

from __future__ import annotations

from pathlib import Path

from deltalake import DeltaTable

from streaming.lake.changes import uncompacted


def purge(path: Path) -> int:
    """Delete what a table no longer holds, older versions too; returns how many files went.

    Without `full`, only files that the log says are removed are looked at: never one that is about to be committed.
    """
    with uncompacted(path):
        return len(DeltaTable(path).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False))
