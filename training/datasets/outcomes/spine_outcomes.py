"""The rows of a spine with the keys that labels join on, and the label of each as it was known at an instant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared_features.formats.dataset_manifest import LabelCounts
from shared_features.formats.offline_tables import OFFSET, PARTITION, POSITION
from shared_features.kernel.event_time import to_us
from training.datasets.outcomes.key_places import places_of
from training.datasets.outcomes.label_windows import LabelWindows
from training.datasets.outcomes.outcomes import Outcomes, first_known
from training.datasets.outcomes.source_outcomes import source_outcomes
from training.datasets.outcomes.view_labels import ViewLabels
from training.datasets.pinned_view import PinnedView
from training.datasets.rows.group_rows import GroupRows, group_rows
from training.datasets.rows.sorted_numbers import Places, small


@dataclass(frozen=True)
class SpineKeys:
    """Rows of a spine. keys: of each source of labels, the place of each row among its keys; -1: no label was sent.

    lines: which row of the events table each is, -1 where it is not stored; None where events have the same position.
    """

    event_time_us: NDArray[np.int64]
    keys: tuple[Places, ...]
    lines: NDArray[np.integer] | None = None

    def take(self, rows: Places) -> SpineKeys:
        return SpineKeys(self.event_time_us[rows], tuple(key[rows] for key in self.keys))

    def without_lines(self, start_us: int, end_us: int) -> tuple[SpineKeys, NDArray[np.integer] | None]:
        """The same without `lines`, and those of the rows with `start_us <= event time < end_us`."""
        lines = None if self.lines is None else self.lines[self.within(start_us, end_us)]
        return SpineKeys(self.event_time_us, self.keys), lines

    def within(self, start_us: int, end_us: int) -> Places:
        """int64: the rows with `start_us <= event time < end_us`."""
        return np.flatnonzero((self.event_time_us >= start_us) & (self.event_time_us < end_us))

    def outcomes(self, labels: ViewLabels, before_us: int | None = None) -> Outcomes:
        """The label of each row, by the first source that knows it. before_us: as it was known before this instant."""
        pairs = zip(labels.sources, labels.known, self.keys, strict=True)
        return first_known(
            [source_outcomes(source, known, key, self.event_time_us, before_us) for source, known, key in pairs]
        )

    def label_counts(self, labels: ViewLabels) -> LabelCounts:
        """What had arrived by the cutoff, of all sources."""
        outside = [
            LabelWindows(key, self.event_time_us, to_us(source.within)).outside(known)
            for source, known, key in zip(labels.sources, labels.known, self.keys, strict=True)
            if source.within is not None
        ]
        events = sum(each.events.height for each in labels.known)
        conflicts = sum(each.conflicts for each in labels.known)
        return LabelCounts(labels.cutoff_us, events, conflicts, sum(outside), labels.events_by_source)


def split_outcomes(
    labels: ViewLabels, at_cutoff: Outcomes, train: Places, of_train: SpineKeys, test_start_us: int
) -> Outcomes:
    """The outcomes of the rows of a split: of those to train on, as they were known when the test began.

    Nobody could have trained on a later one. at_cutoff: of all rows, as they are for the others. train, of_train: which
    rows are to train on, and their keys.
    """
    return at_cutoff.replaced(train, of_train.outcomes(labels, min(test_start_us, labels.cutoff_us + 1)))


def complete_rows(pinned: PinnedView, labels: ViewLabels) -> tuple[GroupRows, SpineKeys]:
    """Every complete row of a view, however old, and in order of position the keys that labels join on."""
    rows = group_rows(pinned, pinned.view.groups[0])
    events = pinned.events.scan().select(*POSITION, *labels.joins).collect()
    lines = rows.index.lines(events[PARTITION].to_numpy(), events[OFFSET].to_numpy())
    places = [places_of(events.select(known.joins), known.keys) for known in labels.known]
    keys = tuple(np.append(each, -1)[lines.of] for each in places)  # an event that is not stored has no key
    return rows, SpineKeys(rows.event_time_us[rows.index.order], keys, None if lines.twice else small(lines.of))
