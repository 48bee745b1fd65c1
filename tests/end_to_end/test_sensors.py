"""A label that is a number runs through the same programs: its model answers with a value."""

from __future__ import annotations

import json
import math
import random
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from tests.domains.sensors import LATER, MEASURED
from tests.end_to_end.job import Job, log_ends, produce
from tests.end_to_end.whole_path import endpoint, predict, train

START_MS = 1_750_032_000_000
STEP_MS = 1_800_000
STEPS = 480
SENSORS = ("s1", "s2", "söderå", "s4", "s5")


def celsius(sensor: str, at_ms: float) -> float:
    """A daily curve of each sensor's own height."""
    return 12.0 + 3 * SENSORS.index(sensor) + 5 * math.sin(at_ms / 86_400_000 * 2 * math.pi)


def records() -> list[tuple[str, bytes, bytes, int]]:
    """All sensors measure at the same instants, so that neither sensor nor time alone names an event."""
    chosen = random.Random(3)
    sent = []
    for step in range(STEPS):
        at_ms = START_MS + step * STEP_MS
        for sensor in SENSORS:
            event = {"sensor": sensor, "at": text(at_ms), "celsius": round(celsius(sensor, at_ms), 2)}
            if chosen.random() < 0.9:
                event["humidity"] = round(chosen.uniform(20, 90), 1)
            sent.append((MEASURED.topic, sensor.encode(), json.dumps(event).encode(), at_ms))
            soon = celsius(sensor, at_ms + STEP_MS) + chosen.gauss(0, 0.1)
            label = {"sensor": sensor, "at": text(at_ms), "known": text(at_ms + STEP_MS), "celsius_in_30min": soon}
            sent.append((LATER.topic, sensor.encode(), json.dumps(label).encode(), at_ms + STEP_MS))
    return sorted(sent, key=lambda each: each[3])


def text(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()


@pytest.mark.deep  # tests of training and serving predict numbers too
def test_a_number_is_predicted_by_the_same_programs(tmp_path: Path) -> None:
    topics = {MEASURED.topic: 2, LATER.topic: 2}
    with RedisServer(tmp_path / "redis") as store, KafkaSimulator(topics) as kafka:
        also = {"MILLRACE_TOPIC_MODE": "embedded"}
        job = Job(tmp_path, kafka.bootstrap_servers, store.url, definitions="tests.domains.sensors", also=also)
        job.start()
        try:
            produce(kafka.bootstrap_servers, records())
            job.wait_for(log_ends(kafka.bootstrap_servers, topics))
            job.wait_for_cut((START_MS + (STEPS - 60) * STEP_MS) * 1000)
            assert job.stop() == 0
            said = train(job.environment, models="linear_regression")
            end_ms = START_MS + STEPS * STEP_MS
            now = [{"sensor": sensor, "celsius": round(celsius(sensor, end_ms), 2)} for sensor in ("s1", "söderå")]
            with endpoint(job.environment, tmp_path / "serving.log") as url:
                answer = predict(url, "weather", {"instances": now, "as_of": end_ms * 1000})
        finally:
            job.supervisor.kill()
    (rmse,) = re.findall(r"rmse ([0-9.]+)", said)
    assert 0 < float(rmse) < 0.7, "in half an hour the temperature changes by 0.65 at most"
    values = [each["value"] for each in answer["predictions"]]
    wanted = [celsius(sensor, end_ms + STEP_MS) for sensor in ("s1", "söderå")]
    assert values == pytest.approx(wanted, abs=1.0)
    assert not {"score", "class", "probabilities"} & answer["predictions"][0].keys()
