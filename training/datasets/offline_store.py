"""The offline store as training reads it: Delta tables, each pinned at one version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from numpy.typing import NDArray

from shared_features.definitions import EventSource, FeatureGroup, difference, events_difference
from shared_features.formats.offline_tables import (
    CUT_APP,
    DEFINITION,
    ERASURES_APP,
    ERASURES_TABLE,
    FINGERPRINT,
    KEPT_FROM_APP,
    events_table,
    features_table,
)
from training.errors import DatasetError, NotStoredError

if TYPE_CHECKING:
    import polars as pl  # at run time where rows are read: a run that skips all of its steps reads none


LINE = "line"
"""The number of a row among all rows of a table."""


@dataclass(frozen=True)
class TableVersion:
    """One version of a table. table_id: a table that was re-created under its old name has another one."""

    table_id: str
    version: int


@dataclass(frozen=True)
class PinnedTable:
    """One Delta table at one version: whatever is appended or compacted later, its rows stay these."""

    name: str
    table: DeltaTable

    @property
    def version(self) -> int:
        return int(self.table.version())

    @property
    def pinned_version(self) -> TableVersion:
        return TableVersion(str(self.table.metadata().id), self.version)

    @property
    def files(self) -> list[str]:
        """The data files of this version, relative to the table, sorted."""
        root = self.table.table_uri.rstrip("/") + "/"
        return sorted(
            uri.removeprefix(root).removeprefix(root.removeprefix("file://")) for uri in self.table.file_uris()
        )

    @property
    def cut_us(self) -> int:
        """The arrival watermark up to which the table's feature rows are complete, microseconds."""
        cut = self.table.transaction_version(CUT_APP)
        if cut is None:
            raise NotStoredError(
                f"Table {self.name!r} has no cut yet. Materialize has not finished its first pass. Run "
                "`python -m streaming run --only materialize`, and wait."
            )
        return int(cut)

    @property
    def kept_from_us(self) -> int:
        """Up to which arrival time its events are gone, by retention; 0: none are."""
        return self.table.transaction_version(KEPT_FROM_APP) or 0

    def scan(self) -> pl.LazyFrame:
        import polars as pl

        return pl.scan_delta(self.table)

    @property
    def paths(self) -> list[str]:
        """The data files of this version, in the order in which `numbered` counts their rows."""
        return [uri.removeprefix("file://") for uri in self.table.file_uris()]

    def numbered(self) -> pl.LazyFrame:
        """All rows of a table without partitions, each with its number from 0 under LINE."""
        import polars as pl

        return pl.scan_parquet(self.paths, row_index_name=LINE) if self.paths else self.scan().with_row_index(LINE)


class OfflineStore:
    """The lake's tables, by name: each at its newest version, or at the version that a run pinned when it began."""

    def __init__(self, lake: Path, versions: Mapping[str, TableVersion] | None = None) -> None:
        """versions: table -> the version to read; without them, the newest of each."""
        self._lake, self._versions = lake, versions

    def pin_features(self, group: FeatureGroup, spine: EventSource) -> PinnedTable:
        """The feature rows of a group. Raises DatasetError where they were computed by another definition."""
        pinned = self.pin(features_table(group, spine))
        stored = pinned.table.metadata().configuration
        fingerprint, text = stored.get(FINGERPRINT), stored.get(DEFINITION)
        if fingerprint is not None and fingerprint.partition("-")[0] != group.fingerprint:
            changed = "" if text is None else f" ({difference(text, group)})"
            raise DatasetError(
                f"Table {pinned.name!r} was written by another definition of {group.label}{changed}. Raise the group's "
                "version, or train with the definitions that streaming runs."
            )
        return pinned

    def pin_events(self, source: EventSource) -> PinnedTable:
        """The events of a source. Raises DatasetError where the stored values mean something else by now."""
        pinned = self.pin(events_table(source))
        text = pinned.table.metadata().configuration.get(DEFINITION)
        if text is not None and (changed := events_difference(text, source)):
            raise DatasetError(
                f"Table {pinned.name!r} holds events by another definition ({changed}). Give the source another name, "
                "or train with the definitions that streaming runs."
            )
        return pinned

    def kept_from_us(self, source: EventSource) -> int:
        """Up to which arrival time events of a source are gone, by retention; 0: none are, or there is no table yet."""
        return self._told(source, KEPT_FROM_APP)

    def erasures(self, source: EventSource) -> int:
        """How many entities were erased from the events of a source."""
        return self._told(source, ERASURES_APP)

    def erased_kinds(self) -> dict[str, int]:
        """Kind of entity -> when one was last erased, microseconds. Empty where none was."""
        path = str(self._lake / ERASURES_TABLE)
        if not DeltaTable.is_deltatable(path):
            return {}
        found: dict[str, int] = {}
        for each in DeltaTable(path).to_pyarrow_table(columns=["entity", "at_us"]).to_pylist():
            found[each["entity"]] = max(each["at_us"], found.get(each["entity"], 0))
        return found

    def _told(self, source: EventSource, app: str) -> int:
        path = str(self._lake / events_table(source))
        return (DeltaTable(path).transaction_version(app) or 0) if DeltaTable.is_deltatable(path) else 0

    def pin(self, name: str) -> PinnedTable:
        """The table at its newest version. Raises NotStoredError where the table does not exist yet."""
        path = self._lake / name
        if not DeltaTable.is_deltatable(str(path)):
            raise NotStoredError(
                f"The lake {self._lake} has no table {name!r}. Stream events into it with `python -m streaming run`, "
                "or set MILLRACE_LAKE to the directory that has the table."
            )
        return PinnedTable(name, DeltaTable(str(path)) if self._versions is None else self._at(path, name))

    def _at(self, path: Path, name: str) -> DeltaTable:
        wanted = (self._versions or {}).get(name)
        try:
            table = DeltaTable(str(path), version=wanted.version if wanted else None)
        except (DeltaError, OSError) as error:
            raise DatasetError(
                f"Table {name!r} has no version {wanted.version if wanted else None} any more. The run began with that "
                "version. Start a new run."
            ) from error
        if wanted is None or str(table.metadata().id) != wanted.table_id:
            raise DatasetError(
                f"Table {name!r} is another one than the run began with. It was re-created since. Start a new run."
            )
        return table


def event_columns(
    source: EventSource, frame: pl.DataFrame, names: Iterable[str]
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[np.bool_]]]:
    """Fields of an events table as `formats.events` holds them: columns and, for optional fields, which are there."""
    import polars as pl

    columns: dict[str, NDArray[Any]] = {}
    valid: dict[str, NDArray[np.bool_]] = {}
    for name in names:
        field, column = source.field(name), frame[name]
        if field.optional:
            valid[name] = column.is_not_null().to_numpy()
        if field.is_text:
            columns[name] = np.array([*column.to_list(), None], object)[:-1]  # the extra None keeps it one-dimensional
        else:
            columns[name] = column.cast(pl.Int64).fill_null(0).to_numpy()
    return columns, valid
