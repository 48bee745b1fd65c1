"""Another domain runs through the same programs, unchanged: text keys of two fields, optional fields, other times."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from tests.domains.machines import BREAKDOWNS, READINGS
from tests.end_to_end.job import Job, log_ends, produce
from tests.end_to_end.whole_path import endpoint, predict, train

START_MS = 1_750_000_000_000
STEP_MS = 300_000
READINGS_SENT = 3_000
NOT_EVENTS = [
    b"",
    b"{",
    b'"text"',
    b"\xff\xfe",
    b'{"reading": "x"}',
    b'{"reading":"x","at":"2025-06-15T15:06:40Z","plant":"n","machine":"m","celsius":"21"}',
    b'{"reading":"x","at":"2025-06-15T15:06:40Z","plant":"n","machine":"m","celsius":NaN}',
    b'{"reading":"x","at":"2025-06-15T15:06:40Z","plant":"n","machine":"m","celsius":1e999}',
    b'{"reading":"x","at":"2025-06-15T15:06:40Z","plant":"n","machine":"m","celsius":9999}',
    b'{"reading":"x","at":"2025-06-15T15:06:40Z","plant":"n","machine":"m","celsius":1,"new":1}',
    b'{"reading":"x","at":"2099-06-15T15:06:40Z","plant":"n","machine":"m","celsius":1}',
    b'{"reading":"x","at":"yesterday","plant":"n","machine":"m","celsius":1}',
]


def records(count: int, seed: int) -> list[tuple[str, bytes, bytes, int]]:
    """Readings with ties, late, early and repeated ones, breakdowns, and everything that is no event."""
    chosen = random.Random(seed)
    sent: list[tuple[str, bytes, bytes, int]] = []
    for index in range(count):
        now_ms = START_MS + index * STEP_MS
        at_ms = now_ms - chosen.choice([0, 0, 0, 5, 900, 60_000, 4_000_000, 90_000_000, -30_000])
        reading: dict[str, Any] = {
            "reading": f"r{index}",
            "at": datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds"),
            "plant": chosen.choice(["north", "söuth", "a|b"]),
            "machine": f"m{chosen.randrange(4)}",
            "celsius": round(chosen.uniform(-20, 120), 1),
        }
        if chosen.random() < 0.7:
            reading["humidity"] = round(chosen.random(), 3)
        if chosen.random() < 0.5:
            reading["firmware"] = chosen.choice(["1.0", "1.1", ""])
        value = json.dumps(reading).encode()
        key = reading["machine"].encode()
        sent += [(READINGS.topic, key, value, now_ms)] * (2 if chosen.random() < 0.03 else 1)
        if chosen.random() < 0.5:
            broke = reading["celsius"] + chosen.uniform(-30, 30) > 70
            report = {"report": f"b{index}", "at": now_ms, "reading": f"r{index}", "broke": broke}
            sent.append((BREAKDOWNS.topic, key, json.dumps(report).encode(), now_ms))
    for bad in NOT_EVENTS:
        sent.insert(chosen.randrange(len(sent)), (READINGS.topic, b"bad", bad, START_MS))
    return sent


@pytest.mark.slow
@pytest.mark.deep  # the local stack runs this domain too
def test_another_domain_runs_through_the_same_programs(tmp_path: Path) -> None:
    topics = {READINGS.topic: 3, BREAKDOWNS.topic: 1}
    with RedisServer(tmp_path / "redis") as store, KafkaSimulator(topics) as kafka:
        also = {"MILLRACE_TOPIC_MODE": "embedded"}
        job = Job(tmp_path, kafka.bootstrap_servers, store.url, definitions="tests.domains.machines", also=also)
        job.start()
        try:
            produce(kafka.bootstrap_servers, records(READINGS_SENT, seed=5))
            job.wait_for(log_ends(kafka.bootstrap_servers, topics))
            job.wait_for_cut((START_MS + (READINGS_SENT - 300) * STEP_MS) * 1000)
            assert job.stop() == 0
            counts = job.check_truth()
            train(job.environment, "--train-days", "5", "--test-days", "2")
            with endpoint(job.environment, tmp_path / "serving.log") as url:
                answer = predict(url, "breakdown", body())
        finally:
            job.supervisor.kill()
    assert counts["dead"] == len(NOT_EVENTS)
    assert counts["rows of machine_heat:v3"] > 2_000
    (prediction,) = answer["predictions"]
    assert 0 < prediction["score"] < 1
    assert prediction["missing_entities"] == []
    assert prediction["features"]["celsius"] == 55.5
    assert prediction["features"]["hot_plant__count_2h"] > 0


def body() -> dict[str, Any]:
    """A request about one machine, at the end of what was streamed."""
    instance = {"plant": "a|b", "machine": "m1", "celsius": 55.5, "humidity": None, "firmware": "1.1"}
    return {"instances": [instance], "as_of": (START_MS + READINGS_SENT * STEP_MS) * 1000, "include_features": True}
