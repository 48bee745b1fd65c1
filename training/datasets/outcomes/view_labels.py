"""The labels of a view, of each of its sources, as they were known at a cutoff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView, LabelSource
from shared_features.formats.offline_tables import WATERMARK_APP
from training.datasets.labels import KnownLabels, read_labels
from training.datasets.offline_store import PinnedTable


@dataclass(frozen=True)
class ViewLabels:
    """sources: in order of precedence. known: what had arrived of each by the cutoff."""

    sources: tuple[LabelSource, ...]
    known: tuple[KnownLabels, ...]
    cutoff_us: int

    @property
    def joins(self) -> tuple[str, ...]:
        """The fields that say which event a label is of, of all sources."""
        return tuple(dict.fromkeys(name for each in self.sources for name in each.joins))

    def by_source(self, source: NDArray[np.int8]) -> Mapping[str, int]:
        """How many rows have the label of each source; empty where there is one. source: as `Outcomes` has it."""
        counts = np.bincount(source[source >= 0], minlength=len(self.sources)).tolist()
        return self._named(counts)

    @property
    def events_by_source(self) -> Mapping[str, int]:
        """How many label events of each source had arrived; empty where there is one."""
        return self._named([each.events.height for each in self.known])

    def _named(self, counts: Sequence[int]) -> Mapping[str, int]:
        titles = [each.title for each in self.sources]
        return dict(zip(titles, counts, strict=True)) if len(titles) > 1 else {}


def read_view_labels(view: FeatureView, tables: Sequence[PinnedTable], cutoff_us: int) -> ViewLabels:
    """tables: the events of each label source of the view."""
    pairs = zip(view.label_sources, tables, strict=True)
    known = tuple(read_labels(source, table, cutoff_us) for source, table in pairs)
    return ViewLabels(view.label_sources, known, cutoff_us)


def complete_labels_us(view: FeatureView, tables: Sequence[PinnedTable], cut_us: int) -> int:
    """The cut, or the instant up to which all events are stored of sources where that none came is a label."""
    stored = [
        table.table.transaction_version(WATERMARK_APP)
        for source, table in zip(view.label_sources, tables, strict=True)
        if source.is_of_every_event
    ]
    return min([cut_us, *(each for each in stored if each is not None)])
