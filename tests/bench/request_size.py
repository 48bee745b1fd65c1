"""What a request costs between the keys it names and its matrix, from 10 to 500 features and from 1 to 10 entities.

Each cost stands beside what the stored bytes make expected: a fixed cost, one for each entity, and one for each byte,
fitted to all views of the run. A ratio near 1 everywhere says that nothing else counts.
"""

from __future__ import annotations

import gc
import itertools
import statistics
import time
from pathlib import Path

import numpy as np

from shared_features import (
    Aggregate,
    Count,
    Decimal,
    Entity,
    EventSource,
    FeatureGroup,
    FeatureView,
    Field,
    Integer,
    Max,
    Mean,
    Min,
    Sum,
    Timestamp,
    days,
    hours,
)
from shared_features.formats.events import EventBatch
from shared_features.kernel.event_time import HOUR_US
from shared_features.stored_features.feature_vectors import FeatureVectors, RequestColumns
from tests.bench.figures import Figure
from tests.serving.stored_states import NAMESPACE, stored_states

_SIZES = ((10, 1), (30, 1), (100, 1), (500, 1), (30, 3), (100, 3), (500, 3), (30, 10), (100, 10), (500, 10))
_ENTITIES, _EVENTS, _AT_US = 50, 40, 20_000 * 24 * HOUR_US
_COLUMNS = tuple(f"amount_{number}" for number in range(30))
_WINDOWS = (hours(1), days(1), days(7), days(30))
_AGGREGATIONS = (Sum(), Mean(), Max(), Min(), Count())
_CALLS, _ROUNDS = 300, 7

ORDERS = EventSource(
    name="orders",
    topic="orders",
    fields=(
        Field("order", Integer()),
        Field("at", Timestamp("us")),
        *(Field(f"key_{number}", Integer()) for number in range(10)),
        *(Field(column, Decimal(decimals=2, low=0, high=1e6)) for column in _COLUMNS),
    ),
    event_id="order",
    event_time="at",
)


def measure(file: Path | None) -> list[Figure]:
    """file: not read; the events are generated."""
    events = _events()
    views = [_view(features, entities) for features, entities in _SIZES]
    stored = [stored_states(view.groups, [events]) for view in views]
    sizes = [
        (1.0, entities, sum(map(len, values.values())) / _ENTITIES)
        for (_, entities), values in zip(_SIZES, stored, strict=True)
    ]
    gc.collect()
    rounds = [[_cost_us(*each) for each in zip(views, stored, strict=True)] for _ in range(_ROUNDS)]
    costs_us = [statistics.median(of_view) for of_view in zip(*rounds, strict=True)]
    expected_us = _expected(np.array(sizes), np.array(costs_us))
    return [
        Figure(f"{features} features, {entities} entities, {size[2]:,.0f} bytes", cost, "us", expected, "by its bytes")
        for (features, entities), size, cost, expected in zip(_SIZES, sizes, costs_us, expected_us, strict=True)
    ]


def _expected(sizes: np.ndarray, costs_us: np.ndarray) -> list[float]:
    """Fitted so that relative differences count: a small view is as good a witness as a large one."""
    weights = 1 / costs_us
    factors = np.linalg.lstsq(sizes * weights[:, None], np.ones(len(sizes)), rcond=None)[0]
    return [float(each) for each in sizes @ factors]


def _cost_us(view: FeatureView, values: dict[bytes, bytes]) -> float:
    vectors, as_of_us = FeatureVectors(view, NAMESPACE), np.array([_AT_US], np.int64)
    keys = sorted({key for group in view.groups for key in group.entity.keys})
    taken = []
    for call in range(_CALLS):
        row = {key: np.array([call % _ENTITIES], np.int64) for key in keys}
        began = time.perf_counter()
        plan = vectors.plan(RequestColumns(row, {}))
        read = [[values.get(key) for key in of_shard] for of_shard in plan.reads]
        rows = vectors.compute(plan, read, as_of_us)
        taken.append(time.perf_counter() - began)
        if any(group.missing[0] or group.problems[0] for group in rows.groups):
            raise ValueError(f"call {call} found no state; the figures would be of nothing")
    return statistics.median(taken[_CALLS // 10 :]) * 1e6


def _view(features: int, entities: int) -> FeatureView:
    groups = [_group(number, features // entities) for number in range(entities)]
    return FeatureView(f"of_{features}", 1, ORDERS, tuple(feature for group in groups for feature in group.features))


def _group(number: int, features: int) -> FeatureGroup:
    left, aggregates = features, []
    for column, aggregation in itertools.product(_COLUMNS, _AGGREGATIONS):
        windows = _WINDOWS[:left]
        aggregates.append(Aggregate(column, aggregation, windows=windows))
        left -= len(windows)
        if not left:
            break
    return FeatureGroup(
        name=f"group_{number}",
        version=1,
        entity=Entity(f"entity_{number}", keys=(f"key_{number}",)),
        sources=(ORDERS,),
        aggregates=tuple(aggregates),
        shards=4,
    )


def _events() -> EventBatch:
    count, random = _ENTITIES * _EVENTS, np.random.default_rng(0)
    columns: dict[str, np.ndarray] = {
        "order": np.arange(count),
        "at": np.sort(_AT_US - random.integers(1, 30 * 24 * HOUR_US, count)),
        **{f"key_{number}": np.arange(count) % _ENTITIES for number in range(10)},
        **{column: random.integers(0, 1_000_000, count) for column in _COLUMNS},
    }
    return EventBatch(ORDERS, columns, {}, columns["at"])
