"""Feature rows that were computed with events which were erased since: that of a shopper leaves the rows of a shop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureGroup
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import PinnedView
from training.proofs.leaks.sampled_rows import SampledRows
from training.proofs.leaks.stored_features import hold_events, replay_of


def without_erased(pinned: PinnedView, store: OfflineStore, sampled: SampledRows) -> tuple[SampledRows, int]:
    """The rows with the values that the events give which are left, and of how many rows these are others.

    Only values that may have seen an erased event are replaced, see `_may_have_seen`.
    """
    reached = {group.part_name: _may_have_seen(group, store, sampled) for group in pinned.view.groups}
    if not any(rows.any() for rows in reached.values()):
        return sampled, 0
    again = replay_of(store, hold_events(pinned.view, store, sampled.spine), sampled.spine)
    other, stored = np.zeros(len(sampled.spine.as_of_us), np.bool_), {}
    for name, values in sampled.stored.items():
        same = (values == again[name]) | (np.isnan(values) & np.isnan(again[name]))
        replaced = reached[name] & ~same.all(axis=1)
        stored[name] = np.asfortranarray(np.where(replaced[:, None], again[name], values))
        other |= replaced
    return replace(sampled, stored=stored), int(other.sum())


def _may_have_seen(group: FeatureGroup, store: OfflineStore, sampled: SampledRows) -> NDArray[np.bool_]:
    """bool[n]: whether an entity of another kind was erased from what its windows reach.

    The rows of an erased entity are erased with it, and those of others of its kind never had its events.
    """
    as_of_us = sampled.spine.as_of_us
    last_us = max((at_us for kind, at_us in store.erased_kinds().items() if kind != group.entity.name), default=0)
    if not any(map(store.erasures, group.sources)):
        return np.zeros(len(as_of_us), np.bool_)
    reached: NDArray[np.bool_] = as_of_us - group.readable_us < last_us
    return reached
