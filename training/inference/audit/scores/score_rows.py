"""Scores as rows of an audit, before the fields of their events are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import UNSET
from numpy.typing import NDArray

from shared_features.errors import FormatVersionError
from shared_features.formats.logged_columns import as_texts, float_rows
from shared_features.formats.prediction_log import decode_matrix
from shared_features.formats.scored_event import ScoredEvent
from training.inference.audit.findings import ALTERED_SCORE, Audited
from training.inference.audit.log_batches.logged_records import LoggedRecords
from training.inference.audit.logged_rows import LoggedRows, together
from training.inference.audit.replay.read_vectors import ReadVectors
from training.inference.audit.replay.shard_lives import Int64
from training.inference.audit.scores.read_scores import ReadScore

Given = float | list[float]
"""What the model said: a score, a value, or the probabilities in the order of the classes."""


@dataclass(frozen=True)
class ScoreRows:
    """`n` scores. rows: without columns of their events. partition, offset: int64[n], where the events lie. own_offset:
    int64[n], of the scores, which lie in the partitions of their events' numbers.

    event_ids: of the events. entities: by the name of an entity its key in each.
    """

    rows: LoggedRows
    partition: Int64
    offset: Int64
    own_offset: Int64
    topic_ids: Sequence[str]
    event_ids: Sequence[str | int]
    entities: Mapping[str, Sequence[str | None]]


def given(scored: ScoredEvent) -> Given | None:
    """None where it says nothing."""
    if scored.score is not UNSET:
        return scored.score
    if scored.value is not UNSET:
        return scored.value
    return None if scored.probabilities is UNSET else list(scored.probabilities.values())


def score_rows(some: Sequence[ReadScore], names: Sequence[str], wide: int, found: Audited) -> ScoreRows | None:
    """names: of the view's entities. wide: how many columns its matrix has. found: is told of what contradicts itself.

    Returns None where nothing is left.
    """
    vectors, numbers, kept, receipts = ReadVectors(), dict[bytes, int | str](), list[int](), list[int]()
    features, readable = _features([each.scored.features for each in some], wide)
    for at, (each, is_readable) in enumerate(zip(some, readable.tolist(), strict=True)):
        number = _receipt(bytes(each.scored.receipt), numbers, vectors)  # type: ignore[arg-type]  # it is Raw
        if isinstance(number, str):
            found.differ(each.id, ALTERED_SCORE, number)
        elif not is_readable:
            found.differ(each.id, ALTERED_SCORE, f"its features are not one row of {wide} numbers")
        else:
            kept.append(at)
            receipts.append(number)
    if not kept:
        return None
    return _rows([some[at] for at in kept], features[kept], np.array(receipts, np.int64), vectors, names)


def all_scores(parts: Sequence[ScoreRows]) -> ScoreRows:
    """All of them, one after the other."""
    return ScoreRows(
        together([each.rows for each in parts]),
        np.concatenate([each.partition for each in parts]),
        np.concatenate([each.offset for each in parts]),
        np.concatenate([each.own_offset for each in parts]),
        [one for each in parts for one in each.topic_ids],
        [one for each in parts for one in each.event_ids],
        {name: [one for each in parts for one in each.entities[name]] for name in parts[0].entities},
    )


def _receipt(content: bytes, numbers: dict[bytes, int | str], vectors: ReadVectors) -> int | str:
    """Its number among the vectors; a text says what is wrong with it."""
    if content not in numbers:
        try:
            count = len(vectors)
            vectors.add(content.decode())
            numbers[content] = count
        except FormatVersionError as error:
            numbers[content] = str(error)
    return numbers[content]


def _features(texts: Sequence[str], wide: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """float32[n, wide], and bool[n]: which texts are one row. The others have a row that says nothing."""
    try:
        rows, counts = float_rows(as_texts([each.encode() for each in texts]), wide)
    except FormatVersionError:
        return _one_by_one(texts, wide)
    features, readable = np.zeros((len(texts), wide), np.float32), counts == 1
    features[readable] = rows[(np.cumsum(counts) - counts)[readable]]
    return features, readable


def _one_by_one(texts: Sequence[str], wide: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    features, readable = np.zeros((len(texts), wide), np.float32), np.zeros(len(texts), np.bool_)
    for at, each in enumerate(texts):
        with suppress(FormatVersionError):
            rows = decode_matrix(each, wide)
            readable[at] = len(rows) == 1
            features[at] = rows[0] if readable[at] else 0
    return features, readable


def _rows(
    kept: Sequence[ReadScore],
    features: NDArray[np.float32],
    receipts: Int64,
    vectors: ReadVectors,
    names: Sequence[str],
) -> ScoreRows:
    scores = [each.scored for each in kept]
    every = np.arange(len(scores))
    as_of_us = np.array([each.as_of_us for each in scores], np.int64)
    rows = LoggedRows(
        _records(kept, receipts), every, as_of_us, {}, {}, features, _outcomes(scores), as_of_us, vectors
    )  # fmt: skip
    return ScoreRows(
        rows,
        np.array([each.partition for each in scores], np.int64),
        np.array([each.offset for each in scores], np.int64),
        np.array([each.offset for each in kept], np.int64),
        [each.topic_id for each in scores],
        [each.id for each in scores],
        {name: [each.entities.get(name) for each in scores] for name in names},
    )


def _outcomes(scores: Sequence[ScoredEvent]) -> NDArray[Any]:
    said = [given(each) for each in scores]
    if any(isinstance(each, list) for each in said):
        return np.fromiter(said, object, len(said))
    return np.array(said, np.float32)


def _records(kept: Sequence[ReadScore], receipts: Int64) -> LoggedRecords:
    scores = [each.scored for each in kept]
    made = [(each.model, each.model_version, each.release) for each in scores]
    kinds = {kind: at for at, kind in enumerate(dict.fromkeys(made))}
    at_us = np.array([each.scored_at_us for each in scores], np.int64)
    return LoggedRecords(
        np.arange(len(scores)),
        pa.chunked_array([pa.array([each.id for each in kept], pa.string())]),
        list(kinds),
        np.array([kinds[each] for each in made], np.int64),
        np.zeros(len(scores), np.bool_),
        receipts,
        at_us,
        at_us,
    )
