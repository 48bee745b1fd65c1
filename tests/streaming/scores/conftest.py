"""One Kafka, one Redis and one published model for the tests of scores. Each test has a topic of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from tests.domains.machines import BREAKDOWN, BREAKDOWNS, READINGS
from tests.serving.published_models import publish
from tests.streaming.scores.scored_world import ScoredWorld, readings
from training.models.graph.onnx_export import export_onnx

World = Callable[..., ScoredWorld]


@pytest.fixture(scope="package")
def scores_kafka() -> Iterator[KafkaSimulator]:
    with KafkaSimulator({READINGS.topic: 2, BREAKDOWNS.topic: 1}) as simulator:
        yield simulator


@pytest.fixture(scope="package")
def model_of_noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One whose scores lie well between 0 and 1: the others are fitted on smaller numbers than the features have."""
    registry: Path = tmp_path_factory.mktemp("registry")
    random = np.random.default_rng(2)
    matrix = random.normal(40, 40, size=(200, len(BREAKDOWN.columns))).astype(np.float32)
    pipeline = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    graph = export_onnx(pipeline.fit(matrix, random.integers(0, 2, 200)), len(BREAKDOWN.columns))
    publish(registry, BREAKDOWN, graph=graph, threshold=0.25)
    return registry


@pytest.fixture
def world(scores_kafka: KafkaSimulator, redis_server: RedisServer, model_of_noise: Path, tmp_path: Path) -> World:
    """A ScoredWorld with these events of each partition; by default a dozen in the first one."""

    def made(*events: Any) -> ScoredWorld:
        registry = tmp_path / "registry"
        copytree(model_of_noise, registry)
        topic = f"scores-{uuid4().hex[:8]}"
        return ScoredWorld(scores_kafka, redis_server, registry, topic, events or (readings(12), ()))

    return made
