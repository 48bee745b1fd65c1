"""Historical features: the values of a view for any entities as of any instants, by a replay of the stored events.

The feature rows of materialize are those of a view's own events. Here the rows are a user's, so the same engine
replays the events of their entities. *As served* an event counts from the instant at which the online store could have
had it; in *event time* it counts right after it happened, whenever it arrived.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.feature_matrix import category_codes, feature_matrix, request_floats
from training.datasets.categories import named_values
from training.datasets.given_spine import GivenSpine
from training.datasets.history.entity_slices import EVENTS_AT_ONCE
from training.datasets.history.pinned_history import PinnedHistory, pin_history
from training.datasets.history.replayed import Truth, stored_at
from training.datasets.offline_store import OfflineStore
from training.datasets.rows.event_series import stored_kind
from training.datasets.training_dataset import canonical
from training.errors import DatasetError
from training.progress import Tell, untold

__all__ = ["HistoricalRows", "Truth", "features_at", "historical_features", "historical_rows", "stored_features"]


@dataclass(frozen=True)
class HistoricalRows:
    """`n` rows of a spine. matrix: float32[n, features] with NaN for categories. codes: float64[n, categories]."""

    matrix: NDArray[np.float32]
    codes: NDArray[np.float64]


def historical_features(
    store: OfflineStore,
    spine: GivenSpine,
    truth: Truth = "as-served",
    lag_us: int = 0,
    tell: Tell = untold,
    events_at_once: int = EVENTS_AT_ONCE,
) -> pl.DataFrame:
    """`features_at` of the newest versions of the tables."""
    return features_at(pin_history(store, spine.view), spine, truth, lag_us, tell, events_at_once)


def historical_rows(
    store: OfflineStore,
    spine: GivenSpine,
    truth: Truth = "as-served",
    lag_us: int = 0,
    tell: Tell = untold,
    events_at_once: int = EVENTS_AT_ONCE,
) -> HistoricalRows:
    """The same features as a model takes them. Raises as `features_at` does."""
    return _rows(spine, stored_at(pin_history(store, spine.view), spine, truth, lag_us, tell, events_at_once))


def stored_features(
    store: OfflineStore, spine: GivenSpine, truth: Truth = "as-served", lag_us: int = 0, tell: Tell = untold
) -> dict[str, NDArray[np.float64]]:
    """Part name of a group -> float64[n, features of the part]. Raises as `features_at` does."""
    return stored_at(pin_history(store, spine.view), spine, truth, lag_us, tell)


def features_at(
    history: PinnedHistory,
    spine: GivenSpine,
    truth: Truth = "as-served",
    lag_us: int = 0,
    tell: Tell = untold,
    events_at_once: int = EVENTS_AT_ONCE,
) -> pl.DataFrame:
    """The given table with a column for each feature of the view, in the view's order: float32, or a category's value.

    Options and errors are those of `stored_at`. Raises DatasetError for a column that a feature would replace.
    """
    _refuse_other_columns(spine)
    view, rows = spine.view, _rows(spine, stored_at(history, spine, truth, lag_us, tell, events_at_once))
    features: dict[str, Any] = {column.name: rows.matrix[:, at] for at, column in enumerate(view.columns)}
    for at, (_, column) in enumerate(view.categories):
        (given,) = column.inputs
        if given.field is not None:
            features[column.name] = _given(spine, given.field)
        elif given.feature is not None:
            theirs = [history.tables[source.name] for source in given.feature.group.sources]
            features[column.name] = named_values(view, column, rows.codes[:, at], theirs)
    return spine.given.with_columns(**{name: pl.Series(name, values) for name, values in features.items()})


def _given(spine: GivenSpine, name: str) -> pl.Series:
    """A request field of the table; an optional one that was left out is missing in each row."""
    if name in spine.given.columns:
        return spine.given[name]
    return pl.Series(name, [None] * len(spine), stored_kind(spine.view.source, name))


def _rows(spine: GivenSpine, stored: dict[str, NDArray[np.float64]]) -> HistoricalRows:
    view = spine.view
    request = request_floats(view.source, spine.columns, spine.valid)
    matrix = canonical(feature_matrix(view, request, spine.as_of_us, stored))
    return HistoricalRows(matrix, category_codes(view, request, stored))


def _refuse_other_columns(spine: GivenSpine) -> None:
    """A column of the name of a feature is only right where the feature is that request field."""
    view = spine.view
    same = {each.name for each in view.columns if each.function is None and each.inputs[0].field == each.name}
    if taken := [each.name for each in view.columns if each.name in spine.given.columns and each.name not in same]:
        raise DatasetError(
            f"The spine has columns with the names of features: {', '.join(taken)}. The features of "
            f"{spine.features_of} would replace them. Rename or drop these columns."
        )
