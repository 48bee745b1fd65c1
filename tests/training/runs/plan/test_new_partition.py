"""A partition is new when it has ended, is stored whole, holds events, and was not known whole to the last run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from shared_features.kernel.event_time import DAY_US, HOUR_US, to_datetime
from tests.domains.machines import BREAKDOWN
from tests.training.machine_streams import end_us
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.runs.plan.new_partition import new_partition
from training.runs.step_requests import answer
from training.settings import load_settings
from training.steps.run_journal import SUCCEEDED, Journal, write_journal

New = Callable[[int | None, str], str]


@pytest.fixture
def new(places: Path) -> New:
    """The newest partition of a unit, after a run whose data were complete up to a cut; None: there was no run."""

    def found(cut_us: int | None, unit: str) -> str:
        run = places / "runs" / "breakdown" / "1"
        run.mkdir(parents=True, exist_ok=True)
        if cut_us is not None:
            write_journal(run, Journal({}, {"cut_us": cut_us}, 0, {}, SUCCEEDED))
        return new_partition(load_settings(), BREAKDOWN, "", unit)

    return found


def test_a_day_is_new_until_a_run_has_known_it_whole(new: New, machine_lake: Path) -> None:
    cut_us = pin_view(OfflineStore(machine_lake), BREAKDOWN, 0).cut_us
    midnight_us = cut_us // DAY_US * DAY_US
    assert cut_us > midnight_us, "the last day has begun and is not over"
    yesterday = f"{to_datetime(midnight_us - DAY_US):%Y-%m-%d}"
    assert new(None, "day") == yesterday
    assert new(midnight_us - 3 * DAY_US, "day") == yesterday
    assert new(midnight_us - 1, "day") == yesterday
    assert new(midnight_us, "day") == new(cut_us, "day") == ""


def test_an_hour_without_an_event_is_not_new(new: New, machine_lake: Path) -> None:
    """The lake is complete for two hours after its last event."""
    arrived = pl.read_delta(str(machine_lake / f"events_{BREAKDOWN.source.name}"))["arrival_time_us"]
    hours = sorted({int(each) // HOUR_US for each in arrived})
    last_us = hours[-1] * HOUR_US
    assert last_us + HOUR_US <= pin_view(OfflineStore(machine_lake), BREAKDOWN, 0).cut_us >= end_us()
    name = f"{to_datetime(last_us):%Y-%m-%d %H:%M}"
    assert new(None, "hour") == name
    assert new(last_us + HOUR_US - 1, "hour") == name
    assert new(last_us + HOUR_US, "hour") == ""


def test_the_process_of_steps_answers_and_names_a_table_that_does_not_exist(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"do": "new_partition", "unit": "day", "template": "retrain", "parameters": {}}
    assert answer(load_settings(), asked)["result"].startswith("20")
    monkeypatch.setenv("MILLRACE_LAKE", str(places / "nothing"))
    failed = answer(load_settings(), asked)
    assert "has no table" in failed["error"]
    assert failed["transient"] is False
