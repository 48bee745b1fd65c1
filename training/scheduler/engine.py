"""DBOS in this process: launched with our settings, with the place that this process takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from dbos import DBOS, DBOSConfig, error

from training.scheduler.database import APPLICATION, database_url
from training.scheduler.lost_runs import taking_back
from training.scheduler.news.webhook import TELL_QUEUE, register_webhook
from training.scheduler.old_records import OldRecords, removing_old
from training.scheduler.places import executor_id, taken_place, taking_over
from training.scheduler.runs.runs import Runs
from training.scheduler.schedules.missed_ticks import MissedTicks, making_up
from training.scheduler.schedules.tick import Ticks, ask_steps
from training.scheduler.workflow.durable_run import QUEUE, VERSION, DurableRuns
from training.scheduler.workflow.queued_steps import QueuedSteps
from training.scheduler.workflow.run_states import CANCELLED
from training.settings import TrainingSettings


@contextmanager
def launched(
    settings: TrainingSettings, clock: Callable[[], datetime] = lambda: datetime.now(UTC), look_every_s: float = 10.0
) -> Iterator[Runs]:
    """Scheduler and workers run inside the block. look_every_s: how often missed ticks and lost runs are looked for."""
    with taken_place(settings.training_runs) as place, Runs(settings) as runs, _queued(settings) as queued:
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": database_url(settings),
            "application_version": VERSION,
            # DBOS gives the runs of a dead process back to the next one of the same name. Two that live must differ.
            "executor_id": executor_id(place),
            "log_level": "WARNING",
            "scheduler_polling_interval_sec": 2.0,
            "enable_otlp": False,
        }
        DBOS(config=config)
        limit_s, at_once = settings.training_step_limit.total_seconds(), settings.training_steps_at_once
        DurableRuns(limit_s, lambda run_id: _look(runs, run_id), at_once, queued).register()
        Ticks(runs, ask_steps, clock).register()
        if settings.runs_webhook:
            register_webhook(settings.runs_webhook)
        try:
            DBOS.launch()
            DBOS.register_queue(TELL_QUEUE, polling_interval_sec=2.0)
            DBOS.register_queue(QUEUE, partition_concurrency=1, polling_interval_sec=1.0)
            missed = MissedTicks(runs.client, clock)
            old = OldRecords(runs.client, settings.runs_recorded, settings.runs_recorded_for, clock)
            with (
                taking_over(settings.training_runs, place),
                taking_back(place, look_every_s),
                making_up(missed, look_every_s),
                removing_old(old),
            ):
                yield runs
        finally:
            DBOS.destroy(destroy_registry=True)


@contextmanager
def _queued(settings: TrainingSettings) -> Iterator[QueuedSteps]:
    """Patient: a run that waits for a worker outlasts a database that is unavailable for a while."""
    queued = QueuedSteps(database_url(settings), settings.training_runs, patient=True)
    try:
        yield queued
    finally:
        queued.close()


def _look(runs: Runs, run_id: str) -> None:
    """Raise where the run was cancelled. A database that does not answer says nothing."""
    try:
        status = runs.status(run_id)
    except Exception:
        return
    if status == CANCELLED:
        raise error.DBOSWorkflowCancelledError(f"run {run_id} was cancelled")
