"""Rows of a Delta table as they are read, batch by batch; a lake that goes away meanwhile is an OSError."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
from deltalake import DeltaTable

_UNREAD = "Object Store error"
_CUT_OFF = "Requested range was invalid"  # there, but shorter than the log says: no wait brings it back


def scanned(table: DeltaTable, columns: Sequence[str], predicate: str) -> Iterator[pa.RecordBatch]:
    """The rows that meet a condition; OSError when a file of the table cannot be read.

    The log is read before, the data only now: by Arrow's interface, where every error has the kind of a wrong value.
    """
    try:
        yield from pa.RecordBatchReader.from_stream(table.scan(columns=list(columns), predicate=predicate))
    except pa.ArrowInvalid as error:
        if _UNREAD in str(error) and _CUT_OFF not in str(error):
            raise OSError(str(error)) from error
        raise


def quoted(column: str) -> str:
    """A column's name for a condition, whatever word of SQL it is."""
    return '"' + column.replace('"', '""') + '"'


def sql_text(text: str) -> str:
    """A text for a condition."""
    return "'" + text.replace("'", "''") + "'"
