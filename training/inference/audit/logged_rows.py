"""The rows of logged requests: the values of their fields, as serving decoded them from the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView, Field
from shared_features.errors import FormatVersionError
from shared_features.formats.logged_columns import Texts, float_rows, integer_lists
from training.inference.audit.log_batches.logged_batch import LoggedBatch
from training.inference.audit.log_batches.logged_records import LoggedRecords, all_records, records_of
from training.inference.audit.read_vectors import ReadVectors
from training.inference.audit.shard_lives import Int64


@dataclass(frozen=True)
class LoggedRows:
    """The `n` instances of some records. features: float32[n, columns], as the model saw them. scores: one of each.

    of_record: int64[n], which of the records. columns, valid: of the request, as `formats.events` holds them.
    named_us: the time of the event that each instance names; -1 where it names none. vectors: of the receipts.
    """

    records: LoggedRecords
    of_record: Int64
    as_of_us: Int64
    columns: Mapping[str, NDArray[Any]]
    valid: Mapping[str, NDArray[np.bool_]]
    features: NDArray[np.float32]
    scores: list[Any]
    named_us: Int64
    vectors: ReadVectors

    def __len__(self) -> int:
        return len(self.as_of_us)

    def at(self, places: Int64) -> LoggedRows:
        """The same rows, of records with these places in their batch."""
        return replace(self, records=replace(self.records, at=places))

    def of(self, records: NDArray[np.bool_]) -> LoggedRows:
        """The rows of these records alone. records: bool, of each."""
        if records.all():
            return self
        rows = np.flatnonzero(records[self.of_record])
        return LoggedRows(
            self.records.take(np.flatnonzero(records)),
            (np.cumsum(records) - 1)[self.of_record[rows]],
            self.as_of_us[rows],
            {name: column[rows] for name, column in self.columns.items()},
            {name: column[rows] for name, column in self.valid.items()},
            self.features[rows],
            [self.scores[row] for row in rows.tolist()],
            self.named_us[rows],
            self.vectors,
        )


def together(parts: Sequence[LoggedRows]) -> LoggedRows:
    """All of them, one after the other."""
    first, vectors, before = parts[0], ReadVectors(), list[int]()
    for each in parts:
        before.append(len(vectors))
        vectors.merge(each.vectors)
    starts = np.cumsum([0, *(len(each.records) for each in parts)])
    return LoggedRows(
        all_records([each.records for each in parts], before),
        np.concatenate([each.of_record + start for each, start in zip(parts, starts, strict=False)]),
        np.concatenate([each.as_of_us for each in parts]),
        {name: np.concatenate([each.columns[name] for each in parts]) for name in first.columns},
        {name: np.concatenate([each.valid[name] for each in parts]) for name in first.valid},
        np.concatenate([each.features for each in parts]),
        [score for each in parts for score in each.scores],
        np.concatenate([each.named_us for each in parts]),
        vectors,
    )


class RowReader:
    """Reads the records of one view."""

    def __init__(self, view: FeatureView) -> None:
        self._view = view
        self._time = view.source.field(view.source.event_time)
        self._body = _decoder(list(dict.fromkeys((*view.request_fields, self._time))), lambda field: field.type.wire)
        exact = [field for field in view.request_fields if field.type.exact_wire is not None]
        self._exact = _decoder(exact, lambda field: field.type.exact_wire)
        self._scores = msgspec.json.Decoder(list[Any])

    def rows(self, batch: LoggedBatch) -> tuple[LoggedRows, dict[int, str]]:
        """And of the records that do not agree with themselves, because somebody altered them, place and reason."""
        try:
            return self._rows(batch), {}
        except (msgspec.MsgspecError, FormatVersionError, TypeError, ValueError, OverflowError) as error:
            if len(batch) == 1:
                return self._rows(LoggedBatch.of([])), {0: f"it cannot be read: {error}"}
        # Which of them it is, each half says.
        middle = len(batch) // 2
        (left, refused), (right, others) = (
            self.rows(batch.take(np.arange(start, stop))) for start, stop in ((0, middle), (middle, len(batch)))
        )
        both = together([left, right.at(right.records.at + middle)])
        return both, refused | {at + middle: why for at, why in others.items()}

    def _rows(self, batch: LoggedBatch) -> LoggedRows:
        requests = batch.texts("request")
        instances, counts = _flat([each.instances for each in _decoded(self._body, requests, "{}")])
        as_of_us, instants = integer_lists(batch.texts("instants"))
        scores, scored = _flat(_decoded(self._scores, batch.texts("scores"), "[]"))
        features, rows = float_rows(batch.texts("features"), len(self._view.columns))
        for what, found in (("instants", instants), ("scores", scored), ("rows of features", rows)):
            if (found != counts).any():
                at = int(np.argmax(found != counts))
                raise FormatVersionError(f"it has {counts[at]} instances, and {found[at]} {what}")
        vectors = ReadVectors()
        for receipt in batch.shared("receipt").texts:
            vectors.add(receipt)
        of_record = np.repeat(np.arange(len(batch)), counts)
        columns, valid = self._columns(instances, requests, of_record, np.cumsum(counts) - counts)
        named_us = self._named_us(list(map(attrgetter(_inner(self._time)), instances)))
        return LoggedRows(
            records_of(batch), of_record, as_of_us, columns, valid, features, scores, named_us, vectors
        )  # fmt: skip

    def _columns(
        self, instances: list[Any], requests: Texts, of_record: Int64, starts: Int64
    ) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[np.bool_]]]:
        columns: dict[str, NDArray[Any]] = {}
        valid: dict[str, NDArray[np.bool_]] = {}
        for field in self._view.request_fields:
            inner = _inner(field)

            def exact(row: int, inner: str = inner) -> Any:
                record = int(of_record[row])
                body = self._exact.decode(requests.data[requests.offsets[record] : requests.offsets[record + 1]].data)
                return getattr(body.instances[row - int(starts[record])], inner)

            found = field.column(list(map(attrgetter(inner), instances)), len(instances), exact)
            if found.bad is not None:
                raise ValueError(f"a value of {field.name!r} is one that the endpoint refuses")
            columns[field.name] = found.steps
            if found.there is not None:
                valid[field.name] = found.there
        return columns, valid

    def _named_us(self, times: list[Any]) -> Int64:
        if times.count(None) == len(times):
            return np.full(len(times), -1)
        is_named = np.array([each is not None for each in times])
        given = [self._time.type.blank if each is None else each for each in times]
        return np.where(is_named, self._time.type.steps(given, len(given)), -1)


def _inner(field: Field) -> str:
    return f"f_{field.name}"


def _decoder(fields: Sequence[Field], kind: Callable[[Field], Any]) -> msgspec.json.Decoder[Any]:
    instance: Any = msgspec.defstruct(
        "Instance",
        [(_inner(field), kind(field) | None, None) for field in fields],
        rename={_inner(field): field.name for field in fields},
        gc=False,  # a million of them refer to nothing else
    )
    return msgspec.json.Decoder(msgspec.defstruct("Body", [("instances", list[instance])]))


def _decoded(decoder: msgspec.json.Decoder[Any], texts: Texts, ends: str) -> list[Any]:
    """The value of each text. ends: the characters that a value begins and ends with."""
    content, bounds = texts.data.tobytes(), texts.offsets.tolist()
    each = [content[start:stop] for start, stop in pairwise(bounds)]
    if texts.begin_and_end(*ends):
        # No value reaches from one line into the next, as it would hold "}\n{". So as many values are one of each text.
        values = decoder.decode_lines(b"\n".join(each))
        if len(values) == len(each):
            return values
    return list(map(decoder.decode, each))


def _flat(lists: list[list[Any]]) -> tuple[list[Any], Int64]:
    """The values of all lists, and how many each has."""
    return [value for each in lists for value in each], np.array(list(map(len, lists)), np.int64)
