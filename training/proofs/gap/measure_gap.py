"""The as-served gap of a view, over rows of its history."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView
from shared_features.feature_matrix import category_codes, feature_matrix, request_floats
from training.datasets.given_spine import GivenSpine
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import PinnedView
from training.progress import Tell, untold
from training.proofs.gap.feature_gap import feature_gap
from training.proofs.gap.gap_report import GapReport
from training.proofs.gap.served_stages import Delays, stages
from training.proofs.leaks.sampled_rows import sample_rows
from training.proofs.leaks.stored_features import Stored, hold_events, replay_of

ROWS = 5_000
_SPANS = 50


def measure_gap(
    pinned: PinnedView, store: OfflineStore, delays: Delays, rows: int = ROWS, seed: int = 0, tell: Tell = untold
) -> GapReport:
    """Of every feature of the view, on-demand ones too."""
    view = pinned.view
    spine = sample_rows(pinned, seed, rows, min(_SPANS, rows)).spine
    tables = hold_events(view, store, spine)
    found: list[NDArray[np.float64]] = []
    for number, (cause, change) in enumerate(stages(view, delays), 1):
        tell(f"replaying with the delays of {cause}" if cause else "replaying in event time", number, 5)
        found.append(_values(view, spine, replay_of(store, tables, spine, change)))
    named = {at for at, _ in view.categories}
    features = tuple(
        feature_gap(column.name, [stage[:, at] for stage in found], at in named)
        for at, column in enumerate(view.columns)
    )
    return GapReport(view.label, len(spine), features)


def _values(view: FeatureView, spine: GivenSpine, stored: Stored) -> NDArray[np.float64]:
    """float64[n, features] as a model sees them; of a category the code of its value."""
    request = request_floats(view.source, spine.columns, spine.valid)
    matrix = feature_matrix(view, request, spine.as_of_us, stored).astype(np.float64)
    codes = category_codes(view, request, stored)
    for place, (at, _) in enumerate(view.categories):
        matrix[:, at] = codes[:, place]
    return matrix
