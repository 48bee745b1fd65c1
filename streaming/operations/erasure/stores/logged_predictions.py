"""Erasing from the prediction log's table: a row that was asked about a subject keeps its number, and no content.

A batch of several instances is one row, and goes whole. An audit counts these rows as erased. A row that the archive
appends later lies beyond the ends of the log, and is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
from deltalake import DeltaTable

from shared_features.formats.offline_tables import OFFSET, PARTITION, events_table
from shared_features.formats.prediction_log import LoggedPrediction, erased, logged_prediction, prediction_source
from streaming.lake.changes import synced_change
from streaming.lake.scan import scanned
from streaming.operations.erasure.record import LogEnds
from streaming.operations.erasure.subjects.asked_about import AskedAbout
from streaming.operations.erasure.subjects.conditions import at_offsets, below
from streaming.operations.erasure.subjects.subject import Subject

_EMPTIED = ("instants", "request", "features", "scores", "receipt", "digest")


class LoggedPredictions:
    """The rows about some subjects. topic: of the log. Where it has no end, nobody writes it, and all rows count."""

    def __init__(self, lake: Path, subjects: Sequence[Subject], log_ends: LogEnds, topic: str | None) -> None:
        self._path = lake / events_table(prediction_source("any"))
        self._about = AskedAbout(subjects)
        self._condition = "true" if topic is None or topic not in log_ends else below(log_ends[topic])

    def count(self) -> int:
        """How many rows there are."""
        return sum(len(each) for path in self.tables for each in self._positions(DeltaTable(path)).values())

    def erase(self) -> int:
        """Empty the rows. Returns their number."""
        return sum(synced_change(path, self._erase) for path in self.tables)

    @property
    def tables(self) -> list[Path]:
        """The table, if it exists."""
        return [self._path] if (self._path / "_delta_log").is_dir() else []

    def _positions(self, table: DeltaTable) -> dict[int, list[int]]:
        """Partition -> offsets."""
        found: dict[int, list[int]] = {}
        for batch in scanned(table, [PARTITION, OFFSET, "request"], self._condition):
            for row in batch.to_pylist():
                if row["request"] and self._about.is_in(row["request"]):
                    found.setdefault(row[PARTITION], []).append(row[OFFSET])
        return found

    def _erase(self, table: DeltaTable) -> int:
        emptied = [
            pa.Table.from_pylist(list(map(_emptied, batch.to_pylist())))
            for partition, offsets in self._positions(table).items()
            for which in at_offsets(partition, offsets)
            for batch in scanned(table, [PARTITION, OFFSET, *LoggedPrediction.__struct_fields__], which)
        ]
        return 0 if not emptied else _replace(table, pa.concat_tables(emptied))


def _emptied(row: dict[str, object]) -> dict[str, object]:
    left = msgspec.structs.asdict(erased(logged_prediction(row)))
    return {PARTITION: row[PARTITION], OFFSET: row[OFFSET], **{name: left[name] for name in _EMPTIED}}


def _replace(table: DeltaTable, emptied: pa.Table) -> int:
    on = " AND ".join(f"target.{name} = emptied.{name}" for name in (PARTITION, OFFSET))
    merger = table.merge(emptied, on, source_alias="emptied", target_alias="target")
    updates = {name: f"emptied.{name}" for name in _EMPTIED}
    return int(merger.when_matched_update(updates).execute()["num_target_rows_updated"])
