"""Delta tables and the disk under them, in the few operations that the handle protocol and the readers need.

One object, handed to whoever opens a table. What is asked of another storage than a local disk is asked here.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import ColumnProperties, CommitProperties, DeltaTable, Schema, WriterProperties, write_deltalake
from deltalake.transaction import Transaction

from streaming.job.outage import Outage
from streaming.job.stopping import wait
from streaming.lake.log_files import check_commits, sync_commit
from streaming.log import Log

COMMIT_RETRIES = 50
_PACKED = ColumnProperties(dictionary_enabled=False, encoding="DELTA_BINARY_PACKED")
_PLAIN = ColumnProperties(dictionary_enabled=False)
_ROWS_OF_BYTES = 8192
"""In a group, where rows hold states or letters, of any length: a reader holds whole groups."""


class DeltaTables:
    """Tables by their path."""

    def exists(self, path: Path) -> bool:
        return DeltaTable.is_deltatable(str(path))

    def open(self, path: Path) -> DeltaTable:
        """The table as it stands now."""
        return DeltaTable(path)

    def create(
        self, path: Path, schema: pa.Schema, partition_by: Sequence[str], settings: Mapping[str, str]
    ) -> DeltaTable:
        """An empty table; the one that another process created a moment ago, where there is one."""
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
        """Add columns to a table, null in the rows that it has. Raises where another process has just done so."""
        table.alter.add_columns(Schema.from_arrow(columns).fields)

    def check_commits(self, path: Path) -> None:
        """Raise RefusedError when a commit since the last checkpoint of a table is torn."""
        check_commits(path)

    def append(self, table: DeltaTable, rows: pa.Table, positions: Mapping[str, int], writer: WriterProperties) -> None:
        """Commit rows and positions in one step, through the handle on which the positions were compared."""
        transactions = [Transaction(app_id=app, version=version) for app, version in positions.items()]
        properties = CommitProperties(app_transactions=transactions, max_commit_retries=COMMIT_RETRIES)
        write_deltalake(table, rows, mode="append", writer_properties=writer, commit_properties=properties)

    def sync(self, path: Path, version: int, positions: Mapping[str, int], synced: int | None = None) -> None:
        """Force to disk every commit after `synced`, or the last checkpoint, up to a version; one wrote these."""
        sync_commit(path, version, positions, synced)

    def free_bytes(self, path: Path) -> int:
        """Room on the disk of a table."""
        return shutil.disk_usage(path).free

    def wait(self, seconds: float) -> bool:
        """Let time pass while tables are away; whether we were asked to stop meanwhile."""
        return wait(seconds)


DELTA = DeltaTables()


def lake_outage(log: Log, **facts: Any) -> Outage:
    """The lake, or a table of it that `facts` name, is away or its disk is full."""
    return Outage(log, "the lake is away; waiting for it", "the lake is back", **facts)


def writer_properties(schema: pa.Schema) -> WriterProperties:
    """How the columns of a table of this schema are written to Parquet, in compacted files too; by measurement.

    Whole numbers (positions, times, ids) are near their neighbours: packed differences take half of the time of
    dictionaries and a sixth less room. Values of features rarely repeat: dictionaries of them would save 7 % of the
    bytes for half of the time more. Texts repeat.
    """
    properties = {field.name: _PACKED for field in schema if pa.types.is_integer(field.type)}
    properties |= {field.name: _PLAIN for field in schema if pa.types.is_floating(field.type)}
    rows = _ROWS_OF_BYTES if any(map(pa.types.is_binary, schema.types)) else None
    return WriterProperties(
        compression="ZSTD", compression_level=1, column_properties=properties, max_row_group_size=rows
    )
