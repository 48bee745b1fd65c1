"""Events that logged predictions need stay until an audit has left its mark, and so do the days of the log itself."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import msgspec
import polars as pl
import pytest
from deltalake import CommitProperties, write_deltalake
from deltalake.transaction import Transaction

from shared_features.formats.audit_mark import AUDIT_MARK, encode_mark
from shared_features.formats.offline_tables import ARRIVAL_DATE, ARRIVAL_TIME, WATERMARK_APP
from shared_features.kernel.event_time import to_text
from streaming.operations.retention.needs import needs
from streaming.operations.retention.retain import retain_nightly
from streaming.operations.retention.unaudited import unaudited
from tests.shared_features.formats.test_prediction_log import LOGGED
from tests.streaming.operations.retention.test_retain import DAYS, END_US, days_of, history
from tests.streaming.operations.stored_world import DAY_US, START_US, StoredWorld
from tests.streaming.small_domain import PAYER, PAYMENTS

__all__ = ["history"]
RETAIN = ("retain", "--before", "2026-01-03", "--execute")
LOG = "events_prediction_log"


@pytest.fixture
def logged(history: StoredWorld) -> StoredWorld:
    """A prediction on each day but the last, one of a view that is gone, and one that was erased."""
    at = [START_US + day * DAY_US + DAY_US // 2 for day in range(DAYS - 1)]
    rows = [_row(at_us, "view:v1", [at_us, at_us - 1_000]) for at_us in at]
    rows += [_row(at[0], "gone:v1", [5]), _row(at[0], "view:v1", [])]
    properties = CommitProperties(app_transactions=[Transaction(WATERMARK_APP, END_US)])
    write_deltalake(history.lake / LOG, pl.DataFrame(rows), partition_by=[ARRIVAL_DATE], commit_properties=properties)
    return history


def _row(at_us: int, view: str, instants: list[int]) -> dict[str, object]:
    record = msgspec.structs.asdict(msgspec.structs.replace(LOGGED, view=view, instants=json.dumps(instants)))
    return record | {ARRIVAL_TIME: at_us, ARRIVAL_DATE: to_text(at_us)[:10]}


def mark(world: StoredWorld, until_us: int) -> None:
    (world.lake / AUDIT_MARK).write_bytes(encode_mark(until_us))


def test_nothing_that_a_prediction_needs_goes_before_it_was_audited(logged: StoredWorld) -> None:
    text = logged.run(*RETAIN, code=1)
    assert "predictions of view:v1 in the prediction log that are not audited: run `python -m training audit`" in text
    assert "records of the prediction log that are not audited" in text
    assert (len(days_of(logged)), len(days_of(logged, LOG))) == (DAYS, DAYS - 1)
    mark(logged, START_US + 4 * DAY_US)
    text = logged.run(*RETAIN)
    assert "payments: 16 events deleted" in text
    assert "prediction_log: 4 events deleted" in text
    assert (len(days_of(logged)), len(days_of(logged, LOG))) == (DAYS - 2, DAYS - 3)


def test_what_is_needed_is_what_the_windows_of_its_views_reach(logged: StoredWorld) -> None:
    mark(logged, START_US + 3 * DAY_US)
    (found,) = unaudited(logged.settings, logged.catalogue, PAYMENTS)
    earliest_us = START_US + 3 * DAY_US + DAY_US // 2 - 1_000
    assert earliest_us - found[1] >= max(group.readable_us for group in (PAYER,))
    assert any("are not audited" in need.what for need in needs(logged.settings, logged.catalogue, PAYMENTS))
    mark(logged, END_US)
    assert not list(unaudited(logged.settings, logged.catalogue, PAYMENTS))


def test_every_night_the_audited_days_of_the_log_go_and_by_a_setting_the_others_too(logged: StoredWorld) -> None:
    mark(logged, START_US + 2 * DAY_US)
    keep_days = (datetime.now(UTC).date() - date(2026, 1, 4)).days
    retain_nightly(logged.settings, keep_days)
    assert days_of(logged, LOG) == ["2026-01-03", "2026-01-04", "2026-01-05"]
    kept = len(days_of(logged))
    logged.settings = logged.settings.model_copy(update={"without_audit": True})
    retain_nightly(logged.settings, keep_days)
    assert days_of(logged, LOG) == ["2026-01-04", "2026-01-05"]
    assert len(days_of(logged)) < kept


def test_the_log_can_be_named_alone_and_a_damaged_mark_deletes_nothing(logged: StoredWorld) -> None:
    (logged.lake / AUDIT_MARK).write_text("{")
    assert "is not an audit mark" in logged.run(*RETAIN, code=1)
    mark(logged, END_US)
    logged.run(*RETAIN, "--source", "prediction_log")
    assert (len(days_of(logged)), len(days_of(logged, LOG))) == (DAYS, DAYS - 3)
