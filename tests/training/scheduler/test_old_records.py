"""Old records leave the database; what has not ended, the newest, and what ended lately stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from dbos import DBOSClient

from tests.training.scheduler.postgres import postgres, programs
from tests.training.scheduler.workflow.test_durable_run import FakeProcess, ended
from training.errors import RequestError
from training.runs.plan.step_names import STEP_NAMES
from training.scheduler.engine import launched
from training.scheduler.old_records import OldRecords
from training.scheduler.runs.runs import Runs
from training.scheduler.schedules.missed_ticks import MissedTicks
from training.scheduler.schedules.past_ticks import NEWEST, past_ticks
from training.scheduler.schedules.schedules import Schedules
from training.scheduler.schedules.tick import TICK_WORKFLOW, Schedule
from training.scheduler.workflow import durable_run
from training.scheduler.workflow.queued_steps import STEP_WORKFLOW, WORKERS
from training.scheduler.workflow.run_states import CANCELLED, QUEUED, SUCCEEDED
from training.settings import load_settings

NOW = datetime(2026, 11, 30, tzinfo=UTC)
DAY = timedelta(days=1)
PAYLOADS = ("workflow_input", "workflow_output", "operation_outputs")


@pytest.fixture(params=["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.deep)])
def runs(request: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(tmp_path / "runs"))
    if request.param == "SQLite":
        with Runs(load_settings()) as found:
            yield found
        return
    installed = programs()
    if installed is None:
        pytest.skip("NOT TESTED: PostgreSQL is not installed; on Debian: apt-get install postgresql")
    with postgres(installed) as server:
        monkeypatch.setenv("MILLRACE_RUNS_DATABASE", server.url)
        with Runs(load_settings()) as found:
            yield found


def began(runs: Runs, run_id: str, days_ago: float, status: str, name: str = "") -> None:
    """Start a run, as if it had begun so long ago and was in this state of DBOS since; it has done a step."""
    if not name:
        runs.start("retrain", {}, run_id)
    system = runs.client._sys_db
    at_ms = int((NOW - days_ago * DAY).timestamp() * 1000)
    over = status in ("SUCCESS", "ERROR", "CANCELLED")
    of, steps = system.tables.workflow_status, system.tables.operation_outputs
    changed: dict[str, Any] = {
        "status": status, "created_at": at_ms, "updated_at": at_ms, "completed_at": at_ms if over else None
    }  # fmt: skip
    with system.engine.begin() as connection:
        if name:
            queued = {"workflow_uuid": run_id, "name": name, "application_name": WORKERS, "priority": 0}
            connection.execute(sa.insert(of).values(**queued, **changed))
        connection.execute(sa.update(of).where(of.c.workflow_uuid == run_id).values(**changed))
        step = {"workflow_uuid": run_id, "function_id": 1, "function_name": "begin", "retention_timestamp": at_ms}
        connection.execute(sa.insert(steps).values(**step))


def rows(client: DBOSClient) -> dict[str, Counter[str]]:
    """Table -> workflow -> how many rows it has."""
    system = client._sys_db
    with system.engine.connect() as connection:
        return {
            name: Counter(connection.execute(sa.select(getattr(system.tables, name).c.workflow_uuid)).scalars())
            for name in ("workflow_status", *PAYLOADS)
        }


def old(runs: Runs, kept: int, days: float, now: datetime = NOW) -> OldRecords:
    return OldRecords(runs.client, kept, days * DAY, lambda: now)


def test_of_what_ended_the_newest_and_the_latest_stay_and_the_rest_leaves_nothing_behind(runs: Runs) -> None:
    for name, days_ago, status in (
        ("succeeded", 90, "SUCCESS"),
        ("failed", 80, "ERROR"),
        ("cancelled", 70, "CANCELLED"),
        ("gave up", 60, "MAX_RECOVERY_ATTEMPTS_EXCEEDED"),
        ("waits", 100, "ENQUEUED"),
        ("is being done", 100, "PENDING"),
        ("second", 50, "SUCCESS"),
        ("newest", 40, "SUCCESS"),
    ):
        began(runs, name, days_ago, status)
    began(runs, "succeeded/heavy/1", 90, "SUCCESS", STEP_WORKFLOW)
    began(runs, "is being done/heavy/1", 99, "ERROR", STEP_WORKFLOW)
    began(runs, "is being done/heavy/2", 99, "PENDING", STEP_WORKFLOW)

    assert old(runs, kept=6, days=7).remove() == 0, "six have ended"
    assert old(runs, kept=1, days=100).remove() == 0, "all ended within a hundred days"
    assert old(runs, kept=2, days=75).remove() == 3
    assert old(runs, kept=2, days=75).remove() == 0
    left = {run.id for run in runs.newest()}
    assert left == {"cancelled", "gave up", "waits", "is being done", "second", "newest"}
    assert old(runs, kept=2, days=7, now=NOW + 3650 * DAY).remove() == 2, "a clock that jumped ten years"
    left = {"waits", "is being done", "second", "newest"}
    assert {run.id for run in runs.newest()} == left
    steps = {"is being done/heavy/1", "is being done/heavy/2"}
    found = rows(runs.client)
    assert set(found["workflow_status"]) == left | steps
    for table in PAYLOADS:
        assert set(found[table]) <= left | steps, table
    assert set(found["workflow_input"]) == left
    with pytest.raises(RequestError, match="There is no run 'failed'"):
        runs.show("failed")
    assert runs.start("retrain", {}, "failed") == "failed", "its id is free"
    assert runs.status("failed") == QUEUED


def test_a_run_that_is_resumed_between_the_look_and_the_deletion_stays(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    began(runs, "cancelled", 90, "CANCELLED")
    began(runs, "newest", 1, "SUCCESS")
    delete = OldRecords._delete

    def resumed_first(records: OldRecords, ids: list[str]) -> int:
        if runs.status("cancelled") == CANCELLED:
            runs.resume("cancelled")
        return delete(records, ids)

    monkeypatch.setattr(OldRecords, "_delete", resumed_first)
    assert old(runs, kept=1, days=7).remove() == 0
    assert runs.status("cancelled") == QUEUED
    assert rows(runs.client)["operation_outputs"]["cancelled"] == 1


def test_every_table_of_dbos_is_emptied_by_its_keys_or_by_us(runs: Runs) -> None:
    """The tables that name a workflow without a foreign key keep their rows when the workflow is deleted."""
    status = runs.client._sys_db.tables.workflow_status
    without_key = {
        table.name
        for table in status.metadata.sorted_tables
        if "workflow_uuid" in table.c and table is not status and not table.c.workflow_uuid.foreign_keys
    }
    assert without_key == set(PAYLOADS), "this release of DBOS has others: adapt training/scheduler/old_records.py"


def one_after_the_other(runs: Runs, ids: list[str]) -> None:
    """Ticks that are made up at once may bear one instant."""
    status = runs.client._sys_db.tables.workflow_status
    with runs.client._sys_db.engine.begin() as connection:
        for at, each in enumerate(ids):
            later = sa.update(status).where(status.c.workflow_uuid == each).values(created_at=status.c.created_at + at)
            connection.execute(later)


def test_ticks_that_a_schedule_needs_stay_so_that_none_fires_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(durable_run, "StepProcess", FakeProcess)
    FakeProcess.asked, FakeProcess.errors, FakeProcess.hold, FakeProcess.plan = [], {}, set(), {}
    real = datetime.now(UTC)
    at = real + timedelta(hours=6)
    late = real + 24 * DAY
    with launched(load_settings(), lambda: late, look_every_s=3600) as found:
        Schedules(found.client).put(Schedule("nightly", "retrain", {}, f"{at.minute} {at.hour} * * *"))
        made_up = {tick.workflow_id for tick in found.client.backfill_schedule("nightly", real, late)}
        assert len(made_up) == 24
        for each in made_up:
            found.client.retrieve_workflow(each).get_result()
        (run,) = found.newest()
        assert ended(found, run.id) == SUCCEEDED
        assert FakeProcess.asked == ["begin", *STEP_NAMES, "end"]
        one_after_the_other(found, sorted(made_up))
        records = OldRecords(found.client, 1, 7 * DAY, lambda: late + 365 * DAY)
        assert records.remove() == 24 - NEWEST
        left = found.client.list_workflows(name=TICK_WORKFLOW)
        assert {tick.workflow_id for tick in left} < made_up
        assert len(past_ticks(found.client, "nightly")) == len(left) == NEWEST
        assert MissedTicks(found.client, lambda: late).make_up(timedelta(0)) == []
        (state,) = Schedules(found.client).all()
        assert state.last_tick == max(tick.at for tick in past_ticks(found.client, "nightly"))
        assert [each.id for each in found.newest()] == [run.id]
