"""Changing a table and deleting from the disk what it no longer holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from deltalake import DeltaTable

from streaming.delta_changes import changed, uncompacted
from streaming.delta_log import sync_commit


def synced_change(path: Path, change: Callable[[DeltaTable], int]) -> int:
    """Make a change, as often as it takes against the commits of others; returns how many rows went."""
    gone = 0

    def attempt(table: DeltaTable) -> None:
        nonlocal gone
        gone += change(table)
        sync_commit(path, table.version(), {})

    changed(path, attempt)
    return gone


def purge(path: Path) -> int:
    """Delete from the disk what a table no longer holds, older versions too; returns how many files went.

    Without `full`, only files that the log says are removed are looked at: never one that is about to be committed.
    """
    with uncompacted(path):
        return len(DeltaTable(path).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False))
