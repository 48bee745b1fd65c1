"""The audit of the prediction log: features and scores of every record again, bit for bit, and why they differ.

The cause of a difference is found by what still agrees. A record has a digest, so an altered one is known. Where the
logged scores follow from the logged features, the model did see these features: what it read in Redis was altered.
"""

from __future__ import annotations

import importlib.metadata
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import Catalogue, FeatureView
from shared_features.errors import DefinitionError, FeatureError, FormatVersionError
from shared_features.feature_matrix import category_codes, feature_matrix, place_categories, request_floats
from shared_features.formats.entity_keys import entity_keys, shards_of
from shared_features.formats.offline_tables import events_table
from shared_features.formats.prediction_log import (
    SCHEMA_VERSION,
    Hole,
    LoggedPrediction,
    each_once,
    is_altered,
    is_erased,
    logged_prediction,
    missing_counters,
    prediction_source,
)
from training.datasets.offline_store import OfflineStore
from training.inference.audited_model import AuditedModel
from training.inference.logged_rows import LoggedRows, RowReader
from training.inference.vector_replay import AskedRows, values_at_vectors
from training.registry.versions import Registry

CHANGED_DEFINITION, CHANGED_MODEL, CHANGED_CODE = "changed definition", "changed model", "changed code"
ALTERED_RECORD, ALTERED_VALUE = "altered log line", "altered value in Redis"
OTHER_SCHEMA = "log line of another schema"


@dataclass(frozen=True)
class Difference:
    """A record that does not come out again. cause: one of the names above. detail: what was found."""

    id: str
    cause: str
    detail: str


@dataclass
class Audited:
    """What an audit found. missing: by process, the numbers that no record has, as pairs of first and last.

    erased: records whose content was erased with an entity, of which nothing can be computed.
    """

    records: int = 0
    erased: int = 0
    predictions: int = 0
    equal: int = 0
    differences: list[Difference] = field(default_factory=list)
    missing: dict[str, list[Hole]] = field(default_factory=dict)

    @property
    def by_cause(self) -> dict[str, int]:
        """How many records have each cause."""
        return dict(Counter(each.cause for each in self.differences))


def read_log(store: OfflineStore) -> list[LoggedPrediction]:
    """All records, each once. Raises DatasetError where there is no log."""
    frame = store.pin(events_table(prediction_source("any"))).scan().collect()
    return each_once(map(logged_prediction, frame.to_dicts()))


def audit(store: OfflineStore, registry: Registry, catalogue: Catalogue, logged: Sequence[LoggedPrediction]) -> Audited:
    """Compute every record again. Raises DatasetError where the lake lacks the events of a view."""
    found = Audited(records=len(logged))
    by_view: dict[str, list[LoggedPrediction]] = {}
    for each in logged:
        if difference := _not_as_written(each):
            found.differences.append(difference)
        elif is_erased(each):
            found.erased += 1
        else:
            by_view.setdefault(each.view, []).append(each)
    found.missing = _missing(logged, {each.id for each in found.differences})
    for label, records in by_view.items():
        try:
            view = catalogue.view(label)
        except DefinitionError as error:
            found.differences += [Difference(each.id, CHANGED_DEFINITION, str(error)) for each in records]
            continue
        _ViewAudit(store, registry, view, found).compare(records)
    return found


def _not_as_written(record: LoggedPrediction) -> Difference | None:
    """Before anything that the record says is believed."""
    if record.schema_version != SCHEMA_VERSION:
        detail = f"it has schema {record.schema_version}, and this release knows {SCHEMA_VERSION}"
        return Difference(record.id, OTHER_SCHEMA, f"{detail}: a later release wrote it, or it was altered")
    if is_altered(record):
        return Difference(record.id, ALTERED_RECORD, "its digest is that of another record")
    return None


def _missing(logged: Sequence[LoggedPrediction], doubtful: Set[str]) -> dict[str, list[Hole]]:
    """doubtful: ids of records whose numbers fill a hole where there is one, and make none."""
    genuine = [each for each in logged if each.id not in doubtful]
    highest: dict[str, int] = {}
    for each in genuine:
        highest[each.instance] = max(each.counter, highest.get(each.instance, 0))
    return missing_counters(each for each in logged if 0 <= each.counter <= highest.get(each.instance, -1))


class _ViewAudit:
    """Of the records of one view."""

    def __init__(self, store: OfflineStore, registry: Registry, view: FeatureView, found: Audited) -> None:
        self._store, self._view, self._found = store, view, found
        self._reader = RowReader(view)
        self._release = importlib.metadata.version("millrace")
        self._model = cache(lambda name, version: AuditedModel(registry, name, version))

    def compare(self, records: Iterable[LoggedPrediction]) -> None:
        """Each record, or why it cannot be compared."""
        rows = [each for record in records if (each := self._readable(record)) is not None]
        if not rows:
            return
        matrix, codes = self._features(rows)
        start = 0
        for each in rows:
            stop = start + len(each)
            self._found.predictions += len(each)
            difference = self._difference(each, matrix[start:stop], None if codes is None else codes[start:stop])
            if difference is None:
                self._found.equal += len(each)
            else:
                self._found.differences.append(difference)
            start = stop

    def _readable(self, record: LoggedPrediction) -> LoggedRows | None:
        cause, detail = CHANGED_DEFINITION, ""
        if record.view_fingerprint != self._view.fingerprint:
            detail = f"the view had the fingerprint {record.view_fingerprint}, and has {self._view.fingerprint} now"
        else:
            cause = CHANGED_MODEL
            try:
                detail = self._model(record.model, record.model_version).fault(record.model_digest)
            except FeatureError as error:
                detail = str(error)
        if not detail:
            try:
                return self._reader.rows(record)
            except FormatVersionError as error:
                cause, detail = ALTERED_RECORD, str(error)
        self._found.differences.append(Difference(record.id, cause, detail))
        return None

    def _features(self, rows: Sequence[LoggedRows]) -> tuple[NDArray[np.float32], NDArray[np.float64] | None]:
        """The matrix of all rows without categories, and the codes of these."""
        view, first = self._view, rows[0]
        columns = {name: np.concatenate([each.columns[name] for each in rows]) for name in first.columns}
        valid = {name: np.concatenate([each.valid[name] for each in rows]) for name in first.valid}
        as_of_us = np.concatenate([each.as_of_us for each in rows])
        stored = {}
        for group in view.groups:
            keys = entity_keys(group.entity, view.source, columns)
            shards = shards_of(keys, group.shards).tolist()
            of_rows = [each for each in rows for _ in range(len(each))]
            vectors = [each.vectors.get((group.label, shard)) for each, shard in zip(of_rows, shards, strict=True)]
            asked = AskedRows(keys, {name: columns[name] for name in group.entity.keys}, as_of_us, vectors)
            stored[group.part_name] = values_at_vectors(self._store, group, asked)
        request = request_floats(view.source, columns, valid)
        codes = category_codes(view, request, stored) if view.categories else None
        return feature_matrix(view, request, as_of_us, stored), codes

    def _difference(
        self, rows: LoggedRows, matrix: NDArray[np.float32], codes: NDArray[np.float64] | None
    ) -> Difference | None:
        record = rows.logged
        model = self._model(record.model, record.model_version)
        seen = matrix if codes is None else place_categories(matrix, codes, model.categories(self._view))
        features, scores = _same(seen, rows.features), _same_scores(model.scores(seen), rows.scores)
        if features and scores:
            return None
        detail = "the scores are others" if features else self._first_feature(seen, rows.features)
        detail = f"release {record.release} answered, this is {self._release}: {detail}"
        follows = not features and _same_scores(model.scores(rows.features), rows.scores)
        is_value = follows and record.release == self._release
        return Difference(record.id, ALTERED_VALUE if is_value else CHANGED_CODE, detail)

    def _first_feature(self, seen: NDArray[np.float32], logged: NDArray[np.float32]) -> str:
        row, column = np.argwhere(~_equal(seen, logged))[0].tolist()
        name = self._view.columns[column].name
        return f"$.instances[{row}]: {name} was {logged[row, column]!s}, and the events give {seen[row, column]!s}"


def _equal(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Bit for bit; every NaN is missing."""
    equal: NDArray[np.bool_] = left.view(np.uint32) == right.view(np.uint32)
    return equal | (np.isnan(left) & np.isnan(right))


def _same(left: NDArray[np.float32], right: NDArray[np.float32]) -> bool:
    return bool(_equal(np.ascontiguousarray(left), np.ascontiguousarray(right)).all())


def _same_scores(ours: Sequence[Any], logged: Sequence[Any]) -> bool:
    try:
        return np.array(ours, np.float32).tobytes() == np.array(logged, np.float32).tobytes()
    except (TypeError, ValueError):  # not numbers, or of another shape
        return False
