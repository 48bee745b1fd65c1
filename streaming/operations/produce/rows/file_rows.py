"""The rows of a file, one dict per row: Parquet, CSV, or JSON lines. A file is read in batches, never whole.

Nested objects become columns with dots in their names (`user.id`). A missing value is None; so is NaN, which is how
most tools write a missing number. The values of a CSV file are texts, so that no digit is lost.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from streaming.errors import RefusedError

Row = dict[str, Any]
UNREADABLE = "\0line"
"""The column that holds a line that is not a JSON object: it is sent as it is, and the stream says why not."""

_BATCH = 10_000
_KINDS = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv", ".txt": "csv",
          ".jsonl": "json", ".ndjson": "json", ".json": "json"}  # fmt: skip
_LARGEST_FIELD = 1 << 24


def file_rows(path: Path, encoding: str = "utf-8-sig") -> Iterator[Row]:
    """The rows in the order of the file. Raises RefusedError, which says what is wrong with the file."""
    suffixes = [each.lower() for each in path.suffixes if each.lower() != ".gz"]
    kind = _KINDS.get(suffixes[-1] if suffixes else "")
    if kind is None:
        raise RefusedError(f"{path.name}: give a file that ends in {', '.join(_KINDS)}; all but Parquet may end in .gz")
    if not path.is_file():
        raise RefusedError(f"There is no file {path}. Give the path of a Parquet, CSV or JSON lines file")
    try:
        yield from {"parquet": _parquet, "csv": _csv, "json": _json}[kind](path, encoding)
    except UnicodeDecodeError as error:
        raise RefusedError(
            f"{path.name} is not {error.encoding} (byte 0x{error.object[error.start]:02x}: {error.reason}). "
            "Name its encoding, for example --encoding cp1252 or --encoding utf-16"
        ) from error
    except (OSError, pa.ArrowInvalid, csv.Error) as error:
        raise RefusedError(f"{path.name} cannot be read: {error}. Look whether the file is whole") from error


def _parquet(path: Path, encoding: str) -> Iterator[Row]:
    with pq.ParquetFile(path) as file:
        _refuse_twice(path, file.schema_arrow.names)
        for batch in file.iter_batches(_BATCH):
            table = pa.Table.from_batches([batch])
            columns = [_exact(column).to_pylist() for column in table.columns]
            for values in zip(*columns, strict=True):
                yield flat_row(zip(table.column_names, values, strict=True))


def _exact(column: Any) -> Any:
    """A float32 as the shortest text that names it says; nanoseconds as microseconds, cut."""
    if pa.types.is_float32(column.type):
        given = column.to_pylist()
        return pa.array([None if each is None else float(str(np.float32(each))) for each in given], pa.float64())
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        return column.cast(pa.timestamp("us", column.type.tz), safe=False)
    return column


def _csv(path: Path, encoding: str) -> Iterator[Row]:
    csv.field_size_limit(_LARGEST_FIELD)
    with _open(path, encoding) as file:
        first = file.readline()
        rows = csv.reader(_with(first, file), delimiter=_delimiter(first))
        names = [name.strip() or f"column_{place}" for place, name in enumerate(next(rows, []), 1)]
        _refuse_twice(path, names)
        for row in rows:
            if len(row) != len(names) and row:
                raise RefusedError(
                    f"{path.name}, line {rows.line_num}, has {len(row)} values; the first line names {len(names)} "
                    "columns. Correct the line, or quote the text that holds the delimiter"
                )
            if row:
                yield {name: value if value != "" else None for name, value in zip(names, row, strict=True)}


def _refuse_twice(path: Path, names: Sequence[str]) -> None:
    """Raise RefusedError where two columns have one name: a row would hold the last of them alone."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise RefusedError(f"{path.name} has more than one column {', '.join(twice)}. Rename all but one")


def _with(first: str, rest: IO[str]) -> Iterator[str]:
    yield first
    yield from rest


def _delimiter(first: str) -> str:
    return max(",;\t|", key=first.count)


def _json(path: Path, encoding: str) -> Iterator[Row]:
    with _open(path, encoding) as file:
        for number, line in enumerate(file):
            if number == 0 and line.lstrip().startswith("["):
                raise RefusedError(f"{path.name} is one JSON array. Write one object per line: jq -c '.[]' {path.name}")
            if line.strip():
                yield _object(line.rstrip("\r\n"))


def _object(line: str) -> Row:
    try:
        found = json.loads(line, parse_float=Decimal)
    except (ValueError, RecursionError):
        found = None
    return flat_row(found.items()) if isinstance(found, Mapping) else {UNREADABLE: line}


def flat_row(items: Any, under: str = "") -> Row:
    """What nested objects hold, under names such as `http.method`."""
    row: Row = {}
    for name, value in items:
        if isinstance(value, Mapping) and value:
            row |= flat_row(value.items(), f"{under}{name}.")
        else:
            row[f"{under}{name}"] = None if isinstance(value, float | Decimal) and value != value else value
    return row


def _open(path: Path, encoding: str) -> IO[str]:
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    raw: Any = opened(path, "rb")
    return io.TextIOWrapper(raw, encoding=encoding, newline="")
