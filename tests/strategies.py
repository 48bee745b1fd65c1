"""Hypothesis event streams: ties, disorder, lateness, duplicates, missing values, future events, extreme values."""

from hypothesis import strategies as st

from shared_features.kernel import aggregations
from shared_features.kernel.aggregations import (
    Aggregation,
    ApproxDistinct,
    Count,
    First,
    Last,
    Sum,
    TimeSinceLast,
)
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US
from shared_features.kernel.feature_spec import MAX_VALUE, Column, FeatureSpec
from shared_features.kernel.layout import Layout
from tests.oracle import Event, mix

ORIGIN_US = 1_700_000_000_000_000
NO_HEAD_US, SOME_HEAD_US = 0, 5 * MINUTE_US

EVERY = tuple(
    each() for each in Aggregation.__subclasses__() if each.__module__.startswith(f"{aggregations.__name__}.")
)
"""One of each class: a new one is drawn, read and stored by every test here without being named."""
CONTENTS: tuple[Aggregation, ...] = (Count(), First(), Last(), TimeSinceLast(), ApproxDistinct(k=3), ApproxDistinct())
NUMBERS = (Count(), *(each for each in EVERY if each not in CONTENTS))
WINDOWS = (
    (HOUR_US, MINUTE_US),
    (90 * MINUTE_US, 5 * MINUTE_US),
    (DAY_US, HOUR_US),
    (23 * HOUR_US, HOUR_US),
    (3 * DAY_US, DAY_US),
)
EXACT_SLIDING = ((HOUR_US, 1), (DAY_US, 1))


def layout(
    windows: tuple[tuple[int, int], ...] = WINDOWS,
    aggregations: tuple[Aggregation, ...] = (*NUMBERS, *CONTENTS[1:]),
    head_us: int = SOME_HEAD_US,
) -> Layout:
    """Two columns and the events themselves, each aggregation of each over each window."""
    columns = (Column("amount", 2), Column("place", 0))
    features = tuple(
        FeatureSpec(f"{column}_{each.name}_{length}_{hop}", each, column, length, hop)
        for each in aggregations
        for column in (None, 0, 1)
        for length, hop in windows
        if column is not None or not each.needs_column
    )
    return Layout(columns, features, head_us)


LAYOUTS = (
    layout(WINDOWS, NUMBERS),
    layout(WINDOWS, CONTENTS),
    layout(WINDOWS[:1], head_us=NO_HEAD_US),
    layout(EXACT_SLIDING, (Count(), Sum(), Last())),
    layout(WINDOWS[2:], (Count(),)),
)


def layouts() -> st.SearchStrategy[Layout]:
    """A few layouts that differ in hops, registers and sets."""
    return st.sampled_from(LAYOUTS)


def instants() -> st.SearchStrategy[int]:
    """Times around an origin: near each other, at edges of tiles and windows, and days apart."""
    steps = st.sampled_from([0, 1, MINUTE_US, 5 * MINUTE_US, HOUR_US, DAY_US])
    edges = st.builds(
        lambda step, count, off: ORIGIN_US + step * count + off, steps, st.integers(-6, 6), st.integers(-1, 1)
    )
    return edges | st.integers(ORIGIN_US - 6 * DAY_US, ORIGIN_US + 6 * DAY_US)


def values() -> st.SearchStrategy[int]:
    """Fixed-point values: small ones that tie and cancel, amounts, and the extremes a column may hold."""
    return (
        st.integers(-3, 3)
        | st.integers(0, 1_000_000)
        | st.sampled_from([MAX_VALUE, -MAX_VALUE, MAX_VALUE - 1, (1 << 31) - 1, 1 << 31, 1 << 26])
        | st.integers(-MAX_VALUE, MAX_VALUE)
    )


@st.composite
def events(draw: st.DrawFn) -> Event:
    """One event of two columns, either of which may be missing; its digest is one of its content and of an id."""
    event_time_us = draw(instants())
    both = (draw(values()), draw(values()))
    valid = (draw(st.integers(0, 5)) > 0, draw(st.integers(0, 5)) > 0)
    word = mix(event_time_us)
    for part in (*both, *valid, draw(st.integers(0, 2))):
        word = mix((word ^ part) % 2**64)
    return Event(event_time_us, word, both, valid)


@st.composite
def event_streams(draw: st.DrawFn, max_size: int = 40) -> list[Event]:
    """Events of one entity in the order they arrive: any order, late ones and copies included."""
    fresh = draw(st.lists(events(), max_size=max_size))
    if draw(st.booleans()):
        fresh.sort()
    copies = draw(st.lists(st.sampled_from(fresh), max_size=6)) if fresh else []
    return draw(st.permutations(fresh + copies)) if draw(st.booleans()) else fresh + copies
