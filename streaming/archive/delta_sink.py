"""The archive's one sink: a part per table, each with its own positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from streaming.archive.stored_log import Marked, StoredLog
from streaming.log import get_log


class DeltaSink(FixedPartitionedSink[list[Marked], None]):
    """`tables`: name of a table -> function that opens it. One worker owns the part of a table, and writes the table.

    `count_raised` gets the table, and how many of its events were raised to the running maximum.
    """

    def __init__(self, tables: Mapping[str, Callable[[], StoredLog]], count_raised: Callable[[str, int], None]) -> None:
        self._tables, self._count_raised = tables, count_raised
        self._numbers = {name: number for number, name in enumerate(sorted(tables))}

    def list_parts(self) -> list[str]:
        return sorted(self._tables)

    def part_fn(self, item_key: str) -> int:
        return self._numbers[item_key]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> TablePart:
        return TablePart(for_part, self._tables[for_part](), self._count_raised)


class TablePart(StatefulSinkPartition[list[Marked], None]):
    """One table: every gathered list is one commit."""

    def __init__(self, name: str, stored: StoredLog, count_raised: Callable[[str, int], None]) -> None:
        self._name, self._stored, self._count_raised = name, stored, count_raised
        self._log = get_log("archive").bind(table=name)

    def write_batch(self, values: list[list[Marked]]) -> None:
        raised = self._stored.raised
        rows = self._stored.take([marked for gathered in values for marked in gathered])
        self._count_raised(self._name, self._stored.raised - raised)
        if rows:
            self._log.debug("committed", rows=rows, raised=self._stored.raised - raised)

    def snapshot(self) -> None:
        """Nothing: the position is in the table."""
