"""Reads rows of a Delta table batch by batch. If the lake becomes unavailable meanwhile, an OSError is raised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
from deltalake import DeltaTable

_UNREAD = "Object Store error"
_CUT_OFF = "Requested range was invalid"  # the file is shorter than the log says: waiting does not help


def scanned(table: DeltaTable, columns: Sequence[str], predicate: str) -> Iterator[pa.RecordBatch]:
    """The rows that satisfy a condition. Raises OSError if a file of the table cannot be read.

    The log was read before, the data is read now: through Arrow's interface, which reports every error as ArrowInvalid.
    """
    try:
        yield from pa.RecordBatchReader.from_stream(table.scan(columns=list(columns), predicate=predicate))
    except pa.ArrowInvalid as error:
        if _UNREAD in str(error) and _CUT_OFF not in str(error):
            raise OSError(str(error)) from error
        raise


def quoted(column: str) -> str:
    """A column's name, quoted for a condition, even if the name is a word of SQL."""
    return '"' + column.replace('"', '""') + '"'


def sql_text(text: str) -> str:
    """A text, quoted for a condition."""
    return "'" + text.replace("'", "''") + "'"
