"""The rows of logged requests: the values of their fields, as serving decoded them from the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView, Field
from shared_features.errors import FormatVersionError
from shared_features.formats.prediction_log import LoggedPrediction, decode_matrix_bytes
from training.inference.audit.read_vectors import ReadVectors
from training.inference.audit.shard_lives import Int64


class RecordFacts(msgspec.Struct, frozen=True, gc=False):
    """What is kept of a record. shards: numbers of `ReadVectors`."""

    id: str
    model: str
    version: int
    release: str
    degraded: bool
    shards: list[int]


@dataclass(frozen=True)
class LoggedRows:
    """The `n` instances of some records. features: float32[n, columns], as the model saw them. scores: one of each.

    of_record: int64[n], which of the records. columns, valid: of the request, as `formats.events` holds them.
    named_us: the time of the event that each instance names; -1 where it names none.
    """

    records: list[RecordFacts]
    of_record: Int64
    as_of_us: Int64
    columns: Mapping[str, NDArray[Any]]
    valid: Mapping[str, NDArray[np.bool_]]
    features: NDArray[np.float32]
    scores: list[Any]
    named_us: Int64

    def __len__(self) -> int:
        return len(self.as_of_us)


def together(parts: Sequence[LoggedRows]) -> LoggedRows:
    """All of them, one after the other."""
    first, before = parts[0], np.cumsum([0, *(len(each.records) for each in parts)])
    return LoggedRows(
        [record for each in parts for record in each.records],
        np.concatenate([each.of_record + start for each, start in zip(parts, before, strict=False)]),
        np.concatenate([each.as_of_us for each in parts]),
        {name: np.concatenate([each.columns[name] for each in parts]) for name in first.columns},
        {name: np.concatenate([each.valid[name] for each in parts]) for name in first.valid},
        np.concatenate([each.features for each in parts]),
        [score for each in parts for score in each.scores],
        np.concatenate([each.named_us for each in parts]),
    )


class _Decoded(msgspec.Struct, frozen=True, gc=False):
    """One record. features: the bytes of its rows."""

    record: LoggedPrediction
    shards: list[int]
    instances: list[Any]
    instants: list[int]
    features: bytes
    scores: list[Any]

    @property
    def facts(self) -> RecordFacts:
        record = self.record
        named = record.id, record.model, record.model_version, record.release, record.degraded
        return RecordFacts(*named, self.shards)


class RowReader:
    """Reads the records of one view."""

    def __init__(self, view: FeatureView) -> None:
        self._view = view
        self._time = view.source.field(view.source.event_time)
        self._body = _decoder(list(dict.fromkeys((*view.request_fields, self._time))), lambda field: field.type.wire)
        exact = [field for field in view.request_fields if field.type.exact_wire is not None]
        self._exact = _decoder(exact, lambda field: field.type.exact_wire)
        self._instants = msgspec.json.Decoder(list[int]).decode
        self._scores = msgspec.json.Decoder(list[Any]).decode

    def rows(
        self, records: Sequence[LoggedPrediction], vectors: ReadVectors, refuse: Callable[[str, str], None]
    ) -> LoggedRows:
        """refuse: told id and reason of a record that does not agree with itself, because somebody altered it."""
        decoded = []
        for record in records:
            try:
                decoded.append(self._decoded(record, vectors))
            except (msgspec.MsgspecError, FormatVersionError) as error:
                refuse(record.id, f"it cannot be read: {error}")
        try:
            return self._rows(decoded)
        except (TypeError, ValueError, OverflowError) as error:  # a value that no column holds
            if len(decoded) == 1:
                refuse(decoded[0].record.id, f"its request cannot be read: {error}")
                return self._rows([])
        return together([self.rows([each.record], vectors, refuse) for each in decoded])

    def _decoded(self, record: LoggedPrediction, vectors: ReadVectors) -> _Decoded:
        instances = self._body(record.request).instances
        instants, scores = self._instants(record.instants), self._scores(record.scores)
        features, wide = decode_matrix_bytes(record.features), 4 * len(self._view.columns)
        if not len(instances) == len(instants) == len(scores) == len(features) / wide:
            raise FormatVersionError(
                f"it has {len(instances)} instances, {len(instants)} instants, {len(features) / wide:g} rows of "
                f"features and {len(scores)} scores"
            )
        return _Decoded(record, vectors.of(record.receipt), instances, instants, features, scores)

    def _rows(self, decoded: Sequence[_Decoded]) -> LoggedRows:
        counts = [len(each.instants) for each in decoded]
        of_record = np.repeat(np.arange(len(decoded)), counts)
        starts = np.cumsum([0, *counts])
        instances = [instance for each in decoded for instance in each.instances]
        columns: dict[str, NDArray[Any]] = {}
        valid: dict[str, NDArray[np.bool_]] = {}
        for field in self._view.request_fields:
            inner = _inner(field)

            def exact(row: int, inner: str = inner) -> Any:
                record = int(of_record[row])
                instances = self._exact(decoded[record].record.request).instances
                return getattr(instances[row - int(starts[record])], inner)

            found = field.column(list(map(attrgetter(inner), instances)), len(instances), exact)
            if found.bad is not None:
                raise ValueError(f"a value of {field.name!r} is one that the endpoint refuses")
            columns[field.name] = found.steps
            if found.there is not None:
                valid[field.name] = found.there
        features = np.frombuffer(b"".join(each.features for each in decoded), "<f4").astype(np.float32)
        return LoggedRows(
            [each.facts for each in decoded],
            of_record,
            np.array([instant for each in decoded for instant in each.instants], np.int64),
            columns,
            valid,
            features.reshape(-1, len(self._view.columns)),
            [score for each in decoded for score in each.scores],
            self._named_us(list(map(attrgetter(_inner(self._time)), instances))),
        )

    def _named_us(self, times: list[Any]) -> Int64:
        if times.count(None) == len(times):
            return np.full(len(times), -1)
        is_named = np.array([each is not None for each in times])
        given = [self._time.type.blank if each is None else each for each in times]
        return np.where(is_named, self._time.type.steps(given, len(given)), -1)


def _inner(field: Field) -> str:
    return f"f_{field.name}"


def _decoder(fields: Sequence[Field], kind: Callable[[Field], Any]) -> Callable[[str], Any]:
    instance: Any = msgspec.defstruct(
        "Instance",
        [(_inner(field), kind(field) | None, None) for field in fields],
        rename={_inner(field): field.name for field in fields},
        gc=False,  # a million of them refer to nothing else
    )
    return msgspec.json.Decoder(msgspec.defstruct("Body", [("instances", list[instance])])).decode
