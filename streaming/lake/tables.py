"""Delta tables and the disk under them, in the few operations that the handle protocol and the readers need.

Everything that opens a table gets this object. To use another storage than a local disk, change this file.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    Schema,
    WriterProperties,
    write_deltalake,
)
from deltalake.transaction import Transaction

from streaming.job.outage import Outage
from streaming.job.stopping import wait
from streaming.lake.log_files import check_commits, commit_path, sync_commit
from streaming.log import Log

COMMIT_RETRIES = 50
_AFTER_COMMIT = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)
"""Maintenance deletes old commits (`lake.compaction`). The library would look for them at every commit: it reads name,
size and age of every file of the log, and where it deletes one, it reads the whole table again."""
_PACKED = ColumnProperties(dictionary_enabled=False, encoding="DELTA_BINARY_PACKED")
_PLAIN = ColumnProperties(dictionary_enabled=False)
_ROWS_OF_BYTES = 8192
"""Rows per row group if rows hold states or letters of any length, because a reader holds whole row groups."""


class DeltaTables:
    """Tables by their path."""

    def exists(self, path: Path) -> bool:
        return DeltaTable.is_deltatable(str(path))

    def open(self, path: Path) -> DeltaTable:
        """The newest version of the table."""
        return DeltaTable(path)

    def update(self, table: DeltaTable, path: Path) -> bool:
        """Bring an opened table to its newest version. Returns whether it moved.

        The library would list the whole log to find that there is nothing new. A commit has one name: the next number.
        """
        version = table.version()
        if not commit_path(path, version + 1).exists() and commit_path(path, version).exists():
            return False
        table.update_incremental()
        return table.version() != version

    def create(
        self, path: Path, schema: pa.Schema, partition_by: Sequence[str], settings: Mapping[str, str]
    ) -> DeltaTable:
        """An empty table, or the table that another process has just created."""
        path.mkdir(parents=True, exist_ok=True)
        return DeltaTable.create(
            path,
            schema=schema,
            mode="ignore",
            partition_by=list(partition_by) or None,
            configuration=dict(settings),
            raise_if_key_not_exists=False,
        )

    def add_columns(self, table: DeltaTable, columns: pa.Schema) -> None:
        """Add columns to a table, null in the existing rows. Raises if another process has just added them."""
        table.alter.add_columns(Schema.from_arrow(columns).fields)

    def check_commits(self, path: Path) -> None:
        """Raise RefusedError if a commit since the last checkpoint of a table is torn."""
        check_commits(path)

    def append(self, table: DeltaTable, rows: pa.Table, positions: Mapping[str, int], writer: WriterProperties) -> None:
        """Commit rows and positions in one step, through the handle on which the positions were compared."""
        transactions = [Transaction(app_id=app, version=version) for app, version in positions.items()]
        properties = CommitProperties(app_transactions=transactions, max_commit_retries=COMMIT_RETRIES)
        write_deltalake(
            table,
            rows,
            mode="append",
            writer_properties=writer,
            commit_properties=properties,
            post_commithook_properties=_AFTER_COMMIT,
        )

    def sync(self, path: Path, version: int, positions: Mapping[str, int], synced: int | None = None) -> None:
        """Force to disk every commit after `synced` (or the last checkpoint) up to `version`. One wrote `positions`."""
        sync_commit(path, version, positions, synced)

    def free_bytes(self, path: Path) -> int:
        """Free bytes on the disk of a table."""
        return shutil.disk_usage(path).free

    def wait(self, seconds: float) -> bool:
        """Wait while a table is unavailable. True if this process was asked to stop meanwhile."""
        return wait(seconds)


DELTA = DeltaTables()


def lake_outage(log: Log, **facts: Any) -> Outage:
    """An outage of the lake, or of the table that `facts` name: it is unavailable, or its disk is full."""
    return Outage(log, "waiting for the lake, which cannot be read", "reading the lake again", **facts)


def writer_properties(schema: pa.Schema, *, compacted: bool = False) -> WriterProperties:
    """How the columns of a table of this schema are written to Parquet; by measurement.

    Whole numbers (positions, times, ids) are near their neighbours: packed differences take half of the time of
    dictionaries and a sixth less room. Texts repeat. Of the values of features many repeat: dictionaries of them take
    14 % less room, and a reader half of the time, for a quarter more time to write them. So compacted files have them:
    each is written once and read by every dataset.
    """
    properties = {field.name: _PACKED for field in schema if pa.types.is_integer(field.type)}
    if not compacted:
        properties |= {field.name: _PLAIN for field in schema if pa.types.is_floating(field.type)}
    rows = _ROWS_OF_BYTES if any(map(pa.types.is_binary, schema.types)) else None
    return WriterProperties(
        compression="ZSTD", compression_level=1, column_properties=properties, max_row_group_size=rows
    )
