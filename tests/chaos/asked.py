"""What is asked of the store while faults strike: as of a moment before an event, of the event, and after it.

Serving's own code reads and computes. What came back is kept with the vector that it was read with, and compared with
the oracle over the stored events when the job has come to rest.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import redis

from serving.request.request_body import RequestBody
from shared_features.definitions import FeatureGroup, FeatureView
from shared_features.formats.entity_keys import entity_keys, key_texts
from shared_features.formats.shard_meta import ShardMeta
from shared_features.formats.shard_meta_bytes import decode_meta
from shared_features.stored_features.feature_vectors import FeatureVectors
from tests import oracle
from tests.end_to_end.archived_truth import stored_events
from tests.taken_events import rows_of, taken

_PAUSE_S = 0.25
_AFTER_MS = (-400, -1, 0, 1, 400)
"""Of the events that are asked about: where the instant lies beside the event's own time."""

Place = tuple[str, int, int]
"""Topic, partition, offset."""


@dataclass(frozen=True)
class Answer:
    """What one group said: the values of its features in the view, by name, as of an instant, of one shard's meta."""

    group: FeatureGroup
    key: str
    as_of_us: int
    meta: ShardMeta
    values: dict[str, float]


@dataclass
class Asker:
    """Asks by a thread of its own about the events in `recent`, which are about to be sent or were just sent."""

    seed: int
    view: FeatureView
    namespace: str
    redis_url: str
    recent: Sequence[dict[str, Any]]
    answers: list[Answer] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._chance = random.Random(f"asked {self.seed}")
        self._body, self._vectors = RequestBody(self.view, 1), FeatureVectors(self.view, self.namespace)
        self._stopped = threading.Event()
        self._failed: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="asker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Nothing is asked any more. Harmless when stopped, or not started."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        with redis.Redis.from_url(self.redis_url, socket_timeout=2) as client:
            while not self._stopped.wait(_PAUSE_S):
                try:
                    self._ask(client)
                except redis.RedisError:
                    self.counts["no Redis"] += 1
                except Exception as error:
                    self._failed = error
                    return

    def _ask(self, client: redis.Redis) -> None:
        recent = list(self.recent)
        if not recent:
            return
        event = self._chance.choice(recent)
        instance = {name: event[name] for name in ("plant", "machine", "heat")}
        instance["at"] = event["at"] + self._chance.choice(_AFTER_MS)
        request = self._body.decode(json.dumps({"instances": [instance]}).encode())
        columns = self._body.columns(request.instances)
        plan = self._vectors.plan(columns)
        values: Any = [client.mget(keys) for keys in plan.reads]
        instants = np.array(list(request.instants(0)), np.int64)
        rows = self._vectors.compute(plan, values, instants)
        for group, places in zip(rows.groups, plan.places, strict=True):
            if group.problems[0] is not None or group.exact_from_us[0] is not None:
                self.counts["refused"] += 1
                continue
            ((_, index, _),) = places
            key = key_texts(entity_keys(group.group.entity, self.view.source, columns.columns))[0]
            served = {
                column.inputs[0].feature.name: float(value)
                for column, value in zip(self.view.columns, rows.matrix[0].tolist(), strict=True)
                if column.inputs[0].feature is not None and column.inputs[0].feature.group == group.group
            }
            meta = decode_meta(values[index][0])
            self.answers.append(Answer(group.group, key, int(instants[0]), meta, served))

    def check(self, lake: Path, lost: set[Place]) -> int:
        """Every answer is the oracle's over the events of its vector. `lost`: what the archive says was gone.

        An answer whose shard had applied what the archive lost cannot be checked. Returns how many were.
        """
        if self._failed is not None:
            raise self._failed
        checked = 0
        for group in {each.group.label: each.group for each in self.answers}.values():
            events = _events(lake, group)
            for answer in (each for each in self.answers if each.group.label == group.label):
                ends = {(of[0], of[2]): at.offset for of, at in answer.meta.vector.items()}
                gone = {(of[0], of[2], each) for of, first, past in answer.meta.gaps for each in range(first, past)}
                if any(place[2] <= ends.get(place[:2], -1) and place not in gone for place in lost):
                    self.counts["not to be checked"] += 1
                    continue
                seen = [
                    event
                    for place, event in events.get(answer.key, ())
                    if place[2] <= ends.get(place[:2], -1) and place not in gone
                ]
                _check(answer, seen)
                checked += 1
        return checked


def _events(lake: Path, group: FeatureGroup) -> dict[str, list[tuple[Place, oracle.Event]]]:
    found: dict[str, list[tuple[Place, oracle.Event]]] = defaultdict(list)
    for source in group.sources:
        stored = stored_events(lake, source)
        for row, key, event in taken(group, source, rows_of(stored.batch)):
            found[key].append(((source.topic, *stored.positions[row]), event))
    return found


def _check(answer: Answer, seen: list[oracle.Event]) -> None:
    for spec in answer.group.layout.features:
        if spec.name in answer.values:
            wanted = np.float32(oracle.value(answer.group.layout, spec, seen, answer.as_of_us))
            found = np.float32(answer.values[spec.name])
            assert found == wanted or (np.isnan(found) and np.isnan(wanted)), (
                f"{answer.group.label}.{spec.name} of {answer.key} as of {answer.as_of_us} was served as {found}, the "
                f"stored events say {wanted}"
            )
