"""The records of events that can be scored: the model's outcome of each row, or why the endpoint would refuse it."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from functools import cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared_features.formats.prediction_log import encode_matrix
from shared_features.formats.receipt import encode_receipt
from shared_features.formats.scored_event import Outcome, ScoredEvent
from shared_features.kernel.event_time import to_text
from shared_features.stored_features.feature_vectors import FeatureRows
from streaming.scores.scoring_model import ScoringModel
from streaming.scores.unscored_events import UnscoredEvents


def scored_rows(
    model: ScoringModel, events: UnscoredEvents, rows: FeatureRows, chosen: NDArray[np.bool_], now_us: int
) -> Iterator[ScoredEvent]:
    """Of the chosen events in their order."""
    view, manifest = model.view, model.manifest
    seen = model.seen(rows.matrix, rows.codes)
    ids, entities = events.batch.columns[view.source.event_id].tolist(), events.entities(view)
    for row in np.flatnonzero(chosen).tolist():
        found = _too_early(rows, row) or model.outcome(seen[row : row + 1])
        outcome = {"refused": found} if isinstance(found, str) else msgspec.structs.asdict(found)
        yield ScoredEvent(
            id=ids[row],
            entities=entities[row],
            as_of_us=int(rows.as_of_us[row]),
            **outcome,
            view=view.label,
            view_fingerprint=view.fingerprint,
            model=manifest.model,
            model_version=manifest.version,
            model_digest=manifest.model_digest,
            topic=view.source.topic,
            topic_id=events.topic_id,
            partition=int(events.partition[row]),
            offset=int(events.offset[row]),
            scored_at_us=now_us,
            features=encode_matrix(seen[row : row + 1]),
            receipt=encode_receipt(_shards(rows, row)),
            release=_release(),
        )


def refused_rows(model: ScoringModel, events: UnscoredEvents, reason: str, now_us: int) -> Iterator[ScoredEvent]:
    """Of events whose features cannot be computed, whatever is stored."""
    width = len(model.view.columns)
    nothing = np.full((len(events), width), np.nan, np.float32)
    rows = FeatureRows(nothing, events.batch.event_time_us, [])
    for scored in scored_rows(model, events, rows, np.ones(len(events), np.bool_), now_us):
        yield msgspec.structs.replace(scored, **_NO_OUTCOME, refused=reason)


@cache
def _release() -> str:
    return importlib.metadata.version("millrace")


_NO_OUTCOME = msgspec.structs.asdict(Outcome())


def _too_early(rows: FeatureRows, row: int) -> str:
    """Why stored features are not exact as of the row's instant; empty where they are."""
    for group in rows.groups:
        exact_us = group.exact_from_us[row]
        if exact_us is not None:
            return f"too late: the features of {group.group.label} are exact from {to_text(exact_us)} on"
    return ""


def _shards(rows: FeatureRows, row: int) -> Iterator[bytes]:
    for group in rows.groups:
        facts = group.facts[row]
        if facts is not None:
            yield facts.receipt
