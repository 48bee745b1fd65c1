"""The version of the data that a run reads: pinned once, when the run begins, and the same for each of its steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from shared_features.definitions import FeatureView
from training.datasets.offline_store import OfflineStore, TableVersion
from training.datasets.pinned_view import PinnedView, pin_view


@dataclass(frozen=True)
class DataVersion:
    """tables: name -> version. cut_us, lateness_us, kept_from_us: as in `PinnedView`."""

    tables: Mapping[str, TableVersion]
    cut_us: int
    lateness_us: int
    kept_from_us: int


def pin_data(lake: Path, view: FeatureView, lateness_us: int) -> DataVersion:
    """The newest version of everything that the view reads. Raises DatasetError where something is missing."""
    pinned = pin_view(OfflineStore(lake), view, lateness_us)
    tables = {each.name: each.pinned_version for each in pinned.tables}
    return DataVersion(tables, pinned.cut_us, pinned.lateness_us, pinned.kept_from_us)


def open_data(lake: Path, view: FeatureView, data: DataVersion) -> PinnedView:
    """The tables at that version. Raises DatasetError where the version is gone, as after an erasure."""
    pinned = pin_view(OfflineStore(lake, data.tables), view, data.lateness_us)
    return replace(pinned, cut_us=data.cut_us, kept_from_us=data.kept_from_us)
