"""The audit of one view's records: their features and scores again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import EventSource, FeatureGroup, FeatureView
from shared_features.errors import FeatureError
from shared_features.feature_matrix import category_codes, feature_matrix, place_categories, request_floats
from shared_features.formats.entity_keys import entity_keys, shards_of
from shared_features.formats.prediction_log import LoggedPrediction
from training.datasets.offline_store import OfflineStore
from training.inference.audit.audited_model import AuditedModel
from training.inference.audit.causes.absent_events import AbsentEvents
from training.inference.audit.causes.difference_causes import DifferenceCauses, equal
from training.inference.audit.causes.unseen_events import AnsweredRows, unseen
from training.inference.audit.findings import (
    ALTERED_RECORD,
    CHANGED_DEFINITION,
    CHANGED_MODEL,
    CLOCK,
    LATE_EVENT,
    STREAM_LAG,
    Audited,
)
from training.inference.audit.log_batches.logged_batch import LoggedBatch
from training.inference.audit.log_batches.read_batch import ViewRecords
from training.inference.audit.logged_rows import LoggedRows, together
from training.inference.audit.shard_lives import Int64
from training.inference.audit.stored_events import GroupHistory
from training.inference.audit.vector_replay import AskedRows, values_at_vectors

_MADE_BY = "view_fingerprint", "model", "model_version", "model_digest"
_KINDS: dict[str, type[pl.DataType]] = {"boolean": pl.Boolean, "text": pl.String, "integer": pl.Int64}


class ViewAudit:
    """Takes records of one view, and compares them when it is told to."""

    def __init__(
        self,
        store: OfflineStore,
        view: FeatureView,
        model: Callable[[str, int], AuditedModel],
        found: Audited,
        events_at_once: int,
    ) -> None:
        self._view, self._model, self._found, self._events_at_once = view, model, found, events_at_once
        self._store = store
        self._waiting: list[LoggedRows] = []

    def take(self, batch: LoggedBatch, records: ViewRecords, chosen: NDArray[np.bool_]) -> int:
        """Keep rows of records, or say why they cannot be compared. chosen: which of the batch. Returns how many."""
        today = chosen & self._of_today(batch, records.at[chosen[records.at]])
        for row, why in records.refused.items():
            if today[row]:
                self._found.differ(batch.id(row), ALTERED_RECORD, why)
        rows = records.rows.of(today[records.rows.records.at]) if records.rows is not None else ()
        if isinstance(rows, LoggedRows) and len(rows):
            self._waiting.append(rows)
        return len(rows)

    def compare(self) -> None:
        """Everything that was taken."""
        if not self._waiting:
            return
        rows, self._waiting = together(self._waiting), []
        chosen = {group.part_name: self._chosen(group, rows) for group in self._view.groups}
        seen = self._seen(rows, chosen)
        different = self._different(rows, seen, DifferenceCauses(self._view, rows, seen, chosen))
        if self._found.unseen is not None:
            self._found.unseen.update(self._unseen(rows, chosen))
        self._found.predictions += len(rows)
        self._found.equal += len(rows) - int(np.isin(rows.of_record, different).sum())

    @cached_property
    def _histories(self) -> dict[str, GroupHistory]:
        return {group.part_name: GroupHistory(self._store, group) for group in self._view.groups}

    @cached_property
    def _absent(self) -> dict[str, AbsentEvents]:
        found = {}
        for group in self._view.groups:
            tables = self._histories[group.part_name].tables
            by_topic = {each.topic: tables[each.name].table for each in group.sources}
            found[group.part_name] = AbsentEvents(self._store, group, by_topic)
        return found

    def _of_today(self, batch: LoggedBatch, some: Int64) -> NDArray[np.bool_]:
        """bool of each record of the batch: whether it is one of some, and definition and model are those of today."""
        found = np.zeros(len(batch), np.bool_)
        for alike in batch.alike(_MADE_BY, some):
            cause, detail = self._changed(batch.record(int(alike[0])))
            found[alike] = not detail
            for row in alike.tolist() if detail else ():
                self._found.differ(batch.id(row), cause, detail)
        return found

    def _changed(self, record: LoggedPrediction) -> tuple[str, str]:
        """Cause and detail; no detail where nothing changed."""
        if record.view_fingerprint != self._view.fingerprint:
            was, now = record.view_fingerprint, self._view.fingerprint
            return CHANGED_DEFINITION, f"the view had the fingerprint {was}, and has {now} now"
        try:
            return CHANGED_MODEL, self._model(record.model, record.model_version).fault(record.model_digest)
        except FeatureError as error:
            return CHANGED_MODEL, str(error)

    def _seen(self, rows: LoggedRows, chosen: Mapping[str, Int64]) -> NDArray[np.float32]:
        """float32[n, columns]: what the model of each row saw, by the events."""
        view = self._view
        stored = {group.part_name: self._stored(group, rows, chosen[group.part_name]) for group in view.groups}
        request = request_floats(view.source, rows.columns, rows.valid)
        matrix = feature_matrix(view, request, rows.as_of_us, stored)
        if view.categories:
            codes = category_codes(view, request, stored)
            for model, mine in self._by_model(rows):
                matrix[mine] = place_categories(matrix[mine], codes[mine], model.categories(view))
        return matrix

    def _chosen(self, group: FeatureGroup, rows: LoggedRows) -> Int64:
        keys = entity_keys(group.entity, self._view.source, rows.columns)
        receipts = rows.records.receipt[rows.of_record]
        return rows.vectors.chosen(group.label, receipts, shards_of(keys, group.shards))

    def _stored(self, group: FeatureGroup, rows: LoggedRows, chosen: Int64) -> NDArray[np.float64]:
        keys = entity_keys(group.entity, self._view.source, rows.columns)
        key_columns = _key_columns(group, self._view.source, rows)
        asked = AskedRows(keys, key_columns, rows.as_of_us, chosen, rows.vectors.vectors)
        return values_at_vectors(self._histories[group.part_name], group, asked, self._events_at_once)

    def _unseen(self, rows: LoggedRows, chosen: Mapping[str, Int64]) -> dict[str, int]:
        """By cause how many rows lack events of event-time truth; of several causes the first in their order."""
        causes = {cause: np.zeros(len(rows), np.bool_) for cause in (CLOCK, STREAM_LAG, LATE_EVENT)}
        came_us, at_us = rows.records.came_us[rows.of_record], rows.records.at_us[rows.of_record]
        for group in self._view.groups:
            keys = entity_keys(group.entity, self._view.source, rows.columns)
            own = _key_columns(group, self._view.source, rows)
            answered = AnsweredRows(keys, own, rows.as_of_us, came_us, at_us, chosen[group.part_name], rows.vectors)
            for cause, lacking in unseen(group, self._histories[group.part_name].tables, answered).items():
                causes[cause] |= lacking
        told, counts = np.zeros(len(rows), np.bool_), {}
        for cause, lacking in causes.items():
            counts[cause] = int(np.count_nonzero(lacking & ~told))
            told |= lacking
        return counts

    def _by_model(self, rows: LoggedRows) -> Iterable[tuple[AuditedModel, NDArray[np.int64]]]:
        """Each model, and its rows."""
        models = list(dict.fromkeys((model, version) for model, version, _ in rows.records.kinds))
        of_kind = np.array([models.index((model, version)) for model, version, _ in rows.records.kinds])
        of = of_kind[rows.records.kind][rows.of_record]
        for number, (name, version) in enumerate(models):
            if len(mine := np.flatnonzero(of == number)):
                yield self._model(name, version), mine

    def _different(self, rows: LoggedRows, seen: NDArray[np.float32], causes: DifferenceCauses) -> NDArray[np.int64]:
        """Which of the records differ, each with its cause told."""
        features: NDArray[np.bool_] = np.all(equal(seen, rows.features), axis=1)
        scores, follows = np.empty(len(rows), np.bool_), np.empty(len(rows), np.bool_)
        for model, mine in self._by_model(rows):
            scores[mine] = model.gives(seen[mine], [rows.scores[row] for row in mine.tolist()])
            follows[mine], others = scores[mine], mine[~features[mine]]
            follows[others] = model.gives(rows.features[others], [rows.scores[row] for row in others.tolist()])
        different = np.unique(rows.of_record[~(features & scores)])
        starts, stops = (np.searchsorted(rows.of_record, different, side) for side in ("left", "right"))
        for number, start, stop in zip(different.tolist(), starts.tolist(), stops.tolist(), strict=True):
            own = slice(start, stop)
            cause = causes.of(number, own, self._absent, follows=bool(follows[own].all()))
            self._found.differ(rows.records[number].id, *cause)
        return different


def _key_columns(group: FeatureGroup, source: EventSource, rows: LoggedRows) -> pl.DataFrame:
    columns = {name: rows.columns[name] for name in group.entity.keys}
    return pl.DataFrame(
        {
            name: pl.Series(name, column.tolist() if column.dtype == object else column).cast(_kind(source, name))
            for name, column in columns.items()
        }
    )


def _kind(source: EventSource, name: str) -> type[pl.DataType]:
    return _KINDS[source.field(name).type.storage]
