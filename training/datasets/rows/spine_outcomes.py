"""Outcomes: which label each row of a spine has, as it was known at an instant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import LabelSource, LaterEvents
from shared_features.formats.offline_tables import OFFSET, PARTITION, POSITION
from shared_features.formats.training_run import LABEL
from shared_features.kernel.event_time import to_us
from training.datasets.labels import HAPPENED, KnownLabels
from training.datasets.pinned_view import EVENT_TIME, PinnedView
from training.datasets.rows.later_values import Happened, later_outcomes, later_sums
from training.datasets.rows.position_index import PositionIndex
from training.datasets.rows.sorted_numbers import Places, SortedNumbers

_PLACE = "place of the key"


@dataclass(frozen=True)
class Outcomes:
    """Of `n` rows. label: null where it is not known. sent: whether somebody sent it; else its delay is over."""

    label: pl.Series
    sent: NDArray[np.bool_]

    @property
    def known(self) -> NDArray[np.bool_]:
        return self.label.is_not_null().to_numpy()

    def take(self, rows: Places) -> Outcomes:
        return Outcomes(self.label[rows], self.sent[rows])

    def replaced(self, rows: Places, by: Outcomes) -> Outcomes:
        """With those of some rows replaced."""
        places = np.arange(len(self.label))
        places[rows] = len(self.label) + np.arange(len(rows))
        return Outcomes(pl.concat([self.label, by.label])[places], np.concatenate([self.sent, by.sent])[places])


@dataclass(frozen=True)
class SpineKeys:
    """Rows of a spine, and the place of each among the keys of labels; -1 where no label was ever sent."""

    event_time_us: NDArray[np.int64]
    key: Places

    def take(self, rows: Places) -> SpineKeys:
        return SpineKeys(self.event_time_us[rows], self.key[rows])

    def outcomes(self, source: LabelSource, labels: KnownLabels, before_us: int | None = None) -> Outcomes:
        """The label of each row. before_us: only labels that had arrived before this instant; None: by the cutoff.

        A row whose delay was over by then has the label that the source gives to those without one.
        """
        asked_us = labels.cutoff_us + 1 if before_us is None else before_us
        if source.later is not None:
            return self._computed(source, source.later, labels, asked_us)
        label = _gathered(labels.outcomes(before_us), self.key)
        sent = label.is_not_null().to_numpy()
        if source.otherwise is None:
            return Outcomes(label, sent)
        over = self._over(source, labels, asked_us)
        without = pl.lit(source.otherwise if source.is_named else float(source.otherwise))
        frame = pl.DataFrame({LABEL: label, "over": over, "sent": sent})
        return Outcomes(frame.select(pl.when("sent").then(LABEL).when("over").then(without).alias(LABEL))[LABEL], sent)

    def _computed(self, source: LabelSource, later: LaterEvents, labels: KnownLabels, before_us: int) -> Outcomes:
        """Of later events: known once the delay is over, from those that had arrived by then."""
        found = labels.arrived(before_us)
        places = places_of(found.select(labels.joins), labels.keys)
        events = Happened(places, found[HAPPENED].to_numpy(), found[LABEL].to_numpy())
        sums = later_sums(events, self.key, self.event_time_us, to_us(later.within))
        over = self._over(source, labels, before_us)
        frame = pl.DataFrame({LABEL: later_outcomes(later, sums, later.scale(source.source)), "over": over})
        return Outcomes(frame.select(pl.when("over").then(LABEL).alias(LABEL))[LABEL], over)

    def _over(self, source: LabelSource, labels: KnownLabels, before_us: int) -> NDArray[np.bool_]:
        """Whether the delay of each row was over by then, and all that came after the row is still stored."""
        return (self.event_time_us + to_us(source.delay) < before_us) & (self.event_time_us >= labels.kept_from_us)


def complete_rows(pinned: PinnedView, labels: KnownLabels) -> tuple[PositionIndex, SpineKeys]:
    """Every complete row of a view in order of position, however old."""
    table = next(iter(pinned.groups.values()))
    rows = table.scan().filter(pinned.complete()).select(*POSITION, EVENT_TIME).collect()
    index = PositionIndex(rows[PARTITION].to_numpy(), rows[OFFSET].to_numpy())
    events = pinned.events.scan().select(*POSITION, *labels.joins).collect()
    places = places_of(events.select(labels.joins), labels.keys)
    lines = index.lines(events[PARTITION].to_numpy(), events[OFFSET].to_numpy())
    key = np.append(places, -1)[lines.of]  # an event that is not stored has no key
    return index, SpineKeys(rows[EVENT_TIME].to_numpy()[index.order], key)


def places_of(wanted: pl.DataFrame, keys: pl.DataFrame) -> Places:
    """int64[n]: the place of each among distinct keys; -1 of one that is not among them."""
    ours, theirs = wanted.to_series(), keys.to_series()
    if len(keys.columns) == 1 and theirs.dtype.is_integer() and not ours.null_count() + theirs.null_count():
        known = SortedNumbers(theirs.to_numpy())
        found = known.find(ours.to_numpy())
        return np.append(known.order, -1)[found]
    found_at = wanted.join(keys.with_row_index(_PLACE), on=keys.columns, how="left", maintain_order="left")[_PLACE]
    return found_at.cast(pl.Int64).fill_null(-1).to_numpy()


def _gathered(values: pl.Series, places: Places) -> pl.Series:
    """The value at each place; null at -1."""
    wanted = pl.Series(places)
    return values.gather(pl.select(pl.when(wanted >= 0).then(wanted)).to_series())
