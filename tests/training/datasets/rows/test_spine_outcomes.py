from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from shared_features import Count, LaterEvents, days
from tests.domains.machines import BREAKDOWN
from training.datasets.labels import KnownLabels
from training.datasets.rows.spine_outcomes import Outcomes, SpineKeys, places_of

LABELS = BREAKDOWN.labels


@pytest.mark.parametrize(
    ("wanted", "keys", "places"),
    [
        ([5, 9, 4], [4, 5, 6], [1, -1, 0]),
        ([5, 9, 4], [90, 5, 9], [1, 2, -1]),
        ([5, None, 4], [4, 5], [1, -1, 0]),
        (["b", None, "c"], ["a", "b"], [1, -1, -1]),
    ],
)
def test_each_key_is_found_among_those_of_the_labels(wanted: list[Any], keys: list[Any], places: list[int]) -> None:
    found = places_of(pl.DataFrame({"key": wanted}), pl.DataFrame({"key": keys}))
    assert found.tolist() == places


def test_several_columns_are_one_key() -> None:
    keys = pl.DataFrame({"a": [1, 1, 2], "b": ["x", "y", "x"]})
    assert places_of(keys[[2, 0]].vstack(pl.DataFrame({"a": [3], "b": ["x"]})), keys).tolist() == [2, 0, -1]


def known() -> KnownLabels:
    """Of r0 one label, of r1 two, of which the later one arrived last."""
    columns = {"reading": ["r1", "r0", "r1"], "label": [0.0, 1.0, 1.0], "label_event_time_us": [5, 5, 6]}
    rows = {"label_arrival_us": [10, 20, 30], "kafka_partition": [0, 0, 0], "kafka_offset": [1, 2, 3]}
    return KnownLabels(("reading",), 100, pl.DataFrame({**columns, **rows}))


def test_a_row_has_the_label_that_had_arrived_before_an_instant() -> None:
    assert LABELS is not None
    labels = known()
    keys = places_of(pl.DataFrame({"reading": ["r0", "r1", "r2"]}), labels.keys)
    rows = SpineKeys(np.zeros(3, np.int64), keys)
    for before_us, wanted in ((None, [1.0, 1.0, None]), (25, [1.0, 0.0, None]), (15, [None, 0.0, None])):
        outcomes = rows.outcomes(LABELS, labels, before_us)
        assert outcomes.label.to_list() == wanted
        assert outcomes.known.tolist() == outcomes.sent.tolist() == [each is not None for each in wanted]


def test_outcomes_of_some_rows_replace_those_that_were_there() -> None:
    ours = Outcomes(pl.Series([1.0, None, 0.0]), np.array([True, False, True]))
    found = ours.replaced(np.array([2, 0]), Outcomes(pl.Series([None, 0.0]), np.array([False, True])))
    assert found.label.to_list() == [0.0, None, None]
    assert found.sent.tolist() == [True, False, False]


@pytest.mark.parametrize("value", ["broke", LaterEvents(None, Count(), days(1))])
def test_where_retention_deleted_events_their_absence_is_no_label(value: str | LaterEvents) -> None:
    """The events after the first row are gone. That none is stored does not say that none came."""
    assert LABELS is not None
    otherwise = None if isinstance(value, LaterEvents) else False
    source = replace(LABELS, value=value, otherwise=otherwise)
    labels = replace(known(), kept_from_us=3, together=isinstance(value, LaterEvents))
    rows = SpineKeys(np.array([2, 3]), np.array([-1, -1]))
    assert rows.outcomes(source, labels).label.to_list() == [None, 0.0]
