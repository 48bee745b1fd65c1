"""Waiting for a table whose disk is away or full: said once when it goes, and once when it is back."""

from __future__ import annotations

import random
from collections.abc import Callable

from streaming.errors import StoppedWaiting
from streaming.log import get_log

LONGEST_WAIT_S = 5.0
TRIES_WHILE_STOPPING = 5


class TableWaits:
    """The waits of one table's handle. `sleep`: how to wait; whether to stop."""

    def __init__(self, table: str, sleep: Callable[[float], bool]) -> None:
        self._table, self._sleep = table, sleep
        self._log = get_log("delta").bind(table=table)
        self._away = False

    def pause(self, tries: int, reason: str) -> None:
        """Wait after so many tries that failed; StoppedWaiting when asked to stop."""
        if tries > 1:  # the first may be another process's commit that came between
            self.failed(reason)
        longest = min(LONGEST_WAIT_S, 0.02 * 2**tries)
        if self._sleep(longest * random.uniform(0.5, 1)) and tries > TRIES_WHILE_STOPPING:
            raise StoppedWaiting(f"asked to stop while table {self._table} is away; it stays as it was")

    def failed(self, reason: str) -> None:
        """Call when the table cannot be reached."""
        if not self._away:
            self._away = True
            self._log.warning("the table cannot be reached; waiting for it", reason=reason)

    def succeeded(self) -> None:
        """Call when it could."""
        if self._away:
            self._away = False
            self._log.info("the table is back")
