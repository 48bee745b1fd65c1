"""Which events count from when on, in each stage between event-time truth and what was served."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from shared_features import Count, FeatureView, LabelSource, LaterEvents, hours
from shared_features.formats.offline_tables import ARRIVAL_TIME, RECORD_TIME
from tests.domains.machines import BREAKDOWN, BREAKDOWNS, READINGS
from training.errors import TrainingError
from training.proofs.gap.served_stages import KNOWN_LATE, LATE_EVENT, Delays, stages

LATE = pl.DataFrame({"at": [10], ARRIVAL_TIME: [100], RECORD_TIME: [100]})
COUNTED = LabelSource(READINGS, LaterEvents(None, Count(), hours(1)), join="machine", delay=hours(1))


def causes_of_readings(view: FeatureView) -> list[str]:
    """The causes that move a late reading."""
    source, found, before = READINGS, [], None
    for cause, change in stages(view, Delays(late_us=50)):
        now = change(source, LATE)[ARRIVAL_TIME].item()
        if before is not None and now != before:
            found.append(cause)
        before = now
    return found


def test_an_event_that_somebody_sends_as_a_label_is_known_late() -> None:
    changes = [change(BREAKDOWNS, LATE)[ARRIVAL_TIME].item() for _, change in stages(BREAKDOWN, Delays(late_us=50))]
    assert changes == [10, 100, 100, 100, 100]
    labelled_by_readings = replace(BREAKDOWN, labels=LabelSource(READINGS, "celsius", "reading", hours(1)))
    assert causes_of_readings(labelled_by_readings) == [KNOWN_LATE]


def test_an_event_that_a_label_is_computed_from_is_late_as_others_are() -> None:
    assert causes_of_readings(replace(BREAKDOWN, labels=COUNTED)) == [LATE_EVENT]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"lag_us": -1_000_000}, "The lag is -1 seconds"),
        ({"standstills": ((0, 1), (20, 10))}, "from 1970-01-01T00:00:00.000020Z until 1970-01-01T00:00:00.000010Z"),
        ({"standstills": ((10, 10),)}, "which is not later"),
    ],
)
def test_delays_that_cannot_be_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        Delays(late_us=50, **wrong)
