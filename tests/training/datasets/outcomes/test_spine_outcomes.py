from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_features import Count, LabelSource, LaterEvents, days
from shared_features.kernel.event_time import to_us
from tests.domains.machines import BREAKDOWN, BREAKDOWNS
from training.datasets.labels import HAPPENED, KnownLabels
from training.datasets.outcomes.key_places import places_of
from training.datasets.outcomes.outcomes import of_one_source
from training.datasets.outcomes.spine_outcomes import SpineKeys
from training.datasets.outcomes.view_labels import ViewLabels

LABELS = BREAKDOWN.predicted


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


def labels_of(source: LabelSource, labels: KnownLabels) -> ViewLabels:
    return ViewLabels((source,), (labels,), labels.cutoff_us)


def test_a_row_has_the_label_that_had_arrived_before_an_instant() -> None:
    assert LABELS is not None
    labels = known()
    keys = places_of(pl.DataFrame({"reading": ["r0", "r1", "r2"]}), labels.keys)
    rows = SpineKeys(np.zeros(3, np.int64), (keys,))
    for before_us, wanted in ((None, [1.0, 1.0, None]), (25, [1.0, 0.0, None]), (15, [None, 0.0, None])):
        outcomes = rows.outcomes(labels_of(LABELS, labels), before_us)
        assert outcomes.label.to_list() == wanted
        assert outcomes.known.tolist() == outcomes.sent.tolist() == [each is not None for each in wanted]
        assert outcomes.source.tolist() == [-1 if each is None else 0 for each in wanted]


def test_outcomes_of_some_rows_replace_those_that_were_there() -> None:
    ours = of_one_source(pl.Series([1.0, None, 0.0]), np.array([True, False, True]))
    found = ours.replaced(np.array([2, 0]), of_one_source(pl.Series([None, 0.0]), np.array([False, True])))
    assert found.label.to_list() == [0.0, None, None]
    assert found.sent.tolist() == [True, False, False]
    assert found.source.tolist() == [0, -1, -1]


@pytest.mark.parametrize("value", ["broke", LaterEvents(None, Count(), days(1))])
def test_where_retention_deleted_events_their_absence_is_no_label(value: str | LaterEvents) -> None:
    """The events after the first row are gone. That none is stored does not say that none came."""
    assert LABELS is not None
    otherwise = None if isinstance(value, LaterEvents) else False
    source = replace(LABELS, value=value, otherwise=otherwise)
    labels = replace(known(), kept_from_us=3, together=isinstance(value, LaterEvents))
    rows = SpineKeys(np.array([2, 3]), (np.array([-1, -1]),))
    assert rows.outcomes(labels_of(source, labels)).label.to_list() == [None, 0.0]


_LABELS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.integers(0, 20), st.booleans()), max_size=12)
"""Of which key, when it happened, when it arrived, what it says."""
_ROWS = st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 12)), min_size=1, max_size=8)
Labels = list[tuple[int, int, int, bool]]


def known_of(labels: Labels) -> KnownLabels:
    frame = pl.DataFrame(
        labels, [("key", pl.Int64), (HAPPENED, pl.Int64), ("arrived", pl.Int64), ("label", pl.Boolean)], orient="row"
    )
    events = frame.select(
        "key",
        pl.col("label").cast(pl.Float64),
        HAPPENED,
        pl.col("arrived").alias("label_arrival_us"),
        pl.lit(0).alias("kafka_partition"),
        pl.int_range(pl.len()).alias("kafka_offset"),
    )
    return KnownLabels(("key",), 20, events)


def naive(source: LabelSource, labels: Labels, key: int, at: int, before_us: int) -> float | None:
    """By a loop: the latest label inside the window, of equal times the last to arrive, of these the last stored."""
    found = [
        (happened, arrived, number, said)
        for number, (whose, happened, arrived, said) in enumerate(labels)
        if whose == key and arrived < before_us
        and (source.within is None or at <= happened <= at + to_us(source.within))
    ]  # fmt: skip
    if found:
        return float(max(found)[-1])
    return None if source.otherwise is None or at + to_us(source.delay) >= before_us else float(source.otherwise)


@given(
    st.lists(st.tuples(_LABELS, st.none() | st.integers(1, 6)), min_size=1, max_size=3),
    _ROWS,
    st.none() | st.integers(0, 21),
    st.booleans(),
)
def test_a_label_equals_its_definition(
    given_sources: list[tuple[Labels, int | None]], rows: list[tuple[int, int]], before_us: int | None, absent: bool
) -> None:
    """In windows and without, of one source and of several: the first that knows a label gives it."""
    sources = [
        LabelSource(BREAKDOWNS, "broke", "reading", _us(7), within=None if within is None else _us(within),
                    otherwise=False if absent and number == len(given_sources) - 1 else None)
        for number, (_, within) in enumerate(given_sources)
    ]  # fmt: skip
    known = tuple(known_of(labels) for labels, _ in given_sources)
    labels = ViewLabels(tuple(sources), known, 20)
    wanted = pl.DataFrame({"key": [key for key, _ in rows]}, {"key": pl.Int64})
    at = np.array([at for _, at in rows], np.int64)
    keys = SpineKeys(at, tuple(places_of(wanted, each.keys) for each in known))
    found = keys.outcomes(labels, before_us)
    asked_us = 21 if before_us is None else before_us
    for row, (key, at_us) in enumerate(rows):
        said = [naive(each, told, key, at_us, asked_us) for each, (told, _) in zip(sources, given_sources, strict=True)]
        first = next((place for place, label in enumerate(said) if label is not None), -1)
        assert found.source[row] == first
        assert found.label[row] == (None if first < 0 else said[first])
    outside = sum(
        all(not at_us <= happened <= at_us + (within or 0) for key, at_us in rows if key == whose)
        for told, within in given_sources
        for whose, happened, *_ in told
        if within is not None and whose in {key for key, _ in rows}
    )
    counts = keys.label_counts(labels)
    assert (counts.outside, counts.known) == (outside, sum(len(told) for told, _ in given_sources))


def _us(count: int) -> timedelta:
    return timedelta(microseconds=count)
