"""Label windows: of the labels of a row's key only those count that happened from its time up to so much later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.formats.training_run import LABEL
from training.datasets.labels import HAPPENED, KnownLabels
from training.datasets.outcomes.key_places import gathered, places_of
from training.datasets.outcomes.key_times import KeyTimes
from training.datasets.rows.sorted_numbers import Places


@dataclass(frozen=True)
class LabelWindows:
    """Of `m` rows. key: int64[m], the place of each among the keys of the labels; below 0: it has none."""

    key: Places
    time_us: NDArray[np.int64]
    within_us: int

    def latest(self, known: KnownLabels, before_us: int) -> pl.Series:
        """The label of each row: of those inside that had arrived before an instant, the one of the latest event time.

        Among equal times it is the last to arrive. Null where none is inside.
        """
        events, times = _in_order(known, before_us)
        first, end = self._inside(times)
        last = np.append(times.order, -1)[np.where(end > first, end - 1, -1)]
        return gathered(events[LABEL], last)

    def outside(self, known: KnownLabels) -> int:
        """How many labels of the rows' keys had arrived by the cutoff and are inside the window of no row."""
        events, times = _in_order(known, known.cutoff_us + 1)
        first, end = self._inside(times)
        ends = [np.bincount(each[end > first], minlength=len(times) + 1) for each in (first, end)]
        inside = np.cumsum(ends[0] - ends[1])[:-1] > 0
        of_a_row = np.isin(events[_PLACE].to_numpy()[times.order], self.key)
        return int((of_a_row & ~inside).sum())

    def _inside(self, times: KeyTimes) -> tuple[Places, Places]:
        """The labels inside the window of each row: from the first place in the order of times up to the second."""
        return times.up_to(self.key, self.time_us - 1), times.up_to(self.key, self.time_us + self.within_us)


_PLACE = "place of the key"


def _in_order(known: KnownLabels, before_us: int) -> tuple[pl.DataFrame, KeyTimes]:
    """The labels that name something, in order of arrival."""
    arrived = known.arrived(before_us)
    places = places_of(arrived.select(known.joins), known.keys)
    events = arrived.with_columns(pl.Series(_PLACE, places)).filter(pl.col(_PLACE) >= 0)
    return events, KeyTimes(events[_PLACE].to_numpy(), events[HAPPENED].to_numpy())
