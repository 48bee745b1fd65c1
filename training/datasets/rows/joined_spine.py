"""The point-in-time join: feature rows of every group of a view, by position, each as it was served at its event.

Materialize already wrote what each group would have answered at each event of the spine. What is left is to find the
complete rows of the groups side by side, at the versions and the cut that `pinned_view` pins. What is found first is
where each row is in each table; columns of values are then read a few at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.definitions import EventSource, FeatureGroup
from shared_features.feature_matrix import request_floats
from shared_features.formats.entity_keys import EntityKeys, entity_keys
from shared_features.formats.offline_tables import OFFSET, PARTITION, POSITION
from shared_features.kernel.event_time import to_text
from training.datasets.offline_store import event_columns
from training.datasets.pinned_view import PinnedView
from training.datasets.rows.group_rows import GroupRows, group_rows
from training.datasets.rows.position_index import Lines, PositionIndex
from training.datasets.rows.sorted_numbers import Places, small
from training.errors import DatasetError
from training.progress import Tell, untold

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class JoinedSpine:
    """`n` events of the spine, in order of position, and where their feature rows are.

    columns, valid: the request fields, as `event_columns` gives them. copies: how many further positions held an event
    again and were left out. lines: part name of a group -> the row in its table.
    """

    pinned: PinnedView
    span: tuple[int, int]
    partition: NDArray[np.int32]
    offset: NDArray[np.int64]
    event_time_us: NDArray[np.int64]
    columns: Mapping[str, NDArray[Any]]
    valid: Mapping[str, NDArray[np.bool_]]
    copies: int
    lines: Mapping[str, NDArray[np.integer]]

    def __len__(self) -> int:
        return len(self.offset)

    def take(self, rows: Places) -> JoinedSpine:
        """Some of the rows, in this order. Where these are all of them as they are, nothing is copied."""
        if len(rows) == len(self) and bool((rows == np.arange(len(self))).all()):
            return self
        return replace(
            self,
            partition=self.partition[rows],
            offset=self.offset[rows],
            event_time_us=self.event_time_us[rows],
            columns={name: column[rows] for name, column in self.columns.items()},
            valid={name: there[rows] for name, there in self.valid.items()},
            lines={name: lines[rows] for name, lines in self.lines.items()},
        )

    def request(self, rows: slice = slice(None), names: Collection[str] | None = None) -> dict[str, Floats]:
        """Request fields, all or some, as float64 of some rows."""
        columns = {name: self.columns[name][rows] for name in (self.columns if names is None else names)}
        valid = {name: there[rows] for name, there in self.valid.items() if name in columns}
        return request_floats(self.pinned.view.source, columns, valid)

    def entity_keys(self, entity: str) -> EntityKeys:
        """The key of each row's entity of that name."""
        view = self.pinned.view
        (found,) = {group.entity for group in view.groups if group.entity.name == entity}
        return entity_keys(found, view.source, self.columns)


def join_spine(
    pinned: PinnedView,
    start_us: int,
    end_us: int,
    tell: Tell = untold,
    known: GroupRows | None = None,
    events: NDArray[np.integer] | None = None,
) -> JoinedSpine:
    """The complete rows with `start_us <= event time < end_us`. known: all of the first group, where they were read.

    events: of each row in order of position, which one of the events table it is, where that was looked up.
    Raises DatasetError when groups do not have rows of the same positions, or an event of a row is not stored.
    """
    view, span = pinned.view, (start_us, end_us)
    if not view.groups:
        raise DatasetError(f"View {view.label} reads no feature group, so it has no feature rows. Add a group to it.")
    first = group_rows(pinned, view.groups[0], span) if known is None else known.within(span)
    index = first.index
    if not index.is_distinct:
        raise DatasetError(_damaged(first, pinned.groups[view.groups[0].part_name].name))
    lines, copy = _lines(pinned, first, span, tell)
    columns, valid = _events_at(pinned, index, span, events)
    whole = JoinedSpine(
        pinned=pinned,
        span=span,
        partition=first.partition[index.order],
        offset=first.offset[index.order],
        event_time_us=first.event_time_us[index.order],
        columns=columns,
        valid=valid,
        copies=int(copy.sum()),
        lines=lines,
    )
    return whole.take(np.flatnonzero(~copy)) if whole.copies else whole


def _lines(
    pinned: PinnedView, first: GroupRows, span: tuple[int, int], tell: Tell
) -> tuple[dict[str, NDArray[np.integer]], NDArray[np.bool_]]:
    """In order of position the row of each group's table, and which are copies. first: the rows of the first group."""
    view, copy, lines = pinned.view, first.copy[first.index.order], dict[str, NDArray[np.integer]]()
    alike = Lines(first.index.order, 0, 0, 0)
    for number, group in enumerate(view.groups, 1):
        rows = first if number == 1 else group_rows(pinned, group, span)
        tell(f"found {counted(len(rows), 'feature row')} of {group.label}", number, len(view.groups))
        # Groups that are materialized together lie alike in their tables.
        places = alike if rows.lies_as(first) else first.index.lines(rows.partition, rows.offset)
        if places.missing or places.twice or places.others:
            raise DatasetError(_disagreement(pinned, group, places))
        copy |= rows.copy[places.of]
        line = rows.line[places.of]
        lines[group.part_name] = small(line)
    return lines, copy


def _events_at(
    pinned: PinnedView, index: PositionIndex, span: tuple[int, int], known: NDArray[np.integer] | None
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[np.bool_]]]:
    """The request fields of the event at each position, and which are there. known: as `join_spine` gets it."""
    view = pinned.view
    names, time = [field.name for field in view.request_fields], pl.col(view.source.event_time)
    stored = pinned.events.scan()
    if known is not None and len(known) and known.min() >= 0 and 2 * len(known) > known.max():  # most of the table
        return _fields_at(view.source, stored.select(names).collect(), names, known)
    events = stored.filter((time >= span[0]) & (time < span[1])).select(*POSITION, *names).collect()
    places = index.lines(*(events[name].to_numpy() for name in POSITION))
    if places.missing or places.twice:
        raise DatasetError(
            f"Feature rows and events do not match. Of {len(index)} feature rows, {places.missing} have no event in "
            f"table {pinned.events.name!r}, and {places.twice} events too many have their positions. Restore the "
            "events that were deleted or copied, or materialize again."
        )
    return _fields_at(view.source, events.select(names), names, places.of)


def _fields_at(
    source: EventSource, events: pl.DataFrame, names: list[str], places: NDArray[np.integer]
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[np.bool_]]]:
    columns: dict[str, NDArray[Any]] = {}
    valid: dict[str, NDArray[np.bool_]] = {}
    for name in names:  # one after the other: a copy of all columns is as large as they are
        found, there = event_columns(source, events.select(name)[places], [name])
        columns, valid, events = columns | found, valid | there, events.drop(name)
    return columns, valid


def _damaged(rows: GroupRows, table: str) -> str:
    twice = int(pl.DataFrame({PARTITION: rows.partition, OFFSET: rows.offset}).is_duplicated().sum())
    return f"Table {table!r} is damaged. {twice} of its rows have the position of another row. Materialize it again."


def _disagreement(pinned: PinnedView, group: FeatureGroup, places: Lines) -> str:
    return (
        f"The feature rows of {group.part_name!r} and {pinned.view.groups[0].part_name!r} are not of the same events. "
        f"Up to {to_text(pinned.cut_us)}, {group.part_name!r} lacks {places.missing} rows and has "
        f"{places.others + places.twice} more. Set MILLRACE_ALLOWED_LATENESS alike for training and streaming, and "
        "materialize the groups again."
    )
