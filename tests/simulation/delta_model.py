"""Delta tables in memory: versions, application transactions compared the way delta-rs does, failures on both sides.

What delta-rs does with them is measured, see `streaming.lake.handle`: a commit through a handle conflicts with any
commit since the handle's version that wrote one of the same application ids, and with no other; versions of an id are
not compared. `tests/simulation/test_models.py` holds the model against delta-rs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable, WriterProperties
from deltalake.exceptions import CommitFailedError
from numpy.typing import NDArray

from streaming.lake.tables import DeltaTables
from tests.simulation.chances import Chances

_NUMBER = re.compile(r"(?<!\w)-?\d+")
_COMPARISON = re.compile(r'"?(\w+)"? (>=|<=|=|>|<) (n\[\d+\])')
_LISTED = re.compile(r'"?(\w+)"? IN \(([^)]*)\)')


class Rows:
    """A table, its columns as arrays once they were asked for."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self._columns: dict[str, NDArray[Any]] = {}

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._columns:
            self._columns[name] = self.table[name].to_numpy()
        return self._columns[name]


@dataclass(frozen=True)
class Version:
    """A table after one commit: its files, all positions, and the ids that this commit wrote."""

    files: tuple[Rows, ...]
    positions: Mapping[str, int]
    wrote: frozenset[str]
    removed: bool = False

    @cached_property
    def rows(self) -> Rows:
        return Rows(pa.concat_tables([each.table for each in self.files]).combine_chunks())

    @cached_property
    def add_actions(self) -> pa.Table:
        files, names = [each for each in self.files if len(each)], self.files[0].table.schema.names
        found: dict[str, Any] = {"num_records": [len(each) for each in files]}
        if "arrival_time_us" in names:
            found["min.arrival_time_us"] = [each["arrival_time_us"].min() for each in files]
            found["max.arrival_time_us"] = [each["arrival_time_us"].max() for each in files]
        if "cut_us" in names:
            found["partition.cut_us"] = [each["cut_us"][0] for each in files]
        return pa.table({name: pa.array(np.array(values, np.int64)) for name, values in found.items()})


class Log:
    """What is stored of a table."""

    def __init__(self, schema: pa.Schema, settings: Mapping[str, str]) -> None:
        self.schema, self.settings = schema, dict(settings)
        self.versions = [Version((_empty(schema),), {}, frozenset())]


class Handle:
    """A table as of one version: what `deltalake.DeltaTable` offers of it and streaming uses."""

    def __init__(self, log: Log, chances: Chances) -> None:
        self.log, self._chances = log, chances
        self.at = len(log.versions) - 1

    def version(self) -> int:
        return self.at

    def update_incremental(self) -> None:
        self._chances.point()
        if self._chances.fault("Delta: a look failed", 0.5):
            raise OSError("the disk is away")
        self.at = len(self.log.versions) - 1

    def transaction_version(self, app: str) -> int | None:
        return self._now.positions.get(app)

    def metadata(self) -> SimpleNamespace:
        return SimpleNamespace(configuration=self.log.settings)

    def schema(self) -> SimpleNamespace:
        return SimpleNamespace(to_arrow=lambda: self.log.schema)

    def scan(self, columns: Sequence[str], predicate: str) -> pa.Table:
        self._chances.point()
        if self._chances.fault("Delta: a scan failed", 0.5):
            raise OSError("the disk is away")
        rows = self._now.rows
        return rows.table.select(list(columns)).filter(pa.array(meeting(rows, predicate)))

    def get_add_actions(self, flatten: bool) -> pa.Table:
        return self._now.add_actions

    def delete(self, predicate: str) -> None:
        """Drop the files all of whose rows meet a condition; conflicts with whoever removed files meanwhile."""
        self._chances.point()
        if any(each.removed for each in self.log.versions[self.at + 1 :]):
            raise CommitFailedError("Failed to commit transaction: concurrent delete")
        newest = self.log.versions[-1]
        kept = tuple(each for each in newest.files if not len(each) or not meeting(each, predicate).all())
        self._commit(Version(kept, newest.positions, frozenset(), removed=True))

    def append(self, rows: pa.Table, positions: Mapping[str, int]) -> None:
        self._chances.point()
        if self._chances.fault("Delta: failed before the commit"):
            raise OSError("the disk is away")
        if any(each.wrote & positions.keys() for each in self.log.versions[self.at + 1 :]):
            self._chances.counts["Delta: conflict"] += 1
            raise CommitFailedError("Failed to commit transaction: Concurrent transaction failed.")
        newest = self.log.versions[-1]
        files = (*newest.files, Rows(rows)) if rows.num_rows else newest.files
        at = self.at
        self._commit(Version(files, {**newest.positions, **positions}, frozenset(positions)))
        if self._chances.fault("Delta: failed after the commit"):
            self.at = at
            raise OSError("the checkpoint could not be written")

    def _commit(self, version: Version) -> None:
        self.log.versions.append(version)
        self.at = len(self.log.versions) - 1

    @property
    def _now(self) -> Version:
        return self.log.versions[self.at]


class ModelTables(DeltaTables):
    """A lake in memory."""

    def __init__(self, chances: Chances) -> None:
        self._chances = chances
        self.logs: dict[Path, Log] = {}

    def exists(self, path: Path) -> bool:
        self._chances.point()
        return path in self.logs

    def open(self, path: Path) -> DeltaTable:
        self._chances.point()
        if self._chances.fault("Delta: could not be opened", 0.5):
            raise OSError("the disk is away")
        return cast(DeltaTable, Handle(self.logs[path], self._chances))

    def update(self, table: DeltaTable, path: Path) -> bool:
        version = table.version()
        table.update_incremental()
        return table.version() != version

    def create(
        self, path: Path, schema: pa.Schema, partition_by: Sequence[str], settings: Mapping[str, str]
    ) -> DeltaTable:
        self._chances.point()
        self.logs.setdefault(path, Log(schema, settings))
        return cast(DeltaTable, Handle(self.logs[path], self._chances))

    def check_commits(self, path: Path) -> None:
        """Power is never lost here."""

    def append(self, table: DeltaTable, rows: pa.Table, positions: Mapping[str, int], writer: WriterProperties) -> None:
        cast(Handle, table).append(rows, positions)

    def sync(self, path: Path, version: int, positions: Mapping[str, int], synced: int | None = None) -> None:
        self._chances.point()
        if self._chances.fault("Delta: not forced to disk", 0.5):
            raise OSError("the disk is away")

    def free_bytes(self, path: Path) -> int:
        return 0 if self._chances.fault("Delta: disk full", 0.5) else 1 << 40

    def wait(self, seconds: float) -> bool:
        self._chances.point()
        return False

    def rows(self, path: Path) -> pa.Table | None:
        """All that a table holds."""
        return self.logs[path].versions[-1].rows.table if path in self.logs else None


def meeting(rows: Rows, predicate: str) -> NDArray[np.bool_]:
    """bool[n]: the rows that meet a condition of comparisons with whole numbers, IN, AND, OR and parentheses."""
    numbers: list[int] = []

    def place(found: re.Match[str]) -> str:
        numbers.append(int(found[0]))
        return f"n[{len(numbers) - 1}]"

    condition = _condition(_NUMBER.sub(place, predicate))
    return cast(NDArray[np.bool_], np.asarray(eval(condition, {"rows": rows, "n": numbers, "isin": np.isin}), np.bool_))


@cache
def _condition(said: str) -> CodeType:
    """What a condition says of `rows` and its numbers `n`: few texts, and compiling one takes long."""
    said = _LISTED.sub(r'isin(rows["\1"], [\2])', said)
    said = _COMPARISON.sub(lambda m: f'(rows["{m[1]}"] {"==" if m[2] == "=" else m[2]} {m[3]})', said)
    return compile(said.replace(" AND ", " & ").replace(" OR ", " | "), "a condition", "eval")


@cache
def _empty(schema: pa.Schema) -> Rows:
    return Rows(schema.empty_table())
