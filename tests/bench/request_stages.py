"""Where the time of a request goes between its bytes and its answer's bytes, without HTTP: each stage beside the whole.

Every request is of another entity, as on an endpoint; the fetch from Redis is a bare MGET. Medians, one thread.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import redis

from deploy.embedded.redis_server import RedisServer
from serving.connections.asking_client import AskingClient
from serving.metrics import Metrics
from serving.models.model import load_model
from serving.models.run_guard import RunGuard
from serving.prediction.batch_answers import Asked, BatchAnswers
from serving.request.request_body import RequestBody
from shared_features.feature_views import CARD_FRAUD
from shared_features.stored_features.feature_vectors import FeatureVectors
from tests.bench.figures import Figure
from tests.bench.filled_redis import fill_redis
from tests.bench.prediction_requests import prediction_requests
from tests.bench.small_model import SERVED_TREES, publish_small_model
from tests.bench.transactions import measured_transactions

_REQUESTS = 4_000
_TOGETHER = (1, 8)
_NAMESPACE = "bench"


def measure(file: Path | None) -> list[Figure]:
    rows = measured_transactions(file)
    with (
        RedisServer(proper=not RedisServer.missing(proper=True)) as server,
        TemporaryDirectory(prefix="millrace-bench-") as folder,
        redis.Redis.from_url(server.url) as client,
    ):
        fill_redis(server.url, _NAMESPACE, CARD_FRAUD.groups, rows)
        registry = Path(folder) / "registry"
        publish_small_model(registry, CARD_FRAUD, rows, SERVED_TREES)
        request = _Request(registry / CARD_FRAUD.name / "1", client)
        bodies = prediction_requests(rows, _REQUESTS)
        gc.freeze()  # the history of the benchmark is not what an endpoint's collections look through
        return [figure for together in _TOGETHER for figure in _figures(request, bodies, together)]


class _Request:
    """The stages of the requests that share a round trip, each timed."""

    def __init__(self, version: Path, client: redis.Redis) -> None:
        self._model, self._client = load_model(version, CARD_FRAUD), client
        self._body, self._vectors = RequestBody(CARD_FRAUD, max_instances=1), FeatureVectors(CARD_FRAUD, _NAMESPACE)
        metrics = Metrics([CARD_FRAUD.label], sorted(group.part_name for group in CARD_FRAUD.groups))
        self._answers = BatchAnswers(CARD_FRAUD, self._body, self._vectors, metrics, allow_degraded=False)
        self._asking, self._guard = AskingClient(), RunGuard()
        self.taken_us: dict[str, list[float]] = {}

    def answer(self, bodies: Sequence[bytes]) -> None:
        """Raises ValueError where a request is refused: the figures would be of refusals."""
        decoded = self._timed("decode the body", lambda: [self._body.decode(each) for each in bodies])
        asked = [Asked(each, each.as_of_us, self._model, self._asking) for each in decoded]
        as_of_us = np.array([each.as_of_us for each in decoded], np.int64)
        instances = [each.instances[0] for each in decoded]
        columns = self._timed("columns of the request", lambda: self._body.columns(instances))
        plan = self._timed("keys to read", lambda: self._vectors.plan(columns))
        values = self._timed("bare MGET", lambda: [self._client.mget(keys) for keys in plan.reads])
        rows = self._timed("states to matrix", lambda: self._vectors.compute(plan, values, as_of_us))
        self._timed("the model, part of the answers", lambda: self._model.score(rows.matrix))
        answers = self._timed(
            "model, answers, metrics", lambda: self._answers._answers(asked, rows, plan, values, self._guard)
        )
        if refused := [each for each in answers if not isinstance(each, bytes)]:
            raise ValueError(f"{len(refused)} of {len(answers)} requests were refused: {refused[0]}")

    def _timed(self, stage: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        done = work()
        self.taken_us.setdefault(stage, []).append((time.perf_counter() - began) * 1e6)
        return done


_OUTSIDE = ("bare MGET", "the model, part of the answers")


def _figures(request: _Request, bodies: Sequence[bytes], together: int) -> list[Figure]:
    request.taken_us.clear()
    for at in range(0, len(bodies) - together, together):
        request.answer(bodies[at : at + together])
    median_us = {stage: statistics.median(each) for stage, each in request.taken_us.items()}
    whole_us = sum(us for stage, us in median_us.items() if stage not in _OUTSIDE)
    name = "one request" if together == 1 else f"{together} requests together"
    stages = [Figure(f"{name}: {stage}", us, "us", whole_us, "all stages but Redis") for stage, us in median_us.items()]
    return [*stages, Figure(f"{name}: all stages but Redis", whole_us, "us", median_us["bare MGET"], "bare MGET")]
