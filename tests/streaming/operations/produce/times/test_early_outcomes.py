"""A file of outcomes that features count has to say when the outcomes were known."""

from dataclasses import replace

import pytest

from shared_features import Aggregate, Count, Entity, FeatureGroup, LabelSource, LaterEvents, days, hours, minutes
from shared_features.definitions import Catalogue
from shared_features.kernel.event_time import to_us
from streaming.operations.produce.rows.row_encoder import Reading
from streaming.operations.produce.times.arrival_text import ArrivalText, arrival_text
from streaming.operations.produce.times.early_outcomes import early_outcomes
from tests.domains import parcels

OUTCOMES = FeatureGroup(
    name="outcomes",
    version=1,
    entity=Entity("parcel", keys=("parcel",)),
    sources=(parcels.ENDED,),
    aggregates=(Aggregate(None, Count(), windows=(hours(1),)),),
)


TWO_HOURS = hours(2)


def catalogue(*groups, delay=TWO_HOURS):
    labels = parcels.OUTCOME.predicted
    assert labels is not None
    view = replace(parcels.OUTCOME, labels=replace(labels, delay=delay))
    return Catalogue((view,), (parcels.CARRIER_WORK, *groups), (parcels.SENT, parcels.ENDED))


def test_outcomes_that_count_at_their_event_time_are_told():
    told = early_outcomes(catalogue(OUTCOMES), parcels.ENDED, Reading({}))
    assert told.startswith(f"! {parcels.ENDED.name}: its rows count as known at their event time.")
    assert "2 h later" in told
    assert f"--arrival {parcels.ENDED.name}=COLUMN" in told
    assert OUTCOMES.label in told


@pytest.mark.parametrize(("delay", "written"), [(minutes(1), "+1min"), (hours(36), "+36h"), (days(7), "+7d")])
def test_the_delay_is_written_as_arrival_takes_it(delay, written):
    """`known 1 min later` was followed by `+1h`."""
    told = early_outcomes(catalogue(OUTCOMES, delay=delay), parcels.ENDED, Reading({}))
    assert told.endswith(f"or {parcels.ENDED.name}={written}")
    assert arrival_text(written) == ArrivalText(None, to_us(delay))


@pytest.mark.parametrize("reading", [Reading({}, arrival="seen"), Reading({}, known_after_us=1)])
def test_outcomes_that_say_when_they_were_known_are_not(reading):
    assert early_outcomes(catalogue(OUTCOMES), parcels.ENDED, reading) == ""


def test_neither_are_those_that_no_feature_counts_or_that_are_known_at_once():
    assert early_outcomes(catalogue(), parcels.ENDED, Reading({})) == ""
    assert early_outcomes(catalogue(OUTCOMES, delay=hours(0)), parcels.ENDED, Reading({})) == ""


def test_neither_are_events_that_a_label_is_computed_from():
    """They say nothing about an earlier event: each is known when it happens."""
    labels = LabelSource(parcels.ENDED, LaterEvents(None, Count(), hours(1)), join="parcel", delay=hours(2))
    later = Catalogue((replace(parcels.OUTCOME, labels=labels),), (OUTCOMES,), (parcels.SENT, parcels.ENDED))
    assert early_outcomes(later, parcels.ENDED, Reading({})) == ""
