"""Lost runs: those that this scheduler began and does not do any more, because the database could not be told the end.

DBOS waits for PostgreSQL and for a lock of SQLite. An SQLite file that cannot be written, as on a full disk, ends the
thread of the run instead, and the run would be "running" for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dbos import DBOS
from dbos._dbos import _get_dbos_instance
from dbos._utils import INTERNAL_QUEUE_NAME

from training.scheduler.places import executor_id
from training.scheduler.repeating import repeating


class LostRuns:
    """Those of the scheduler of a place."""

    def __init__(self, place: int) -> None:
        self._executor = executor_id(place)
        self._missing = set[str]()

    def take_back(self) -> None:
        """Put those back into their queue that were not done here at the look before either: then none just begins."""
        missing = self._not_done()
        lost = missing & self._missing
        for run_id in sorted(lost):
            _get_dbos_instance()._sys_db.reenqueue_for_recovery(run_id, [self._executor], INTERNAL_QUEUE_NAME)
            DBOS.logger.warning(f"run {run_id} continues: the database of runs had not been told its end")
        self._missing = missing - lost  # one that is in its queue again may just begin at the next look

    def _not_done(self) -> set[str]:
        found = DBOS.list_workflows(status="PENDING", executor_id=self._executor, load_input=False, load_output=False)
        return {each.workflow_id for each in found} - set(_get_dbos_instance()._active_workflows_set.activeList())


@contextmanager
def taking_back(place: int, look_every_s: float) -> Iterator[None]:
    """Inside the block lost runs are looked for again and again."""
    lost = LostRuns(place)

    def look() -> None:
        try:
            lost.take_back()
        except Exception as error:  # the database is unavailable, and is asked again soon
            DBOS.logger.warning(f"cannot look for lost runs now: {error}")

    with repeating("lost runs", look_every_s, look):
        yield
