"""The point-in-time join: feature rows of every group of a view, by position, each as it was served at its event.

Materialize already wrote what each group would have answered at each event of the spine. What is left is to bring the
complete rows of the groups side by side, at the versions and the cut that `pinned_view` pins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.definitions import FeatureView
from shared_features.feature_matrix import request_floats
from shared_features.formats.entity_keys import EntityKeys, entity_keys
from shared_features.formats.offline_tables import OFFSET, PARTITION, POSITION
from shared_features.kernel.event_time import to_text
from training.datasets.offline_store import event_columns
from training.datasets.pinned_view import EVENT_TIME, PinnedView
from training.errors import DatasetError
from training.progress import Tell, untold

_COPY = "copy"


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
