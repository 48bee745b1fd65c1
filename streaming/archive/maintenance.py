"""Maintenance: the archive compacts the lake at an interval, and runs a nightly task once a day.

It runs beside the archive in its own thread, with its own table handles.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from streaming.lake.compaction import tend
from streaming.log import get_log

_LOG = get_log("maintenance")


class Maintenance:
    """Maintains every table of the lake at each interval `every`, inside a `with` block.

    nightly: called once a day (UTC), and again at the next interval if it raised.
    """

    def __init__(self, lake: Path, every: timedelta, nightly: Callable[[], None] | None = None) -> None:
        self._lake, self._every, self._nightly = lake, every, nightly
        self._done_on = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)

    def __enter__(self) -> Maintenance:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stopped.set()  # no need to wait for the table in progress: each step is one commit or none

    def _run(self) -> None:
        while not self._stopped.wait(self._every / timedelta(seconds=1)):
            tend(self._lake)
            self._at_night()

    def _at_night(self) -> None:
        day = datetime.now(UTC).date().isoformat()
        if self._nightly is None or self._done_on == day:
            return
        try:
            self._nightly()
        except Exception as error:
            _LOG.warning("failed to delete old days, trying again later", error=str(error))
        else:
            self._done_on = day
