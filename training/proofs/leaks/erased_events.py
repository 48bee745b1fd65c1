"""Feature rows that were computed with events which were erased since: that of a shopper leaves the rows of a shop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import PinnedView
from training.proofs.leaks.sampled_rows import SampledRows
from training.proofs.leaks.stored_features import hold_events, replay_of


def without_erased(pinned: PinnedView, store: OfflineStore, sampled: SampledRows) -> tuple[SampledRows, int]:
    """The rows with the values that the events give which are left, and of how many rows these are others.

    Nothing is replaced where no entity was erased from an events table that a group of the view reads.
    """
    sources = {source.name: source for group in pinned.view.groups for source in group.sources}
    if not any(store.erasures(source) for source in sources.values()):
        return sampled, 0
    again = replay_of(store, hold_events(pinned.view, store, sampled.spine), sampled.spine)
    other = np.zeros(len(sampled.spine.as_of_us), np.bool_)
    for name, values in sampled.stored.items():
        other |= ~((values == again[name]) | (np.isnan(values) & np.isnan(again[name]))).all(axis=1)
    stored = {
        name: np.asfortranarray(np.where(other[:, None], again[name], values))
        for name, values in sampled.stored.items()
    }
    return replace(sampled, stored=stored), int(other.sum())
