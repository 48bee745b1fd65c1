"""New labels are those that the last run could not know."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from shared_features import Count, LabelSource, LaterEvents, hours
from shared_features.kernel.event_time import HOUR_US
from tests.domains.machines import BREAKDOWN, READINGS
from tests.training.machine_streams import end_us
from training.runs.plan.new_labels import count_new_labels
from training.settings import load_settings
from training.steps.run_journal import FAILED, SUCCEEDED, Journal, write_journal


def test_labels_count_from_the_cut_of_the_newest_run_that_succeeded(places, machine_lake):
    settings = load_settings()
    assert BREAKDOWN.predicted is not None
    name = f"events_{BREAKDOWN.predicted.source.name}"
    arrived = pl.read_delta(str(machine_lake / name)).filter(pl.col(BREAKDOWN.predicted.column).is_not_null())
    assert count_new_labels(settings, BREAKDOWN) == len(arrived) > 10
    cut_us = int(arrived["arrival_time_us"].sort()[-5])
    journal = Journal({}, {"cut_us": cut_us}, 0, {}, SUCCEEDED)
    later = replace(journal, data={"cut_us": 1 << 62})
    fits_nothing = replace(later, asked={"pipeline": "export"})
    for run, written in (("1", journal), ("2", replace(later, status=FAILED)), ("3", fits_nothing)):
        (places / "runs" / "breakdown" / run).mkdir(parents=True)
        write_journal(places / "runs" / "breakdown" / run, written)
    of_another_model = replace(later, asked={"model": "another"})
    (places / "runs" / "breakdown" / "4").mkdir()
    write_journal(places / "runs" / "breakdown" / "4", of_another_model)
    assert count_new_labels(settings, BREAKDOWN) == int((arrived["arrival_time_us"] >= cut_us).sum()) > 0
    assert count_new_labels(settings, BREAKDOWN, "another") == 0


def test_of_later_events_a_row_is_new_when_its_delay_has_ended_since(places, machine_lake):
    later = LabelSource(READINGS, LaterEvents(None, Count(), hours(5)), join="machine", delay=hours(6))
    view = replace(BREAKDOWN, labels=later)
    at = pl.read_delta(str(machine_lake / "events_readings"))["at"]
    complete_us, cut_us = end_us() + 2 * HOUR_US, end_us() - 24 * HOUR_US
    assert count_new_labels(load_settings(), view) == int((at < complete_us - 6 * HOUR_US).sum())
    run = places / "runs" / "breakdown" / "1"
    run.mkdir(parents=True)
    write_journal(run, Journal({}, {"cut_us": cut_us}, 0, {}, SUCCEEDED))
    since = (at >= cut_us - 6 * HOUR_US) & (at < complete_us - 6 * HOUR_US)
    assert count_new_labels(load_settings(), view) == int(since.sum()) > 0
