"""The audit of one view's records: their features and scores again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView
from shared_features.errors import FeatureError
from shared_features.feature_matrix import category_codes, feature_matrix, place_categories, request_floats
from training.datasets.offline_store import OfflineStore
from training.inference.audit.audited_model import AuditedModel
from training.inference.audit.causes.difference_causes import DifferenceCauses, equal
from training.inference.audit.findings import (
    ALTERED_RECORD,
    CHANGED_DEFINITION,
    CHANGED_MODEL,
    UNARCHIVED_EVENTS,
    Audited,
)
from training.inference.audit.log_batches.logged_batch import LoggedBatch
from training.inference.audit.log_batches.read_batch import ViewRecords
from training.inference.audit.logged_rows import LoggedRows, together
from training.inference.audit.replay.replay_budget import ReplayBudget
from training.inference.audit.replay.shard_lives import Int64
from training.inference.audit.replay.view_events import ViewEvents

_MADE_BY = "view_fingerprint", "model", "model_version", "model_digest"


class Made(Protocol):
    """What a record says of the definition and the model that it was made by."""

    @property
    def view_fingerprint(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def model_version(self) -> int: ...
    @property
    def model_digest(self) -> str: ...


class ViewAudit:
    """Takes records of one view, and compares those that were taken, on one other thread while it takes the next."""

    def __init__(
        self,
        store: OfflineStore,
        view: FeatureView,
        model: Callable[[str, int], AuditedModel],
        found: Audited,
        budget: ReplayBudget,
    ) -> None:
        self._view, self._model, self._found = view, model, found
        self._events = ViewEvents(store, view, budget)
        self._waiting: list[LoggedRows] = []

    def take(self, batch: LoggedBatch, records: ViewRecords, chosen: NDArray[np.bool_]) -> int:
        """Keep rows of records, or say why they cannot be compared. chosen: which of the batch. Returns how many."""
        today = chosen & self._of_today(batch, records.at[chosen[records.at]])
        for row, why in records.refused.items():
            if today[row]:
                self._found.differ(batch.id(row), ALTERED_RECORD, why)
        if records.rows is None:
            return 0
        rows = records.rows.of(today[records.rows.records.at])
        if len(rows):
            self._waiting.append(rows)
        return len(rows)

    def hand_over(self) -> list[LoggedRows]:
        """What was taken since the last time. It is then for `compare`, which empties it."""
        taken, self._waiting = self._waiting, []
        return taken

    def compare(self, taken: list[LoggedRows], found: Audited) -> list[int]:
        """found: what gets the differences and the counts of these rows.

        Returns the numbers of the records that can be compared when the archive has come further.
        """
        if not sum(map(len, taken)):
            return []
        rows = together(taken)
        taken.clear()  # the same again, in memory
        chosen = self._events.chosen(rows)
        seen = self._seen(rows, chosen)
        different, waiting = self._different(rows, seen, DifferenceCauses(self._view, rows, seen, chosen), found)
        if found.unseen is not None:
            found.unseen.update(self._events.unseen(rows, chosen))
        found.predictions += len(rows)
        found.equal += len(rows) - int(np.isin(rows.of_record, different).sum())
        return waiting

    def _of_today(self, batch: LoggedBatch, some: Int64) -> NDArray[np.bool_]:
        """bool of each record of the batch: whether it is one of some, and definition and model are those of today."""
        found = np.zeros(len(batch), np.bool_)
        for alike in batch.alike(_MADE_BY, some):
            cause, detail = self.changed(batch.record(int(alike[0])))
            found[alike] = not detail
            for row in alike.tolist() if detail else ():
                self._found.differ(batch.id(row), cause, detail)
        return found

    def changed(self, record: Made) -> tuple[str, str]:
        """Cause and detail of a record that other definitions or models made; no detail where nothing changed."""
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
        stored = self._events.values(rows, chosen)
        request = request_floats(view.source, rows.columns, rows.valid)
        matrix = feature_matrix(view, request, rows.as_of_us, stored)
        if view.categories:
            codes = category_codes(view, request, stored)
            for model, mine in self._by_model(rows):
                matrix[mine] = place_categories(matrix[mine], codes[mine], model.categories(view))
        return matrix

    def _by_model(self, rows: LoggedRows) -> Iterable[tuple[AuditedModel, NDArray[np.int64]]]:
        """Each model, and its rows."""
        models = list(dict.fromkeys((model, version) for model, version, _ in rows.records.kinds))
        of_kind = np.array([models.index((model, version)) for model, version, _ in rows.records.kinds])
        of = of_kind[rows.records.kind][rows.of_record]
        for number, (name, version) in enumerate(models):
            if len(mine := np.flatnonzero(of == number)):
                yield self._model(name, version), mine

    def _different(
        self, rows: LoggedRows, seen: NDArray[np.float32], causes: DifferenceCauses, found: Audited
    ) -> tuple[NDArray[np.int64], list[int]]:
        """Which of the records differ, each with its cause told; and those of them that wait for the archive."""
        features: NDArray[np.bool_] = np.all(equal(seen, rows.features), axis=1)
        scores, follows = np.empty(len(rows), np.bool_), np.empty(len(rows), np.bool_)
        for model, mine in self._by_model(rows):
            scores[mine] = model.gives(seen[mine], rows.scores[mine])
            follows[mine], others = scores[mine], mine[~features[mine]]
            follows[others] = model.gives(rows.features[others], rows.scores[others])
        different = np.unique(rows.of_record[~(features & scores)])
        starts, stops = (np.searchsorted(rows.of_record, different, side) for side in ("left", "right"))
        waiting = []
        for number, start, stop in zip(different.tolist(), starts.tolist(), stops.tolist(), strict=True):
            own = slice(start, stop)
            cause = causes.of(number, own, self._events.absent, follows=bool(follows[own].all()))
            found.differ(rows.records[number].id, *cause)
            if cause[0] == UNARCHIVED_EVENTS:
                waiting.append(number)
        return different, waiting
