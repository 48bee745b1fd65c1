"""The kernel under the same questions as the oracle: one entity, a list of events, an instant."""

import numpy as np
from numpy.typing import NDArray

from shared_features.kernel.layout import Layout
from shared_features.kernel.replay import apply
from shared_features.kernel.tile_state import TileState
from tests import oracle
from tests.oracle import Event


def expected(layout: Layout, events: list[Event], as_of: int) -> NDArray[np.float64]:
    return np.array([oracle.value(layout, feature, events, as_of) for feature in layout.features])


def apply_events(state: TileState, slot: int, events: list[Event]) -> list[int]:
    """Apply one entity's events as one batch; returns their outcomes."""
    outcomes: list[int] = apply(state, np.full(len(events), slot), *columns(events)).tolist()
    return outcomes


Columns = tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64], NDArray[np.bool_]]


def columns(events: list[Event]) -> Columns:
    """The events as the kernel takes them: times, digests, values, valid."""
    return (
        np.array([event.event_time_us for event in events], np.int64),
        np.array([event.digest for event in events], np.uint64),
        np.array([event.values for event in events], np.int64).reshape(-1, 2),
        np.array([event.valid for event in events], np.bool_).reshape(-1, 2),
    )


def assert_same(found: NDArray[np.float64], wanted: NDArray[np.float64]) -> None:
    """Equal bit for bit, NaN equal to NaN: no tolerance."""
    np.testing.assert_array_equal(found, wanted)


def assert_same_features(layout: Layout, found: NDArray[np.float64], wanted: NDArray[np.float64]) -> None:
    """Equal bit for bit; a failure names the features that differ."""
    wrong = {
        feature.name: (float(a), float(b))
        for feature, a, b in zip(layout.features, found, wanted, strict=True)
        if not (a == b or (a != a and b != b))
    }
    assert not wrong
