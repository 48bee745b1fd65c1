"""Stored features as the gate tries them: the feature rows against a replay of nothing but what was known.

For each cut the events of the sampled entities are replayed twice: without all that happened or arrived later, and with
all of it altered. What a row was trained with must be what both of them give, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import EventSource, FeatureView
from training.datasets.given_spine import GivenSpine
from training.datasets.historical_features import stored_features
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import PinnedView
from training.datasets.rows.event_series import event_series
from training.progress import Tell, untold
from training.proofs.leaks.held_tables import Change, HeldStore, HeldTable, altered_after, known_at
from training.proofs.leaks.leak import LATER_EVENTS, LATER_VALUES, Leak, LeakReport, changed_features, first_of_each
from training.proofs.leaks.sampled_rows import SampledRows, keys_of

Stored = Mapping[str, NDArray[np.float64]]


def stored_leaks(pinned: PinnedView, store: OfflineStore, sampled: SampledRows, tell: Tell = untold) -> LeakReport:
    """Of every stored feature of the view, over the sampled rows."""
    view, as_of_us = pinned.view, sampled.spine.as_of_us
    tables = hold_events(view, store, sampled.spine)
    leaks: list[Leak] = []
    for number, cut_us in enumerate(sampled.cuts_us.tolist(), 1):
        tell(f"replaying what was known by {len(sampled.cuts_us)} instants", number, len(sampled.cuts_us))
        kept = np.flatnonzero(as_of_us <= cut_us)
        trained = named_values(view, {name: values[kept] for name, values in sampled.stored.items()})
        past = replay_of(store, tables, sampled.spine.take(kept), known_at(cut_us))
        altered = replay_of(store, tables, sampled.spine, altered_after(cut_us, keys_of(view)))
        altered = {name: values[kept] for name, values in altered.items()}
        for cause, found in ((LATER_EVENTS, past), (LATER_VALUES, altered)):
            leaks += changed_features(trained, named_values(view, found), as_of_us[kept], cause, rounding=0.0)
    features = sum(len(group.features) for group in view.groups)
    return LeakReport(first_of_each(leaks), {"stored features": features})


def replay_of(
    store: OfflineStore, tables: Mapping[str, HeldTable], spine: GivenSpine, change: Change | None = None
) -> Stored:
    """The stored features of these rows, as served by the events that a change leaves."""
    return stored_features(HeldStore(store, tables, change), spine)


def hold_events(view: FeatureView, store: OfflineStore, spine: GivenSpine) -> dict[str, HeldTable]:
    """Source name -> the events of the entities of these rows."""
    sources = {source.name: source for group in view.groups for source in group.sources}
    return {name: _held(view, store, source, spine) for name, source in sources.items()}


def _held(view: FeatureView, store: OfflineStore, source: EventSource, spine: GivenSpine) -> HeldTable:
    table, at = store.pin_events(source), pl.col(source.event_time)
    reach_us = max(group.readable_us + group.longest_us for group in view.groups)
    inside = at.is_between(int(spine.as_of_us.min()) - reach_us, int(spine.as_of_us.max()))
    parts = []
    for keys in {group.entity.keys for group in view.groups if source in group.sources}:
        asked = pl.DataFrame({name: event_series(source, name, spine.columns[name]) for name in keys}).unique()
        parts.append(table.scan().filter(inside).join(asked.lazy(), on=list(keys), how="semi").collect())
    return HeldTable(table.name, table.table, pl.concat(parts).unique(maintain_order=True))


def named_values(view: FeatureView, stored: Stored) -> dict[str, NDArray[Any]]:
    """Feature -> its values."""
    return {
        feature.full_name: stored[group.part_name][:, feature.index]
        for group in view.groups
        for feature in group.features
    }
