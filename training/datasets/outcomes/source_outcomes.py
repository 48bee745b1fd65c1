"""The outcomes of the rows of a spine by one source of labels, as they were known at an instant."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import LabelSource, LaterEvents
from shared_features.formats.training_run import LABEL
from shared_features.kernel.event_time import to_us
from training.datasets.labels import HAPPENED, KnownLabels
from training.datasets.outcomes.key_places import NAMELESS, gathered, places_of
from training.datasets.outcomes.label_windows import LabelWindows
from training.datasets.outcomes.later_values import Happened, LaterValues, later_outcomes
from training.datasets.outcomes.outcomes import Outcomes, of_one_source
from training.datasets.rows.sorted_numbers import Places


def source_outcomes(
    source: LabelSource, known: KnownLabels, key: Places, event_time_us: NDArray[np.int64], before_us: int | None
) -> Outcomes:
    """The label of each row. before_us: only labels that had arrived before this instant; None: by the cutoff.

    A row whose delay was over by then has the label that the source gives to those without one.
    """
    asked_us = known.cutoff_us + 1 if before_us is None else before_us
    over = event_time_us + to_us(source.delay) < asked_us
    # Of a row without a name, or older than what retention has kept, it is not known that no event came.
    over &= (event_time_us >= known.kept_from_us) & (key != NAMELESS)
    if source.later is not None:
        computed = _computed(source, source.later, known, key, event_time_us, asked_us)
        known_now = over & ~np.isnan(computed)
        return of_one_source(_where(known_now, computed), known_now)
    if source.within is None:
        label = gathered(known.outcomes(before_us), key)
    else:
        label = LabelWindows(key, event_time_us, to_us(source.within)).latest(known, asked_us)
    sent = label.is_not_null().to_numpy()
    if source.otherwise is None:
        return of_one_source(label, sent)
    without = pl.lit(source.otherwise if source.is_named else float(source.otherwise))
    frame = pl.DataFrame({LABEL: label, "over": over, "sent": sent})
    return of_one_source(frame.select(pl.when("sent").then(LABEL).when("over").then(without).alias(LABEL))[LABEL], sent)


def _computed(
    source: LabelSource,
    later: LaterEvents,
    known: KnownLabels,
    key: Places,
    event_time_us: NDArray[np.int64],
    before_us: int,
) -> NDArray[np.float64]:
    """From the later events that had arrived by then."""
    found = known.arrived(before_us)
    places = places_of(found.select(known.joins), known.keys)
    events = Happened(places, found[HAPPENED].to_numpy(), found[LABEL].to_numpy())
    values = LaterValues(events, key, event_time_us, to_us(later.within))
    return later_outcomes(later, values, later.scale(source.source))


def _where(there: NDArray[np.bool_], label: NDArray[np.float64]) -> pl.Series:
    """Null elsewhere."""
    return pl.DataFrame({LABEL: label, "there": there}).select(pl.when("there").then(LABEL).alias(LABEL))[LABEL]
