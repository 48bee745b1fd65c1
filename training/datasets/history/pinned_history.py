"""The events tables behind the groups of a view, each at one version, and the cut up to which they are complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import EventSource, FeatureGroup, FeatureView
from shared_features.formats.offline_tables import ARRIVAL_TIME, WATERMARK_APP
from shared_features.kernel.event_time import to_text
from training.datasets.offline_store import OfflineStore, PinnedTable
from training.errors import DatasetError


@dataclass(frozen=True)
class PinnedHistory:
    """tables: name of a source -> its events. cut_us: every event that arrived before it is in them.

    kept_from_us: name of a source -> up to which arrival time its events are gone, by retention; 0: none are.
    """

    tables: Mapping[str, PinnedTable]
    cut_us: int
    kept_from_us: Mapping[str, int]

    def watermark_us(self, source: str) -> int:
        """Up to which arrival time the events of a source are complete."""
        return self.tables[source].table.transaction_version(WATERMARK_APP) or 0

    def reached(self, group: FeatureGroup, source: EventSource, as_of_us: NDArray[np.int64]) -> pl.LazyFrame:
        """The events of a source, of any entity, that windows of a group reach as of these instants."""
        time, hop_us = pl.col(source.event_time), max(spec.hop_us for spec in group.layout.features)
        inside = (time >= int(as_of_us.min()) - group.readable_us - hop_us) & (time < int(as_of_us.max()))
        return self.tables[source.name].scan().filter(inside & (pl.col(ARRIVAL_TIME) < self.cut_us))


def pin_history(store: OfflineStore, view: FeatureView, cut_us: int | None = None) -> PinnedHistory:
    """The newest versions. cut_us: an earlier cut, to read again what was read then. Raises DatasetError."""
    sources = {each.name: each for group in view.groups for each in group.sources}
    tables = {name: store.pin_events(source) for name, source in sources.items()}
    kept_from_us = {name: store.kept_from_us(source) for name, source in sources.items()}
    found = PinnedHistory(tables, 0, kept_from_us)
    available_us = min((found.watermark_us(name) for name in tables), default=0)
    if cut_us is not None and tables and cut_us > available_us:
        raise DatasetError(
            f"The events are complete up to {to_text(available_us)}. Their state of {to_text(cut_us)} is asked for. "
            "Wait for the archive, or restore the tables that were re-created since."
        )
    return PinnedHistory(tables, available_us if cut_us is None else cut_us, kept_from_us)
