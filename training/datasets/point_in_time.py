"""The point-in-time join: feature rows of every group of a view, by position, each as it was served at its event.

Materialize already wrote what each group would have answered at each event of the spine. What is left is to pin a cut
and to bring the groups' rows side by side. A row is complete at the cut when its event came in time and lies below the
cut less the allowed lateness, or when it was late and had arrived before the cut: both follow from the event alone, so
any later version of the tables gives the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.definitions import EventSource, FeatureView
from shared_features.feature_matrix import request_floats
from shared_features.formats.entity_keys import EntityKeys, entity_keys
from shared_features.formats.offline_tables import (
    ARRIVAL_TIME,
    OFFSET,
    PARTITION,
    POSITION,
)
from shared_features.kernel.event_time import to_text
from training.datasets.offline_store import OfflineStore, PinnedTable, event_columns
from training.errors import DatasetError
from training.progress import Tell, untold

EVENT_TIME = "event_time_us"
_COPY = "copy"


@dataclass(frozen=True)
class PinnedView:
    """All tables of a view at one version each. groups: part name of a group -> table.

    kept_from_us: up to which arrival time events that a group reads are gone, by retention; 0: none are. named: the
    events that stored texts of categories were read from, one table for each category that has them.
    """

    view: FeatureView
    events: PinnedTable
    groups: Mapping[str, PinnedTable]
    labels: PinnedTable | None
    cut_us: int
    lateness_us: int
    kept_from_us: int
    named: tuple[PinnedTable, ...] = ()

    def complete(self) -> pl.Expr:
        """Which feature rows are complete at the cut."""
        regular = pl.col(EVENT_TIME) < self.cut_us - self.lateness_us
        below = (pl.col(EVENT_TIME) < self.cut_us) & (pl.col(ARRIVAL_TIME) < self.cut_us)
        return below & (pl.col("late") | regular) & self._whole()

    def _whole(self) -> pl.Expr:
        """Whether the events that a row's windows reach are kept.

        A row that came late, or whose table was begun later, was computed from the events that were stored by then.
        """
        if not self.kept_from_us:
            return pl.lit(True)
        reach_us = max(group.readable_us for group in self.view.groups)
        return (pl.col(ARRIVAL_TIME) >= self.kept_from_us) & (pl.col(EVENT_TIME) >= self.kept_from_us + reach_us)

    @property
    def tables(self) -> list[PinnedTable]:
        found = [self.events, *self.groups.values(), *([self.labels] if self.labels else []), *self.named]
        return list({table.name: table for table in found}.values())


@dataclass(frozen=True)
class JoinedRows:
    """`n` events of the spine with the stored features of every group, in order of position.

    request: field -> float64[n]. stored: part name of a group -> float64[n, features]. entities: entity name -> keys.
    copies: how many further positions held an event again and were left out.
    """

    partition: NDArray[np.int32]
    offset: NDArray[np.int64]
    event_time_us: NDArray[np.int64]
    request: Mapping[str, NDArray[np.float64]]
    stored: Mapping[str, NDArray[np.float64]]
    entities: Mapping[str, EntityKeys]
    copies: int


def pin_view(store: OfflineStore, view: FeatureView, lateness_us: int, cut_us: int | None = None) -> PinnedView:
    """Pin every table of the view, and the cut: the smallest of its groups', or an earlier one to build again."""
    if not view.groups:
        raise DatasetError(f"View {view.label} reads no feature group, so it has no feature rows. Add a group to it.")
    # Feature rows first: an events table pinned later holds at least the events behind them.
    groups = {group.part_name: store.pin_features(group, view.source) for group in view.groups}
    available = {name: table.cut_us for name, table in groups.items()}
    slowest = min(available, key=lambda name: available[name])
    if cut_us is not None and cut_us > available[slowest]:
        raise DatasetError(
            f"Cut {cut_us} is not available yet. Group {slowest!r} is materialized up to "
            f"{available[slowest]} ({to_text(available[slowest])}). "
            "Wait, or choose an earlier cut."
        )
    sources = {each.name: each for each in (view.source, *(each for group in view.groups for each in group.sources))}
    return PinnedView(
        view=view,
        events=store.pin_events(view.source),
        groups=groups,
        labels=store.pin_events(view.labels.source) if view.labels else None,
        cut_us=available[slowest] if cut_us is None else cut_us,
        lateness_us=lateness_us,
        kept_from_us=max(map(store.kept_from_us, sources.values())),
        named=tuple(store.pin_events(each) for each in category_sources(view)),
    )


def category_sources(view: FeatureView) -> tuple[EventSource, ...]:
    """The sources whose events have the texts of stored categories."""
    stored = [each.inputs[0].feature for _, each in view.categories if each.inputs[0].is_text]
    found = {source.name: source for each in stored if each is not None for source in each.group.sources}
    return tuple(found.values())


def complete_events(pinned: PinnedView, columns: tuple[str, ...]) -> pl.DataFrame:
    """Position and time of every complete row, with columns of its event."""
    first = next(iter(pinned.groups.values())).scan().filter(pinned.complete())
    rows = first.select(*POSITION, EVENT_TIME)
    return rows.join(pinned.events.scan().select(*POSITION, *columns), on=POSITION, how="left").collect()


def read_spine_rows(pinned: PinnedView, start_us: int, end_us: int, tell: Tell = untold) -> JoinedRows:
    """The complete rows with `start_us <= event time < end_us`.

    Raises DatasetError when groups do not have rows of the same positions, or an event of a row is not stored.
    """
    view = pinned.view
    inside = pinned.complete() & (pl.col(EVENT_TIME) >= start_us) & (pl.col(EVENT_TIME) < end_us)
    position: pl.DataFrame | None = None
    times: NDArray[np.int64] = np.empty(0, np.int64)
    copy: NDArray[np.bool_] = np.empty(0, np.bool_)
    stored: dict[str, NDArray[np.float64]] = {}
    for number, group in enumerate(view.groups, 1):
        names = [feature.name for feature in group.features]
        frame = (
            pinned.groups[group.part_name].scan().filter(inside).select(*POSITION, EVENT_TIME, _COPY, *names).collect()
        )
        tell(f"read {counted(len(frame), 'feature row')} of {group.label}", number, len(view.groups))
        frame = frame.sort(POSITION)
        if position is None:
            position, times = frame.select(POSITION), frame[EVENT_TIME].to_numpy()
            copy = frame[_COPY].to_numpy().copy()
            _check_unique(position, pinned.groups[group.part_name].name)
        elif not position.equals(frame.select(POSITION)):
            raise DatasetError(_disagreement(pinned, group.part_name, position, frame.select(POSITION)))
        copy |= frame[_COPY].to_numpy()
        stored[group.part_name] = _floats(frame.select(names))
    if position is None:
        raise DatasetError(f"View {view.label} reads no feature group, so it has no feature rows. Add a group to it.")
    events = _events_at(pinned, position, start_us, end_us)
    columns, valid = event_columns(view.source, events, _needed_fields(view))
    keep = np.flatnonzero(~copy)
    request = request_floats(view.source, {name: column[keep] for name, column in columns.items()}, _rows(valid, keep))
    kept = {name: column[keep] for name, column in columns.items()}
    return JoinedRows(
        partition=position[PARTITION].to_numpy()[keep],
        offset=position[OFFSET].to_numpy()[keep],
        event_time_us=times[keep],
        request=request,
        stored={name: np.asfortranarray(values[keep]) for name, values in stored.items()},
        entities={group.entity.name: entity_keys(group.entity, view.source, kept) for group in view.groups},
        copies=len(copy) - len(keep),
    )


def _needed_fields(view: FeatureView) -> list[str]:
    return [field.name for field in view.request_fields]


def _rows(columns: Mapping[str, NDArray[Any]], keep: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    return {name: column[keep] for name, column in columns.items()}


def _floats(frame: pl.DataFrame) -> NDArray[np.float64]:
    """float64[n, columns], column by column in memory; null as NaN."""
    return np.asfortranarray(frame.fill_null(float("nan")).to_numpy(order="fortran"), np.float64)


def _events_at(pinned: PinnedView, position: pl.DataFrame, start_us: int, end_us: int) -> pl.DataFrame:
    source = pinned.view.source
    time = pl.col(source.event_time)
    events = (
        pinned.events.scan()
        .filter((time >= start_us) & (time < end_us))
        .select(*POSITION, *_needed_fields(pinned.view))
        .collect()
    )
    found = position.join(events, on=POSITION, how="left", maintain_order="left", coalesce=True)
    missing = len(position) - len(position.join(events, on=POSITION, how="semi"))
    if missing or len(found) != len(position):
        raise DatasetError(
            f"Feature rows and events do not match. Of {len(position)} feature rows, {missing} have no event in table "
            f"{pinned.events.name!r}, and {len(found) - len(position)} events too many have their positions. Restore "
            "the events that were deleted or copied, or materialize again."
        )
    return found


def _check_unique(position: pl.DataFrame, table: str) -> None:
    if twice := int(position.is_duplicated().sum()):
        raise DatasetError(
            f"Table {table!r} is damaged. {twice} of its rows have the position of another row. Materialize it again."
        )


def _disagreement(pinned: PinnedView, group: str, ours: pl.DataFrame, theirs: pl.DataFrame) -> str:
    first = next(iter(pinned.groups))
    lacking = len(ours.join(theirs, on=POSITION, how="anti"))
    extra = len(theirs.join(ours, on=POSITION, how="anti"))
    return (
        f"The feature rows of {group!r} and {first!r} are not of the same events. Up to {to_text(pinned.cut_us)}, "
        f"{group!r} lacks {lacking} rows and has {extra} more. Set MILLRACE_ALLOWED_LATENESS alike for training and "
        "streaming, and materialize the groups again."
    )
