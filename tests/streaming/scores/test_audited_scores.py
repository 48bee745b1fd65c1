"""What the stream job scored comes out again: a score and its event say all that an audit asks of a logged record."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import load_definitions
from shared_features.formats.prediction_log import (
    LoggedPrediction,
    decode_record,
    encode_numbers,
    encode_record,
    record_id,
)
from shared_features.formats.scored_event import ScoredEvent
from tests.domains.machines import BREAKDOWN, READINGS
from tests.serving.stored_states import event_batch, stored_states
from tests.streaming.scores.conftest import World
from tests.streaming.scores.scored_world import ALL, DEFINITIONS, ScoredWorld, instance, readings
from tests.training.inference.audit.test_audit import write_log
from tests.training.lake import EventRows, write_events
from training.datasets.offline_store import OfflineStore
from training.inference.audit.audit import audit
from training.inference.audit.findings import ALTERED_VALUE, Audited
from training.inference.audit.stored_log import StoredLog
from training.registry.versions import Registry


@dataclass(frozen=True)
class OfOnePartition(EventRows):
    """As the log of the world has them."""

    @property
    def partition(self) -> NDArray[np.int32]:
        return np.zeros(len(self.batch), np.int32)

    @property
    def offset(self) -> NDArray[np.int64]:
        return np.arange(len(self.batch))


def as_logged(scored: ScoredEvent, event: dict[str, Any]) -> LoggedPrediction:
    """The record of a request with the fields and the time of the event, answered as the event was scored."""
    record = LoggedPrediction(
        id=record_id("scores", scored.offset),
        at_us=scored.scored_at_us,
        instance="scores",
        counter=scored.offset,
        view=scored.view,
        view_fingerprint=scored.view_fingerprint,
        model=scored.model,
        model_version=scored.model_version,
        model_digest=scored.model_digest,
        as_of_us=scored.as_of_us,
        instants=encode_numbers([scored.as_of_us]),
        request=msgspec.json.encode({"instances": [instance(event)]}).decode(),
        features=scored.features,
        scores=encode_numbers([scored.score]),
        receipt=msgspec.json.encode(scored.receipt).decode(),
        degraded=False,
        latency_us=0,
        caller="",
        release=importlib.metadata.version("millrace"),
    )
    return decode_record(encode_record(record))


def audited(made: ScoredWorld, events: Sequence[dict[str, Any]], lake: Path) -> Audited:
    """All scores that the world has, from a lake that has these events."""
    batch = event_batch(READINGS, events)
    write_events(lake, OfOnePartition(batch, batch.event_time_us))
    write_log(lake, [as_logged(each, events[each.offset]) for each in made.scores()])
    store, log = OfflineStore(lake), StoredLog(OfflineStore(lake))
    return audit(store, Registry(made.registry), load_definitions(DEFINITIONS), log)


def test_scores_of_the_stream_come_out_of_an_audit_bit_for_bit(world: World, tmp_path: Path) -> None:
    events = readings(60)
    made = world(events, ())
    made.open().take([made.polled(0, -1, 59)])
    found = audited(made, events, tmp_path / "lake")
    assert (found.records, found.equal, found.differences, found.missing) == (60, 60, [], {})


def test_a_score_from_a_value_that_was_altered_in_redis_is_named(world: World, tmp_path: Path) -> None:
    events = readings(30)
    made = world(events, ())
    made.client.mset(stored_states(BREAKDOWN.groups, [event_batch(READINGS, events[:20])]))
    made.applied(ALL)
    made.open().take([made.polled(0, -1, 29)])
    found = audited(made, events, tmp_path / "lake")
    assert set(found.by_cause) == {ALTERED_VALUE}
    assert found.faults == 30 - found.equal > 0
