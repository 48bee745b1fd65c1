"""One Delta table under the handle protocol: data and positions in one step, once, by one owner.

Delta itself compares no versions of application transactions and would accept a batch twice. So a position is compared
and written through the *same* table handle. A commit of another process in between makes the write fail. After any
failure the stored positions alone say what happened. If they equal the new ones, the commit was done. If they equal the
old ones, the commit was not done. If they are anything else, another process owns them now, and this process restarts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from deltalake import DeltaTable

from shared_features.errors import MillraceError
from streaming.errors import RestartNeeded
from streaming.job.backoff import Backoff, Tries
from streaming.lake.stored_positions import NEVER, KnownPositions
from streaming.lake.table_definition import TableDefinition
from streaming.lake.tables import DELTA, DeltaTables, lake_outage, writer_properties
from streaming.log import get_log

_LOG = get_log("delta")

AppVersions = Mapping[str, int]
"""Application id -> version. An id that was never written has version -1."""

Result = TypeVar("Result")

REOPEN_AFTER_COMMITS = 50  # a handle keeps every commit that it has seen, and becomes slow
NO_OUTAGE = (MillraceError, NameError, AttributeError, TypeError, ImportError, AssertionError, NotImplementedError)
"""Errors that no disk raises: the program has a bug, a definition is wrong, or what is stored does not fit. The process
must end with what they say, instead of waiting for the lake for ever."""
_BACKOFF, _TRIES_WHILE_STOPPING = Backoff(first_s=0.04, longest_s=5.0), 5
SPARE_BYTES = 16 << 20  # disk space that a commit needs beside its rows


class DeltaHandle:
    """A table of one schema, opened or created, and the only way this process writes to it.

    `partition_by`, `fingerprint`, `definition` and `added`: of its `TableDefinition`. Another table is refused.
    `sleep`: waits while the table is unavailable, and is true when asked to stop.
    """

    def __init__(
        self,
        path: Path,
        schema: pa.Schema,
        partition_by: tuple[str, ...] = (),
        fingerprint: str | None = None,
        definition: str | None = None,
        added: tuple[str, ...] = (),
        sleep: Callable[[float], bool] | None = None,
        delta: DeltaTables = DELTA,
    ) -> None:
        self.path = path
        self._delta = delta
        self._writer = writer_properties(schema)
        self._definition = TableDefinition(schema, partition_by, fingerprint, definition, added)
        self._sleep = sleep or delta.wait
        self._outage = lake_outage(_LOG, table=path.name)
        self._commits = 0
        self._synced: int | None = None
        self._known = KnownPositions()
        self._table: DeltaTable = self._patiently(self._open_or_create)
        self._definition.refuse_other(self._table, path.name)

    @property
    def table(self) -> DeltaTable:
        """The table as of the last refresh, for reading."""
        return self._table

    def refresh(self) -> DeltaTable:
        """The newest version of the table."""
        self._patiently(self._update)
        return self._table

    def position(self, app: str) -> int:
        """The stored version of one application id as of the last refresh, -1 if there is none."""
        return self._known.position(self._table, app)

    def positions(self, apps: Mapping[str, Any] | list[str]) -> dict[str, int]:
        return {app: self.position(app) for app in apps}

    def commit(self, data: pa.Table, expected: AppVersions, new: AppVersions) -> int:
        """Append the rows and move the positions from `expected` to `new`, both or neither, durably.

        Returns the table's version. Waits while the disk is unavailable. Raises RestartNeeded if a stored position is
        neither the expected nor the new one: another process has committed it.
        """
        expected = {app: expected.get(app, NEVER) for app in {*expected, *new}}
        wanted = {**expected, **new}
        tries = self._tries()
        while True:
            if not self._has_room(data) or not self._readable():
                self._wait(tries, "its disk is unavailable or full")
                continue
            stored = self.positions(expected)
            if tries.failed and stored == wanted:
                break  # a try that seemed to fail had committed
            if stored != expected:
                raise RestartNeeded(self._moved(expected, stored))
            try:
                self._write(data, new)
                break
            except NO_OUTAGE:
                raise  # waiting would not help; at the next start the stored positions decide
            except Exception as error:  # whatever happened, the stored positions decide
                self._wait(tries, str(error))
                self._commits = REOPEN_AFTER_COMMITS  # read again through a new handle
        self._patiently(lambda: self._sync(self._table, new))
        self._outage.answered()
        return self._table.version()

    def _sync(self, table: DeltaTable, written: AppVersions) -> None:
        version = table.version()
        self._delta.sync(self.path, version, written, self._synced)
        self._synced = version

    def _write(self, data: pa.Table, new: AppVersions) -> None:
        self._commits += 1
        before = self._table.version()
        self._delta.append(self._table, data, new, self._writer)
        self._known.wrote(self._table, before, new)

    def _update(self) -> None:
        if self._commits >= REOPEN_AFTER_COMMITS:
            self._table = self._delta.open(self.path)
            self._commits = 0
        else:
            self._delta.update(self._table, self.path)

    def _readable(self) -> bool:
        try:
            self._update()
        except NO_OUTAGE:
            raise
        except Exception as error:  # missing directory, I/O error, half a checkpoint: wait for all of them
            self._outage.failed(reason=str(error))
            self._commits = REOPEN_AFTER_COMMITS
            return False
        return True

    def _has_room(self, data: pa.Table) -> bool:
        try:
            # Asked before each write, because a write that fails in the middle leaves part of a file behind.
            return self._delta.free_bytes(self.path) > int(data.nbytes) // 2 + SPARE_BYTES
        except OSError:
            return False

    def _open_or_create(self) -> DeltaTable:
        table = self._definition.open_or_create(self.path, self._delta)
        self._sync(table, {})  # the writer of the last commits may have been killed before it synced them
        return table

    def _patiently(self, action: Callable[[], Result]) -> Result:
        tries = self._tries()
        while True:
            try:
                result = action()
                self._outage.answered()
                return result
            except NO_OUTAGE:
                raise
            except Exception as error:  # the lake is unavailable, perhaps for a moment
                self._commits = REOPEN_AFTER_COMMITS
                self._wait(tries, str(error))

    def _tries(self) -> Tries:
        stopped = f"asked to stop while table {self.path.name} is unavailable; the table is unchanged"
        return Tries(_BACKOFF, stopped, self._sleep, _TRIES_WHILE_STOPPING)

    def _wait(self, tries: Tries, reason: str) -> None:
        if tries.failed:  # the first failure may be another process's commit that came between
            self._outage.failed(reason=reason)
        tries.wait()

    def _moved(self, expected: AppVersions, stored: AppVersions) -> str:
        app = next(app for app in expected if stored[app] != expected[app])
        return (
            f"table {self.path.name}: another process has committed position {app}; found {stored[app]}, expected "
            f"{expected[app]}; this process restarts from what is stored"
        )
