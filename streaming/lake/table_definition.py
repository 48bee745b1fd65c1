"""What a table holds: its columns, and the definition that its rows were written for. Another table is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable

from shared_features.definitions import difference
from shared_features.formats.offline_tables import DEFINITION, FINGERPRINT
from streaming.errors import RefusedError
from streaming.lake.tables import DeltaTables

KEEP_REMOVED_HOURS = 12
"""How long a file that was removed stays on the disk, for readers that have the table open: twice the longest step of a
training run. Every checkpoint of a log names all of them, so what it costs to open a table follows their number."""
_NAMED_HOURS = KEEP_REMOVED_HOURS + 2
"""A checkpoint that no longer names a removed file leaves it on the disk for ever, unless maintenance came first. With
equal times a tenth of the removed files stayed (seen)."""
TABLE_SETTINGS = {
    "delta.checkpointInterval": "100",
    "delta.logRetentionDuration": "interval 2 hours",
    "delta.enableExpiredLogCleanup": "true",
    "delta.deletedFileRetentionDuration": f"interval {_NAMED_HOURS} hours",
}


@dataclass(frozen=True)
class TableDefinition:
    """fingerprint: what the rows mean, stored when the table is created. A table with another fingerprint is refused.

    definition: the definition as text (`definitions.difference`), stored too, so that a refusal names what changed.
    added: columns that a table of an earlier release lacks. They are added, null in the existing rows.
    """

    schema: pa.Schema
    partition_by: tuple[str, ...] = ()
    fingerprint: str | None = None
    definition: str | None = None
    added: tuple[str, ...] = ()

    def open_or_create(self, path: Path, delta: DeltaTables) -> DeltaTable:
        """The table at a path, with the columns that it lacked."""
        if not delta.exists(path):
            stored = {FINGERPRINT: self.fingerprint, DEFINITION: self.definition}
            given = {name: value for name, value in stored.items() if value is not None}
            return delta.create(path, self.schema, self.partition_by, TABLE_SETTINGS | given)
        delta.check_commits(path)
        table = delta.open(path)
        there = pa.schema(table.schema().to_arrow()).names
        if lacking := [name for name in self.added if name not in there]:
            delta.add_columns(table, pa.schema([self.schema.field(name) for name in lacking]))
        return table

    def refuse_other(self, table: DeltaTable, name: str) -> None:
        """Raise RefusedError if a table holds something else. `name`: of the table."""
        stored = table.metadata().configuration
        if self.fingerprint is not None and stored.get(FINGERPRINT) != self.fingerprint:
            text, changed = stored.get(DEFINITION), "the definition or the allowed lateness has changed"
            if text is not None and self.definition is not None:
                changed = difference(text, self.definition)
            raise RefusedError(
                f"Table {name} was written for another definition ({stored.get(FINGERPRINT)}; this process has "
                f"{self.fingerprint}): {changed}. Raise the group's version, or move the table away"
            )
        found = pa.schema(table.schema().to_arrow()).names
        if set(found) != set(self.schema.names):
            raise RefusedError(
                f"Table {name} has other columns than this process writes. The table has {sorted(found)}, "
                f"this process writes {sorted(self.schema.names)}. Add the missing columns, or move the table away"
            )
