"""Gathering: batches of one table are collected until a commit is worth its cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bytewax.operators import StatefulBatchLogic

from streaming.archive.stored_log import Marked

_LONGER_WITHOUT_ROWS, _LONGEST_WITHOUT_ROWS = 3, timedelta(seconds=30)
"""A commit without rows only moves positions: its time is not urgent, and it costs as much as any other commit."""


class Gather(StatefulBatchLogic[Marked, list[Marked], None]):
    """Passes on what it holds after `every`, or earlier with `records` records. Its sink keeps the positions.

    What holds no row for the table waits three times as long, up to 30 s: an erasure waits until a table is past it.
    """

    def __init__(self, every: timedelta, records: int) -> None:
        self._every, self._records = every, records
        self._without_rows = max(every, min(_LONGER_WITHOUT_ROWS * every, _LONGEST_WITHOUT_ROWS))
        self._held: list[Marked] = []
        self._count = 0
        self._due: datetime | None = None

    def on_batch(self, values: list[Marked]) -> tuple[list[list[Marked]], bool]:
        records = sum(value.records for value in values)
        now, due = datetime.now(UTC), self._due
        if not self._held:
            due = now + self._without_rows
        if records and not self._count and due is not None:
            due = min(due, now + self._every)
        self._due = due
        self._held += values
        self._count += records
        return (self._let_go() if self._count >= self._records else []), self.RETAIN

    def on_notify(self) -> tuple[list[list[Marked]], bool]:
        return self._let_go(), self.RETAIN

    def on_eof(self) -> tuple[list[list[Marked]], bool]:
        return self._let_go(), self.RETAIN

    def notify_at(self) -> datetime | None:
        return self._due

    def snapshot(self) -> None:
        """Nothing: uncommitted batches are read again."""

    def _let_go(self) -> list[list[Marked]]:
        held, self._held, self._count, self._due = self._held, [], 0, None
        return [held] if held else []
