"""The rows of a view that materialize computed, from one event time to another, as rows to predict.

Each says which event it is, of which entities and as of when, as the rows of an exported dataset do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import polars as pl

from shared_features.feature_matrix import category_codes, feature_matrix
from shared_features.kernel.event_time import MINUTE_US, to_text
from training.datasets.exports.event_table import identities, placed, set_apart
from training.datasets.pinned_view import EVENT_TIME, PinnedView
from training.datasets.point_in_time import read_spine_rows
from training.datasets.training_dataset import canonical
from training.errors import DatasetError
from training.inference.rows_to_predict import Slice


class StoredRows:
    """The feature rows of a view with `from_us <= event time < to_us`, as served at their events."""

    def __init__(
        self, pinned: PinnedView, from_us: int, to_us: int, rows_at_once: int, taken: Collection[str] = ()
    ) -> None:
        """taken: the columns of the predictions. Raises DatasetError where rows of that time may still come."""
        complete_us = pinned.cut_us - pinned.lateness_us
        if to_us > complete_us:
            raise DatasetError(
                f"Feature rows of {pinned.view.label} are complete up to {to_text(complete_us)}. Rows up to "
                f"{to_text(to_us)} are asked for. Give an earlier --to, or wait until materialize is beyond it."
            )
        self._pinned, self._taken = pinned, taken
        minutes = _rows_by_minute(pinned, from_us, to_us)
        self.count = int(minutes["len"].sum())
        self._bounds = _bounds(minutes, from_us, to_us, rows_at_once)

    def slices(self) -> Iterator[Slice]:
        for start_us, end_us in self._bounds:
            yield self._slice((start_us, end_us))

    def _slice(self, span: tuple[int, int]) -> Slice:
        pinned, view = self._pinned, self._pinned.view
        rows = read_spine_rows(pinned, *span)
        about = identities(pinned, rows.partition, rows.offset, span)
        about = placed(about, rows.partition, rows.offset, rows.event_time_us)
        matrix = canonical(feature_matrix(view, rows.request, rows.event_time_us, rows.stored))
        return Slice(set_apart(about, self._taken), matrix, category_codes(view, rows.request, rows.stored))


def _rows_by_minute(pinned: PinnedView, from_us: int, to_us: int) -> pl.DataFrame:
    """How many rows there are in each minute, in its order, without further records of one event."""
    inside = (pl.col(EVENT_TIME) >= from_us) & (pl.col(EVENT_TIME) < to_us) & ~pl.col("copy") & pinned.complete()
    rows = next(iter(pinned.groups.values())).scan().filter(inside)
    return rows.group_by(minute=pl.col(EVENT_TIME) // MINUTE_US).len().sort("minute").collect()


def _bounds(minutes: pl.DataFrame, from_us: int, to_us: int, rows_at_once: int) -> list[tuple[int, int]]:
    """Spans of whole minutes with about that many rows each; of a minute with more, the minute."""
    ends, rows = [from_us], 0
    for minute, count in minutes.iter_rows():
        if rows and rows + count > rows_at_once:
            ends.append(minute * MINUTE_US)
            rows = 0
        rows += count
    return list(zip(ends, [*ends[1:], to_us], strict=True)) if len(minutes) else []
