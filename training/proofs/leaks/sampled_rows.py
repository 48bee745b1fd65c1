"""Rows of a view that the gate looks at: a few instants, and the rows just before each of them."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import FeatureView
from shared_features.feature_matrix import request_floats
from shared_features.formats.offline_tables import ARRIVAL_TIME, POSITION
from training.datasets.given_spine import AS_OF, GivenSpine
from training.datasets.offline_store import event_columns
from training.datasets.pinned_view import EVENT_TIME, PinnedView
from training.datasets.sampled_inputs import SampledInputs
from training.errors import DatasetError, NotStoredError

CUTS = 5
ROWS = 600
"""Cuts, and rows in all: what the gate looks at where nobody says otherwise."""


@dataclass(frozen=True)
class SampledRows:
    """`n` rows of a view in order of time, as the feature rows have them. cuts_us: instants of some of them.

    positions: of their events. spine: the same rows as a spine of a user's. stored: part name of a group -> float64[n,
    features of the part].
    """

    positions: pl.DataFrame
    spine: GivenSpine
    stored: Mapping[str, NDArray[np.float64]]
    cuts_us: NDArray[np.int64]

    @property
    def inputs(self) -> SampledInputs:
        """What on-demand functions are given."""
        request = request_floats(self.spine.view.source, self.spine.columns, self.spine.valid)
        return SampledInputs(request, self.stored, self.spine.as_of_us)


def sample_rows(
    pinned: PinnedView, seed: int, rows: int = ROWS, cuts: int = CUTS, between_us: tuple[int, int] | None = None
) -> SampledRows:
    """Complete rows: of each chosen instant those just before it. between_us: only of these instants.

    Raises NotStoredError where there is none.
    """
    inside = pinned.complete() & ~pl.col("copy")
    if between_us is not None:
        inside &= pl.col(EVENT_TIME).is_between(*between_us, closed="left")
    first, *_ = pinned.groups.values()
    times = first.scan().filter(inside).select(EVENT_TIME).collect()[EVENT_TIME].sort().to_numpy()
    if not len(times):
        raise NotStoredError(
            f"View {pinned.view.label} has no complete feature row to look at. Stream more history, or wait until "
            "materialize is further."
        )
    each = max(1, rows // cuts)
    ends = np.sort(np.random.default_rng(seed).choice(len(times), min(cuts, len(times)), replace=False))
    spans = [(int(times[max(0, end - each + 1)]), int(times[end])) for end in ends.tolist()]
    near = functools.reduce(operator.or_, (pl.col(EVENT_TIME).is_between(*span) for span in spans))
    return _read(pinned, inside & near, np.array([end for _, end in spans], np.int64))


def _read(pinned: PinnedView, wanted: pl.Expr, cuts_us: NDArray[np.int64]) -> SampledRows:
    view = pinned.view
    order = [EVENT_TIME, *POSITION]
    frames = {
        group.part_name: pinned.groups[group.part_name]
        .scan()
        .filter(wanted)
        .select(*POSITION, EVENT_TIME, *(feature.name for feature in group.features))
        .collect()
        .sort(order)
        for group in view.groups
    }
    positions = next(iter(frames.values())).select(order)
    stored = {}
    for group in view.groups:
        found = positions.join(frames[group.part_name], on=order, how="left", maintain_order="left")
        values = found.select(feature.name for feature in group.features).fill_null(float("nan"))
        stored[group.part_name] = np.asfortranarray(values.to_numpy(), np.float64)
    return SampledRows(positions, spine_at(pinned, positions), stored, np.unique(cuts_us))


def spine_at(pinned: PinnedView, positions: pl.DataFrame) -> GivenSpine:
    """The events at these positions, as if a user had brought them."""
    view, names = pinned.view, [field.name for field in pinned.view.request_fields]
    span = pl.col(view.source.event_time).is_between(*_ends(positions[EVENT_TIME]))
    wanted = pinned.events.scan().filter(span).select(*POSITION, ARRIVAL_TIME, *names)
    events = wanted.join(positions.lazy(), on=POSITION, how="semi").collect()
    found = positions.join(events, on=POSITION, how="left", maintain_order="left", coalesce=True)
    if missing := int(found[ARRIVAL_TIME].is_null().sum()):
        raise DatasetError(
            f"{missing:,} feature rows of view {view.label} have no event in table {pinned.events.name!r}. Restore the "
            "events, or materialize again."
        )
    columns, valid = event_columns(view.source, found, names)
    as_of_us = found[EVENT_TIME].to_numpy()
    given = found.select(pl.col(EVENT_TIME).cast(pl.Datetime("us", "UTC")).alias(AS_OF), *names)
    return GivenSpine(view, given, as_of_us, columns, valid)


def _ends(times: pl.Series) -> tuple[int, int]:
    return int(times.min()), int(times.max())  # type: ignore[arg-type]  # a sample has rows, so both are numbers


def keys_of(view: FeatureView) -> frozenset[str]:
    """The fields by which groups know their entities."""
    return frozenset(name for group in view.groups for name in group.entity.keys)
