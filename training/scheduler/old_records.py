"""Old records: runs, ticks and news that ended long ago leave the database of runs, so that it does not grow for ever.

Of each kind the newest stay, whatever the clock says, and those that ended lately. What has not ended always stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from dbos import DBOSClient

from training.scheduler.database import APPLICATION
from training.scheduler.news.webhook import TELL_WORKFLOW
from training.scheduler.repeating import repeating
from training.scheduler.schedules.past_ticks import NEWEST
from training.scheduler.schedules.tick import TICK_WORKFLOW
from training.scheduler.workflow.durable_run import WORKFLOW
from training.scheduler.workflow.queued_steps import STEP_WORKFLOW, WORKERS
from training.scheduler.workflow.run_states import ENDED, STATUS

ENDED_FOR_DBOS = tuple(theirs for theirs, ours in STATUS.items() if ours in ENDED)
_AT_ONCE = 200
_EVERY_S = 3600.0
_LOG = structlog.get_logger(part="scheduler")


class OldRecords:
    """Those of one database. kept: how many ended ones of a kind stay. kept_for: how long each stays after its end.

    The calls that DBOS offers delete a workflow in whatever state it is. A run that is resumed at that moment would be
    lost, so its tables are written here.
    """

    def __init__(self, client: DBOSClient, kept: int, kept_for: timedelta, clock: Callable[[], datetime]) -> None:
        system = client._sys_db
        self._engine, self._status = system.engine, system.tables.workflow_status
        self._payloads = (system.tables.workflow_input, system.tables.workflow_output, system.tables.operation_outputs)
        self._kept, self._kept_for, self._clock = kept, kept_for, clock

    def remove(self) -> int:
        """Remove what is old; returns how many runs, ticks, pieces of news and queued steps that were."""
        name = self._status.c.name
        removed = self._remove(self._kept, name == WORKFLOW) + self._remove(self._kept, name == TELL_WORKFLOW)
        for schedule in self._schedules():
            # What a scheduler looks at to know which ticks were missed, and what people are shown.
            of_schedule = (name == TICK_WORKFLOW, self._status.c.schedule_name == schedule)
            removed += self._remove(max(self._kept, NEWEST), *of_schedule)
        return removed + self._remove_queued_steps()

    def _schedules(self) -> list[str]:
        """Those that have ticks on record, also where the schedule was removed since."""
        ticks = sa.select(self._status.c.schedule_name).where(self._status.c.name == TICK_WORKFLOW).distinct()
        with self._engine.connect() as connection:
            return [str(each) for each in connection.execute(ticks).scalars() if each is not None]

    def _remove(self, kept: int, *kind: sa.ColumnElement[bool]) -> int:
        began = self._status.c.created_at
        own = (self._status.c.application_name == APPLICATION, *kind)
        newest = sa.select(began).where(*own, self._has_ended()).order_by(began.desc()).limit(1).offset(kept - 1)
        with self._engine.connect() as connection:
            first_kept = connection.execute(newest).scalar()
        return 0 if first_kept is None else self._remove_all(*own, began < first_kept, self._ended_long_ago())

    def _remove_queued_steps(self) -> int:
        """Those whose run is gone. They belong to the application of the workers."""
        ids = self._status.c.workflow_uuid
        steps = (self._status.c.application_name == WORKERS, self._status.c.name == STEP_WORKFLOW)
        with self._engine.connect() as connection:
            found = list(connection.execute(sa.select(ids).where(*steps, self._ended_long_ago())).scalars())
            run_of = {each: each.rsplit("/", 2)[0] for each in found}
            known = connection.execute(sa.select(ids).where(self._status.c.name == WORKFLOW)).scalars() if found else ()
            gone = set(run_of.values()) - set(known)
        left = sorted(each for each, run in run_of.items() if run in gone)
        return sum(self._delete(left[at : at + _AT_ONCE]) for at in range(0, len(left), _AT_ONCE))

    def _remove_all(self, *old: sa.ColumnElement[bool]) -> int:
        removed, batch = 0, sa.select(self._status.c.workflow_uuid).where(*old).limit(_AT_ONCE)
        while True:
            with self._engine.connect() as connection:
                ids = list(connection.execute(batch).scalars())
            done = self._delete(ids)
            removed += done
            if not done:
                return removed

    def _delete(self, ids: list[str]) -> int:
        """One transaction, and only what is still over in it: a cancelled run may have been resumed since the look."""
        named, over = self._status.c.workflow_uuid.in_(ids), self._ended_long_ago()
        with self._engine.begin() as connection:
            deleted = sa.delete(self._status).where(named, over).returning(self._status.c.workflow_uuid)
            gone = list(connection.execute(deleted).scalars())
            for table in self._payloads:
                connection.execute(sa.delete(table).where(table.c.workflow_uuid.in_(gone)))
        return len(gone)

    def _has_ended(self) -> sa.ColumnElement[bool]:
        return self._status.c.status.in_(ENDED_FOR_DBOS)

    def _ended_long_ago(self) -> sa.ColumnElement[bool]:
        before_ms = int((self._clock() - self._kept_for).timestamp() * 1000)
        ended_ms = sa.func.coalesce(self._status.c.completed_at, self._status.c.updated_at)
        return self._has_ended() & (ended_ms < before_ms)


@contextmanager
def removing_old(records: OldRecords, every_s: float = _EVERY_S) -> Iterator[None]:
    """Inside the block old records are removed: at once, and again and again."""

    def look() -> None:
        try:
            if removed := records.remove():
                _LOG.info("removed old records", records=removed)
        except Exception:  # the database is unavailable, and is asked again later
            _LOG.exception("removing old records failed")

    with repeating("old records", every_s, look):
        yield
