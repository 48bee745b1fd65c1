"""The rows of a logged request: the values of its fields, as serving decoded them from the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView, Field
from shared_features.errors import FormatVersionError
from shared_features.formats.prediction_log import LoggedPrediction, decode_matrix
from shared_features.formats.receipt import decode_receipt
from shared_features.formats.shard_meta import Partition

Vector = Mapping[Partition, int]
"""(topic, topic id, partition) -> the last offset that was applied."""


@dataclass(frozen=True)
class LoggedRows:
    """The `n` instances of one record. features: float32[n, columns], as the model saw them. scores: one per instance.

    columns, valid: of the request, as `formats.events` holds them. vectors: by (label of a group, shard). named_us: the
    time of the event that each instance names; -1 where it names none.
    """

    logged: LoggedPrediction
    as_of_us: NDArray[np.int64]
    columns: Mapping[str, NDArray[Any]]
    valid: Mapping[str, NDArray[np.bool_]]
    features: NDArray[np.float32]
    scores: Sequence[Any]
    vectors: Mapping[tuple[str, int], Vector]
    named_us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.as_of_us)


class RowReader:
    """Reads the records of one view."""

    def __init__(self, view: FeatureView) -> None:
        self._view = view
        self._time = view.source.field(view.source.event_time)
        read = list(dict.fromkeys((*view.request_fields, self._time)))
        self._decode = _decoder(read, lambda field: field.type.wire)
        exact = [field for field in view.request_fields if field.type.exact_wire is not None]
        self._exact = _decoder(exact, lambda field: field.type.exact_wire)

    def rows(self, logged: LoggedPrediction) -> LoggedRows:
        """Raises FormatVersionError where the record does not agree with itself: somebody altered it."""
        try:
            raw = logged.request.encode()
            instances, exact = self._decode(raw).instances, self._exact(raw).instances
            as_of_us = np.array(msgspec.json.decode(logged.instants, type=list[int]), np.int64)
            scores = msgspec.json.decode(logged.scores, type=list[Any])
        except msgspec.MsgspecError as error:
            raise FormatVersionError(f"Record {logged.id} of the prediction log cannot be read: {error}.") from error
        features = decode_matrix(logged.features, len(self._view.columns))
        if not len(instances) == len(as_of_us) == len(scores) == len(features):
            raise FormatVersionError(
                f"Record {logged.id} of the prediction log has {len(instances)} instances, {len(as_of_us)} instants, "
                f"{len(features)} rows of features and {len(scores)} scores."
            )
        columns: dict[str, NDArray[Any]] = {}
        valid: dict[str, NDArray[np.bool_]] = {}
        for field in self._view.request_fields:
            values = [getattr(each, _inner(field)) for each in instances]
            found = field.column(values, len(values), _value_of(exact, field))
            columns[field.name] = found.steps
            if found.there is not None:
                valid[field.name] = found.there
        vectors = {
            (each.group, each.shard): {(at.topic, at.topic_id, at.partition): at.offset for at in each.vector}
            for each in decode_receipt(logged.receipt.encode()).shards
        }
        times = [getattr(each, _inner(self._time)) for each in instances]
        return LoggedRows(logged, as_of_us, columns, valid, features, scores, vectors, self._named_us(times))

    def _named_us(self, times: Sequence[Any]) -> NDArray[np.int64]:
        is_named = np.array([each is not None for each in times])
        given = [self._time.type.blank if each is None else each for each in times]
        return np.where(is_named, self._time.type.steps(given, len(given)), -1)


def _inner(field: Field) -> str:
    return f"f_{field.name}"


def _value_of(instances: Sequence[Any], field: Field) -> Callable[[int], Any]:
    return lambda row: getattr(instances[row], _inner(field))


def _decoder(fields: Sequence[Field], kind: Callable[[Field], Any]) -> Callable[[bytes], Any]:
    instance: Any = msgspec.defstruct(
        "Instance",
        [(_inner(field), kind(field) | None, None) for field in fields],
        rename={_inner(field): field.name for field in fields},
    )
    return msgspec.json.Decoder(msgspec.defstruct("Body", [("instances", list[instance])])).decode
