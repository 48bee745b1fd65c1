"""What the lake says of one view's rows: their stored features, and which events they lack."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import EventSource, FeatureGroup, FeatureView
from shared_features.formats.entity_keys import entity_keys, shards_of
from training.datasets.offline_store import OfflineStore
from training.datasets.rows.event_series import event_series
from training.inference.audit.causes.absent_events import AbsentEvents
from training.inference.audit.causes.unseen_events import AnsweredRows, unseen
from training.inference.audit.findings import CLOCK, LATE_EVENT, STREAM_LAG
from training.inference.audit.logged_rows import LoggedRows
from training.inference.audit.replay.own_threads import on_own_threads
from training.inference.audit.replay.replay_budget import ReplayBudget
from training.inference.audit.replay.shard_lives import Int64
from training.inference.audit.replay.stored_events import History
from training.inference.audit.replay.vector_replay import AskedRows, VectorReplay


class ViewEvents:
    """Raises DatasetError where the lake lacks a table, once rows are asked for."""

    def __init__(self, store: OfflineStore, view: FeatureView, budget: ReplayBudget) -> None:
        self._store, self._view, self._budget = store, view, budget

    def chosen(self, rows: LoggedRows) -> dict[str, Int64]:
        """By the name of a group's part the vector of each row, a number of the rows' `vectors`."""
        return {group.part_name: self._chosen(group, rows) for group in self._view.groups}

    def values(self, rows: LoggedRows, chosen: Mapping[str, Int64]) -> dict[str, NDArray[np.float64]]:
        """By the name of a group's part the stored features of each row, as of its vector."""
        found = on_own_threads(lambda replay: self._stored(*replay, rows, chosen), self._replays)
        self._budget.evict()
        return {name: values for each in found for name, values in each.items()}

    def unseen(self, rows: LoggedRows, chosen: Mapping[str, Int64]) -> dict[str, int]:
        """By cause how many rows lack events of event-time truth; of several causes the first in their order."""
        causes = {cause: np.zeros(len(rows), np.bool_) for cause in (CLOCK, STREAM_LAG, LATE_EVENT)}
        came_us, at_us = rows.records.came_us[rows.of_record], rows.records.at_us[rows.of_record]
        for history in self._histories:
            for group in history.groups:
                keys = entity_keys(group.entity, self._view.source, rows.columns)
                own = _key_columns(group, self._view.source, rows)
                answered = AnsweredRows(keys, own, rows.as_of_us, came_us, at_us, chosen[group.part_name], rows.vectors)
                for cause, lacking in unseen(group, history.tables, answered).items():
                    causes[cause] |= lacking
        told, counts = np.zeros(len(rows), np.bool_), {}
        for cause, lacking in causes.items():
            counts[cause] = int(np.count_nonzero(lacking & ~told))
            told |= lacking
        return counts

    @cached_property
    def _histories(self) -> list[History]:
        alike: dict[Any, list[FeatureGroup]] = {}
        for group in self._view.groups:
            alike.setdefault((group.entity.keys, tuple(each.name for each in group.sources)), []).append(group)
        return [History(self._store, groups) for groups in alike.values()]

    @cached_property
    def absent(self) -> dict[str, AbsentEvents]:
        """By the name of a group's part."""
        found = {}
        for history in self._histories:
            for group in history.groups:
                by_topic = {each.topic: history.tables[each.name].table for each in group.sources}
                found[group.part_name] = AbsentEvents(self._store, group, by_topic)
        return found

    def _chosen(self, group: FeatureGroup, rows: LoggedRows) -> Int64:
        keys = entity_keys(group.entity, self._view.source, rows.columns)
        receipts = rows.records.receipt[rows.of_record]
        return rows.vectors.chosen(group.label, receipts, shards_of(keys, group.shards))

    @cached_property
    def _replays(self) -> list[tuple[History, VectorReplay]]:
        at_once = max(1, self._budget.events_at_once // len(self._histories))
        return [(each, VectorReplay(each, at_once, self._budget)) for each in self._histories]

    def _stored(
        self, history: History, replay: VectorReplay, rows: LoggedRows, chosen: Mapping[str, Int64]
    ) -> dict[str, NDArray[np.float64]]:
        group = history.groups[0]
        keys = entity_keys(group.entity, self._view.source, rows.columns)
        key_columns = _key_columns(group, self._view.source, rows)
        asked = AskedRows(keys, key_columns, rows.as_of_us, chosen, rows.vectors.vectors)
        return replay.values(asked)


def _key_columns(group: FeatureGroup, source: EventSource, rows: LoggedRows) -> pl.DataFrame:
    return pl.DataFrame({name: event_series(source, name, rows.columns[name]) for name in group.entity.keys})
