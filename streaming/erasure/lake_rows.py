"""Erasing rows from the lake's tables, one table at a time and each as often as it takes against other writers.

What is looked for lies below the ends at which the logs were when the erasure began. Rows that are appended meanwhile
arrive later than the last of those, so that an append rarely concerns a delete; where it does, the delete looks again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.transaction import Transaction

from shared_features.definitions import EventSource
from shared_features.formats.offline_tables import (
    ARRIVAL_TIME,
    DEAD_LETTERS_TABLE,
    ERASURES_APP,
    OFFSET,
    PARTITION,
    events_table,
)
from streaming.delta_changes import changed
from streaming.delta_log import sync_commit
from streaming.erasure.record import LogEnds
from streaming.erasure.subject import Subject, decoded, sql_text
from streaming.lake_look import LakeLook

_POSITIONS = pa.schema([(PARTITION, pa.int32()), (OFFSET, pa.int64())])


class LakeRows:
    """The rows of some subjects."""

    def __init__(self, lake: Path, subjects: Sequence[Subject], log_ends: LogEnds) -> None:
        self._lake, self._subjects, self._log_ends = lake, subjects, log_ends
        self._look = LakeLook(lake)

    def positions(self, source: EventSource) -> pa.Table:
        """Where the subjects' events of a source lie: kafka_partition int32, kafka_offset int64."""
        table = self._look.table(events_table(source))
        if table is None:
            return _POSITIONS.empty_table()
        return pa.table(table.scan(columns=_POSITIONS.names, predicate=self._events(source))).cast(_POSITIONS)

    def erase_events(self, source: EventSource) -> int:
        """Delete the events."""

        def erase(table: DeltaTable) -> int:
            condition = self._events(source)
            last = pa.table(table.scan(columns=[ARRIVAL_TIME], predicate=condition))[ARRIVAL_TIME].to_pylist()
            if not last:
                return 0
            return int(table.delete(f"({condition}) AND {ARRIVAL_TIME} <= {max(last)}")["num_deleted_rows"])

        return self._changed(self._lake / events_table(source), erase)

    def erasures(self, source: EventSource) -> int:
        """The events table's count of erasures."""
        table = self._look.table(events_table(source))
        return 0 if table is None else _erasures(table)

    def count_erasure(self, source: EventSource) -> tuple[int, int]:
        """Raise the events table's count of erasures by the subjects; what it was, and what it is."""
        counts = []

        def look(table: DeltaTable) -> int:
            counts.append(_erasures(table))
            return 0

        self._changed(self._lake / events_table(source), look, fence=True)
        return (counts[-1], counts[-1] + len(self._subjects)) if counts else (0, 0)

    def erase_snapshots(self, tables: Sequence[Path]) -> int:
        """Delete the subjects' states; the count of erasures is raised even where there are none."""
        keys = ", ".join(sql_text(subject.key) for subject in self._subjects)
        condition = f"entity_key IN ({keys})"
        return sum(
            self._changed(path, lambda table: int(table.delete(condition)["num_deleted_rows"]), fence=True)
            for path in tables
        )

    def erase_feature_rows(self, tables: Sequence[Path], positions: pa.Table) -> int:
        """Delete the rows at the positions of the erased events, of whatever group they are."""

        def erase(table: DeltaTable) -> int:
            if not positions.num_rows:
                return 0
            on = " AND ".join(f"target.{name} = gone.{name}" for name in (PARTITION, OFFSET))
            merger = table.merge(positions, on, source_alias="gone", target_alias="target")
            return int(merger.when_matched_delete().execute()["num_target_rows_deleted"])

        return sum(self._changed(path, erase, fence=True) for path in tables)

    def dead_letters(self, topics: Sequence[str]) -> list[tuple[str, int, int]]:
        """Where dead letters lie whose value is JSON with a subject's fields."""
        table = self._look.table(DEAD_LETTERS_TABLE)
        if table is None or not topics:
            return []
        condition = f"topic IN ({', '.join(map(sql_text, topics))})"
        names = ["topic", PARTITION, OFFSET, "value"]
        found = []
        for batch in pa.RecordBatchReader.from_stream(table.scan(columns=names, predicate=condition)):
            for topic, partition, offset, value in zip(
                *(batch.column(name).to_pylist() for name in names), strict=True
            ):
                plain = decoded(value)
                below = offset < self._log_ends.get(topic, {}).get(partition, 0)
                if below and any(subject.is_in_json(plain) for subject in self._subjects):
                    found.append((topic, partition, offset))
        return found

    def erase_dead_letters(self, letters: Sequence[tuple[str, int, int]]) -> int:
        """Delete dead letters by their position."""
        if not letters:
            return 0
        terms = " OR ".join(
            f"(topic = {sql_text(topic)} AND {PARTITION} = {partition} AND {OFFSET} = {offset})"
            for topic, partition, offset in letters
        )
        return self._changed(
            self._lake / DEAD_LETTERS_TABLE, lambda table: int(table.delete(terms)["num_deleted_rows"])
        )

    def _events(self, source: EventSource) -> str:
        who = " OR ".join(f"({subject.condition(source)})" for subject in self._subjects)
        ends = self._log_ends.get(source.topic, {})
        where = " OR ".join(f"({PARTITION} = {number} AND {OFFSET} < {end})" for number, end in sorted(ends.items()))
        return f"({who}) AND ({where or 'false'})"

    def _changed(self, path: Path, change: Callable[[DeltaTable], int], *, fence: bool = False) -> int:
        """Make a change; with `fence`, raise the count of erasures after it, so that no writer goes on as before."""
        if not (path / "_delta_log").is_dir():
            return 0
        gone = 0

        def attempt(table: DeltaTable) -> None:
            nonlocal gone
            gone += change(table)
            if fence:
                empty = pa.schema(table.schema().to_arrow()).empty_table()
                properties = _raised(table, len(self._subjects))
                write_deltalake(table, empty, mode="append", commit_properties=properties)
            sync_commit(path, table.version(), {})

        changed(path, attempt)
        return gone


def purge(paths: Sequence[Path]) -> int:
    """Delete from the disk what the tables no longer hold, older versions too; returns how many files went.

    Without `full`, only files that the log says are removed are looked at: never one that is about to be committed.
    """
    gone = 0
    for path in paths:
        if (path / "_delta_log").is_dir():
            table = DeltaTable(path)
            gone += len(table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False))
    return gone


def _raised(table: DeltaTable, by: int) -> CommitProperties:
    return CommitProperties(app_transactions=[Transaction(app_id=ERASURES_APP, version=_erasures(table) + by)])


def _erasures(table: DeltaTable) -> int:
    return max(0, table.transaction_version(ERASURES_APP) or 0)
