"""A lake as streaming leaves it, written straight from events: what training's tests read."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from deltalake import CommitProperties, write_deltalake
from deltalake.transaction import Transaction
from numpy.typing import NDArray

from shared_features.definitions import EventSource, FeatureGroup, FeatureView
from shared_features.formats import offline_tables as tables
from shared_features.formats.entity_keys import entity_keys, key_texts
from shared_features.formats.events import EventBatch
from shared_features.group_events import group_events
from shared_features.kernel.event_time import MINUTE_US
from shared_features.kernel.replay import replay
from shared_features.kernel.tile_state import TileState

LATENESS_US = 10 * MINUTE_US
PARTITIONS = 3


@dataclass(frozen=True)
class EventRows:
    """Events of one source in order of arrival, dealt to partitions in turn."""

    batch: EventBatch
    arrival_us: NDArray[np.int64]

    @property
    def partition(self) -> NDArray[np.int32]:
        return (np.arange(len(self.batch)) % PARTITIONS).astype(np.int32)

    @property
    def offset(self) -> NDArray[np.int64]:
        return np.arange(len(self.batch)) // PARTITIONS


def arrived(
    source: EventSource, columns: Mapping[str, Any], arrival_us: Any, valid: Mapping[str, Any] | None = None
) -> EventRows:
    """Events from columns in any order; they arrive by arrival time."""
    arrival_us = np.asarray(arrival_us, np.int64)
    order = np.argsort(arrival_us, kind="stable")
    whole = {name: np.asarray(column)[order] for name, column in columns.items()}
    checked = {name: np.asarray(column, np.bool_)[order] for name, column in (valid or {}).items()}
    return EventRows(EventBatch(source, whole, checked, arrival_us[order]), arrival_us[order])


def write_events(lake: Path, events: EventRows, parts: int = 3, watermark_us: int | None = None) -> None:
    """The events table, in several commits; complete up to the watermark."""
    source, batch = events.batch.source, events.batch
    dates = pl.Series(events.arrival_us).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d")
    columns: dict[str, Any] = {
        tables.PARTITION: events.partition,
        tables.OFFSET: events.offset,
        tables.RECORD_TIME: batch.record_time_us,
        tables.ARRIVAL_TIME: events.arrival_us,
        tables.ARRIVAL_DATE: dates,
    }
    for field in source.fields:
        kind = {"boolean": pl.Boolean, "text": pl.String, "integer": pl.Int64}[field.type.storage]
        column = pl.Series(batch.columns[field.name].tolist()).cast(kind)
        there = pl.Series(batch.valid.get(field.name, np.ones(len(batch), np.bool_)))
        columns[field.name] = pl.DataFrame({"v": column, "t": there}).select(pl.when("t").then("v")).to_series()
    _append(lake / tables.events_table(source), pl.DataFrame(columns), parts, tables.WATERMARK_APP, watermark_us)


def write_features(lake: Path, group: FeatureGroup, spine: EventRows, updates: list[EventRows], cut_us: int) -> None:
    """The feature rows of a group below a cut, as served, by the kernel's replay."""
    copy = _copies(spine.batch)
    late = spine.arrival_us - spine.batch.event_time_us > LATENESS_US
    regular = ~late & (spine.batch.event_time_us < cut_us - LATENESS_US)
    rows = np.flatnonzero(regular | (late & (spine.arrival_us < cut_us)))
    keys = key_texts(entity_keys(group.entity, spine.batch.source, spine.batch.columns))
    values = _as_served(group, spine, updates, keys)
    columns: dict[str, Any] = {
        tables.PARTITION: spine.partition[rows],
        tables.OFFSET: spine.offset[rows],
        "event_time_us": spine.batch.event_time_us[rows],
        tables.ARRIVAL_TIME: spine.arrival_us[rows],
        "entity_key": [keys[row] for row in rows],
        "late": late[rows],
        "copy": copy[rows],
        **{feature.name: values[rows, feature.index] for feature in group.features},
    }
    frame = pl.DataFrame(columns)
    path = lake / tables.features_table(group, spine.batch.source)
    if path.exists():
        have = pl.read_delta(str(path)).select(tables.POSITION)
        frame = frame.join(have, on=tables.POSITION, how="anti", maintain_order="left")
    _append(path, frame, 2, tables.CUT_APP, cut_us)


def write_lake(lake: Path, view: FeatureView, streams: Mapping[str, EventRows], cut_us: int) -> None:
    """Events of every source and the feature rows of every group of a view. streams: source name -> its events."""
    for events in streams.values():
        write_events(lake, events, watermark_us=cut_us)
    write_all_features(lake, view, streams, cut_us)


def write_all_features(lake: Path, view: FeatureView, streams: Mapping[str, EventRows], cut_us: int) -> None:
    for group in view.groups:
        updates = [streams[source.name] for source in group.sources]
        write_features(lake, group, streams[view.source.name], updates, cut_us)


def _as_served(group: FeatureGroup, spine: EventRows, updates: list[EventRows], keys: list[str]) -> NDArray[np.float64]:
    seen = [(each, group_events(group, each.batch)) for each in updates]
    texts = [key_texts(taken.keys) for _, taken in seen]
    names = {key: slot for slot, key in enumerate(dict.fromkeys([*keys, *(key for each in texts for key in each)]))}
    state = TileState(group.layout)
    slots = state.add(len(names))
    times = np.concatenate([taken.event_time_us for _, taken in seen])
    arrivals = np.concatenate([each.arrival_us[taken.rows] for each, taken in seen])
    return replay(
        state,
        slots[[names[key] for each in texts for key in each]],
        np.maximum(arrivals, times + 1),
        times,
        np.concatenate([taken.digest for _, taken in seen]),
        np.concatenate([taken.values for _, taken in seen]),
        np.concatenate([taken.valid for _, taken in seen]),
        slots[[names[key] for key in keys]],
        spine.batch.event_time_us,
    )


def _copies(batch: EventBatch) -> NDArray[np.bool_]:
    copy = np.ones(len(batch), np.bool_)
    copy[np.unique(batch.digest, return_index=True)[1]] = False
    return copy


def _append(path: Path, frame: pl.DataFrame, parts: int, app: str, version: int | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    bounds = np.linspace(0, len(frame), parts + 1).astype(int)
    for number, (start, end) in enumerate(itertools.pairwise(bounds)):
        last = number == parts - 1
        transactions = [Transaction(app, version)] if last and version is not None else []
        partition_by = [tables.ARRIVAL_DATE] if tables.ARRIVAL_DATE in frame.columns else None
        write_deltalake(
            str(path),
            frame[start:end].to_arrow(),
            mode="append",
            partition_by=partition_by,
            commit_properties=CommitProperties(app_transactions=transactions),
        )
