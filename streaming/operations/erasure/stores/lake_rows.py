"""Erasing rows from the lake's tables, one table at a time. A delete is repeated until no other writer conflicts.

The rows to erase lie below the ends of the logs at the beginning of the erasure. Rows that are appended meanwhile
arrive later, so an append rarely conflicts with a delete. If it does, the delete reads the table again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.transaction import Transaction

from shared_features.definitions import EventSource
from shared_features.formats.offline_tables import (
    ARRIVAL_TIME,
    ERASURES_APP,
    KEPT_FROM_APP,
    OFFSET,
    PARTITION,
    events_table,
)
from streaming.lake.changes import synced_change
from streaming.lake.look import LakeLook
from streaming.lake.scan import scanned
from streaming.lake.stored_positions import NEVER, stored_position
from streaming.operations.erasure.record import LogEnds
from streaming.operations.erasure.subjects.conditions import below, whose_events, whose_rows
from streaming.operations.erasure.subjects.held_keys import HeldKeys
from streaming.operations.erasure.subjects.subject import Subject

ENTITY_KEY = "entity_key"
_POSITIONS = pa.schema([(PARTITION, pa.int32()), (OFFSET, pa.int64())])


class LakeRows:
    """The rows of some subjects. ended: the names of sources without a log, whose rows are all erased."""

    def __init__(self, lake: Path, subjects: Sequence[Subject], log_ends: LogEnds, ended: Collection[str] = ()) -> None:
        self._lake, self._subjects, self._log_ends, self._ended = lake, subjects, log_ends, ended
        self._look = LakeLook(lake)

    def positions(self, source: EventSource, own_rows: Mapping[Path, tuple[str, ...]] | None = None) -> pa.Table:
        """The present and former positions of the subjects' events of a source: kafka_partition int32, kafka_offset
        int64.

        own_rows: tables of feature rows whose keys carry the subjects' fields, with the fields of their keys. They also
        have positions of events that `retain` deleted.
        """
        found = [_POSITIONS.empty_table()]
        if (events := self._look.table(events_table(source))) is not None:
            found += [_positions(events, each) for each in self._events(source)]
        for path, fields in (own_rows or {}).items():
            table = DeltaTable(path)
            keys = _stored_keys(table, HeldKeys(fields, self._subjects))
            found += [_positions(table, f"{each} AND ({self._below(source)})") for each in whose_rows(keys)]
        return pa.concat_tables(found).group_by(_POSITIONS.names).aggregate([])

    def lost_us(self, source: EventSource, own_rows: Iterable[Path]) -> int | None:
        """The arrival time before which the positions of the subjects' events are unknown; None if all are known."""
        events = self._look.table(events_table(source))
        kept_from_us = stored_position(events, KEPT_FROM_APP)
        if kept_from_us == NEVER or any(_reaches_before(DeltaTable(path), kept_from_us) for path in own_rows):
            return None
        return kept_from_us

    def erase_events(self, source: EventSource) -> int:
        """Delete the events."""
        path = self._lake / events_table(source)
        return sum(self._changed(path, partial(_erase_events, condition=each)) for each in self._events(source))

    def erasures(self, source: EventSource) -> int:
        """The events table's count of erasures."""
        table = self._look.table(events_table(source))
        return 0 if table is None else _erasures(table)

    def count_erasure(self, source: EventSource) -> tuple[int, int]:
        """Raise the events table's count of erasures by the number of subjects. Returns the old and the new count."""
        counts = []

        def look(table: DeltaTable) -> int:
            counts.append(_erasures(table))
            return 0

        self._changed(self._lake / events_table(source), look, fence=True)
        return (counts[-1], counts[-1] + len(self._subjects)) if counts else (0, 0)

    def erase_snapshots(self, tables: Mapping[Path, tuple[str, ...]]) -> int:
        """Delete the subjects' states. The count of erasures is raised even if there are no states.

        tables: with the fields of their keys.
        """
        return sum(
            self._changed(path, partial(_erase_states, held=HeldKeys(fields, self._subjects)), fence=True)
            for path, fields in tables.items()
        )

    def erase_feature_rows(self, tables: Sequence[Path], positions: pa.Table) -> int:
        """Delete the rows at the positions of the erased events, of all groups."""
        return sum(self._changed(path, lambda table: _erase_matching(table, positions), fence=True) for path in tables)

    def _events(self, source: EventSource) -> Iterator[str]:
        for some in whose_events(source, self._subjects):
            yield f"({some}) AND ({self._below(source)})"

    def _below(self, source: EventSource) -> str:
        return "true" if source.name in self._ended else below(self._log_ends.get(source.topic, {}))

    def _changed(self, path: Path, change: Callable[[DeltaTable], int], *, fence: bool = False) -> int:
        """Make a change. With `fence`, then raise the count of erasures, so that earlier writers are fenced off."""
        if not (path / "_delta_log").is_dir():
            return 0

        gone = 0

        def attempt(table: DeltaTable) -> None:
            nonlocal gone
            gone += change(table)  # counted before the fence, which may be repeated after a commit of others
            if fence:
                empty = pa.schema(table.schema().to_arrow()).empty_table()
                properties = _raised(table, len(self._subjects))
                write_deltalake(table, empty, mode="append", commit_properties=properties)

        synced_change(path, attempt)
        return gone


def _positions(table: DeltaTable, condition: str) -> pa.Table:
    return pa.table(table.scan(columns=_POSITIONS.names, predicate=condition)).cast(_POSITIONS)


def _reaches_before(rows: DeltaTable, time_us: int) -> bool:
    """Whether a table of feature rows has rows of events that arrived before a time."""
    found = rows.scan(columns=[ARRIVAL_TIME], predicate=f"{ARRIVAL_TIME} < {time_us}")
    return any(batch.num_rows for batch in pa.RecordBatchReader.from_stream(found))


def _erase_events(table: DeltaTable, condition: str) -> int:
    last = pa.table(table.scan(columns=[ARRIVAL_TIME], predicate=condition))[ARRIVAL_TIME].to_pylist()
    if not last:
        return 0
    return int(table.delete(f"({condition}) AND {ARRIVAL_TIME} <= {max(last)}")["num_deleted_rows"])


def _erase_states(table: DeltaTable, held: HeldKeys) -> int:
    return _erase_matching(table, pa.table({ENTITY_KEY: pa.array(_stored_keys(table, held), pa.string())}))


def _stored_keys(table: DeltaTable, held: HeldKeys) -> list[str]:
    """The held keys. The table is only read if the subjects alone do not tell them."""
    if held.are_known:
        return held.known()
    found = set[str]()
    for batch in scanned(table, [ENTITY_KEY], "true"):
        found.update(held.among(set(batch.column(ENTITY_KEY).to_pylist())))
    return sorted(found)


def _erase_matching(table: DeltaTable, gone: pa.Table) -> int:
    """Delete the rows that match a row of `gone`. Unlike a condition, `gone` may have any number of rows."""
    if not gone.num_rows:
        return 0
    on = " AND ".join(f"target.{name} = gone.{name}" for name in gone.column_names)
    merger = table.merge(gone, on, source_alias="gone", target_alias="target")
    return int(merger.when_matched_delete().execute()["num_target_rows_deleted"])


def _raised(table: DeltaTable, by: int) -> CommitProperties:
    return CommitProperties(app_transactions=[Transaction(app_id=ERASURES_APP, version=_erasures(table) + by)])


def _erasures(table: DeltaTable) -> int:
    return max(0, stored_position(table, ERASURES_APP))
