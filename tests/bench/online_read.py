"""What one request needs of the online store: serving's reader and its features, beside a bare MGET of the same keys.

One request after the other, no company: latency. The bare MGET is redis-py's with hiredis on a blocking socket.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import redis
import uvloop

from deploy.embedded.redis_server import RedisServer
from serving.online_store.redis_online_store import RedisOnlineStore
from serving.request.request_body import RequestBody
from shared_features.feature_views import CARD_FRAUD
from shared_features.stored_features.feature_vectors import FeatureVectors, ReadPlan
from tests.bench.figures import Figure
from tests.bench.filled_redis import fill_redis
from tests.bench.prediction_requests import prediction_requests
from tests.bench.transactions import measured_transactions

_REQUESTS = 2_000
_ROUNDS = 3
_NAMESPACE = "bench"


def measure(file: Path | None) -> list[Figure]:
    rows = measured_transactions(file)
    with RedisServer(proper=not RedisServer.missing(proper=True)) as server:
        fill_redis(server.url, _NAMESPACE, CARD_FRAUD.groups, rows)
        bodies = prediction_requests(rows, _REQUESTS)
        return uvloop.run(_measure(server.url, bodies))


async def _measure(url: str, bodies: list[bytes]) -> list[Figure]:
    body, vectors = RequestBody(CARD_FRAUD, 1), FeatureVectors(CARD_FRAUD, _NAMESPACE)
    store = RedisOnlineStore(url, deadline_s=1.0)
    await store.start()
    decoded = [body.decode(each) for each in bodies]
    instants = [np.array([each.as_of_us], np.int64) for each in decoded]
    plans = [vectors.plan(body.columns(each.instances)) for each in decoded]
    client = redis.Redis.from_url(url)

    async def bare(index: int) -> Any:
        return client.mget([key for keys in plans[index].reads for key in keys])

    async def reader(index: int) -> Any:
        return await store.read(plans[index].reads)

    async def features(index: int) -> Any:
        plan: ReadPlan = vectors.plan(body.columns(decoded[index].instances))
        rows = vectors.compute(plan, await store.read(plan.reads), instants[index])
        if any(group.missing[0] and group.name == "customer_spend" for group in rows.groups):
            raise ValueError(f"request {index} found no state of its customer; the figures would be of nothing")
        return rows

    calls = {"bare": bare, "reader": reader, "features": features}
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():  # once for nothing: compile, connect
        await _latencies(call, 100)
    for _ in range(_ROUNDS):
        for name, call in calls.items():
            taken[name] += await _latencies(call, len(bodies))
    client.close()
    await store.stop()
    return _figures(taken)


async def _latencies(call: Callable[[int], Awaitable[Any]], count: int) -> list[float]:
    taken = []
    for index in range(count):
        began = time.perf_counter()
        await call(index)
        taken.append(time.perf_counter() - began)
    return taken


def _figures(taken: dict[str, list[float]]) -> list[Figure]:
    median_us = {name: float(np.median(each)) * 1e6 for name, each in taken.items()}
    rate = {name: len(each) / sum(each) for name, each in taken.items()}
    figures = []
    for name, says in (("reader", "online read, bytes"), ("features", "online read, to the feature vector")):
        figures.append(Figure(f"{says}: p50", median_us[name], "us", median_us["bare"], "bare MGET of the same keys"))
        figures.append(Figure(f"{says}: one after the other", rate[name], "reads/s", rate["bare"], "bare MGET"))
    return figures
