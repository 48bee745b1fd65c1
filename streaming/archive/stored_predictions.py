"""The table of the prediction log: each record once, although a process may have died between sending and noting it.

Such a record comes again, equal to what is stored. It is left out, and so is one whose content was erased meanwhile.
Another record of the same number is stored: one of the two was altered, and an audit tells which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shared_features.definitions import EventSource
from streaming.archive.arrival_times import ArrivalTimes
from streaming.archive.known_numbers import Int64, KnownNumbers
from streaming.archive.stored_log import Marked, StoredEvents
from streaming.kafka.records.polled import Polled
from streaming.lake.log_positions import TopicKey
from streaming.lake.scan import scanned, sql_text
from streaming.lake.tables import DELTA, DeltaTables

_INSTANCE, _COUNTER, _REQUEST = "instance", "counter", "request"


class StoredPredictions(StoredEvents):
    """Keeps which numbers of each process are stored, from its first record on."""

    def __init__(
        self, lake: Path, source: EventSource, topics: Mapping[TopicKey, int], delta: DeltaTables = DELTA
    ) -> None:
        super().__init__(lake, source, topics, delta)
        self._columns = [field.name for field in source.fields]
        self._known: dict[str, KnownNumbers] = {}
        self._uncommitted: list[pa.Table] = []

    def take(self, batches: Sequence[Marked]) -> int:
        """As every log. The rows that it takes are compared with each other too."""
        self._uncommitted = []
        return super().take(batches)

    def _rows(self, polled: Polled, after: int, arrived: ArrivalTimes) -> list[pa.Table]:
        found = []
        for rows in super()._rows(polled, after, arrived):
            is_new = np.ones(rows.num_rows, np.bool_)
            for name in pc.unique(rows[_INSTANCE]).to_pylist():
                mine = np.flatnonzero(pc.equal(rows[_INSTANCE], name).to_numpy())
                is_new[mine] = self._are_new(name, rows.take(pa.array(mine)))
            new = rows.filter(pa.array(is_new))
            self._uncommitted.append(new)
            found.append(new)
        return found

    def _are_new(self, instance: str, rows: pa.Table) -> NDArray[np.bool_]:
        """bool[n]: which rows of a process are to be stored. Their numbers are known from now on."""
        if instance not in self._known:
            self._known[instance] = KnownNumbers(self._stored_numbers(instance))
        known = self._known[instance]
        numbers: Int64 = rows[_COUNTER].to_numpy().astype(np.int64)
        doubtful = known.has(numbers)
        is_first = np.zeros(len(numbers), np.bool_)
        is_first[np.unique(numbers, return_index=True)[1]] = True
        known.add(numbers)
        is_new: NDArray[np.bool_] = is_first & ~doubtful
        self._uncommitted.append(rows.filter(pa.array(is_new)))  # a repetition may be in this very batch
        for row in np.flatnonzero(~is_new).tolist():
            is_new[row] = not self._is_stored(instance, rows.slice(row, 1).to_pylist()[0])
        self._uncommitted.pop()
        return is_new

    def _is_stored(self, instance: str, row: Mapping[str, Any]) -> bool:
        return any(
            not each[_REQUEST] or all(each[name] == row[name] for name in self._columns)
            for each in self._of_number(instance, row[_COUNTER])
        )

    def _of_number(self, instance: str, number: int) -> Iterator[Mapping[str, Any]]:
        for rows in self._uncommitted:
            yield from rows.filter(
                pc.and_(pc.equal(rows[_INSTANCE], instance), pc.equal(rows[_COUNTER], number))
            ).to_pylist()
        condition = f"{_INSTANCE} = {sql_text(instance)} AND {_COUNTER} = {number}"
        for batch in scanned(self.handle.refresh(), self._columns, condition):
            yield from batch.to_pylist()

    def _stored_numbers(self, instance: str) -> Int64:
        condition = f"{_INSTANCE} = {sql_text(instance)}"
        parts = [
            np.asarray(batch.column(_COUNTER), np.int64)
            for batch in scanned(self.handle.refresh(), [_COUNTER], condition)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)
