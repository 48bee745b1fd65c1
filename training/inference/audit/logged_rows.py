"""The rows of logged requests: the values of their fields, as serving decoded them from the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.inference.audit.log_batches.logged_records import LoggedRecords, all_records
from training.inference.audit.replay.read_vectors import ReadVectors
from training.inference.audit.replay.shard_lives import Int64


@dataclass(frozen=True)
class LoggedRows:
    """The `n` instances of some records. features: float32[n, columns], as the model saw them. scores: one of each,
    float32[n], or object[n] as JSON has them.

    of_record: int64[n], which of the records. columns, valid: of the request, as `formats.events` holds them.
    named_us: the time of the event that each instance names; -1 where it names none. vectors: of the receipts.
    """

    records: LoggedRecords
    of_record: Int64
    as_of_us: Int64
    columns: Mapping[str, NDArray[Any]]
    valid: Mapping[str, NDArray[np.bool_]]
    features: NDArray[np.float32]
    scores: NDArray[Any]
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
            self.scores[rows],
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
        _concatenated([each.scores for each in parts]),
        np.concatenate([each.named_us for each in parts]),
        vectors,
    )


def _concatenated(scores: Sequence[NDArray[Any]]) -> NDArray[Any]:
    kinds = {each.dtype for each in scores}
    return np.concatenate(scores if len(kinds) == 1 else [each.astype(object) for each in scores])
