"""Labels that are texts or whole numbers run through the same programs: a model answers with classes by their names."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from tests.domains.parcels import ENDED, SENT
from tests.end_to_end.job import ROOT, Job, log_ends, produce
from tests.end_to_end.whole_path import endpoint, predict, train
from tests.serving.json_schemas import faults

START_MS = 1_750_032_000_000
STEP_MS = 480_000
STEPS = 1_200
HOUR_MS = 3_600_000
CARRIERS = ("swift", "söder", "slow")


def outcome(kilometres: float, chance: float) -> str:
    """Far is late, very far is sometimes lost."""
    if kilometres < 300:
        return "on time"
    return "lost" if kilometres > 700 and chance < 0.8 else "late"


def records() -> list[tuple[str, bytes, bytes, int]]:
    chosen = random.Random(5)
    sent = []
    for step in range(STEPS):
        at_ms, kilometres = START_MS + step * STEP_MS, round(chosen.uniform(0, 1_000), 1)
        event = {
            "parcel": f"p{step}",
            "at": at_ms,
            "carrier": chosen.choice(CARRIERS),
            "kilometres": kilometres,
            "kilograms": round(chosen.uniform(0.1, 30), 2),
        }
        sent.append((SENT.topic, str(event["carrier"]).encode(), json.dumps(event).encode(), at_ms))
        became, ended_ms = outcome(kilometres, chosen.random()), at_ms + 2 * HOUR_MS
        label = {
            "parcel": f"p{step}",
            "ended": ended_ms,
            "outcome": became,
            "late": "no" if became == "on time" else "yes",
            "stars": {"on time": 5, "late": 4, "lost": 1}[became],
        }
        sent.append((ENDED.topic, b"p", json.dumps(label).encode(), ended_ms))
    return sorted(sent, key=lambda each: each[3])


NOW = [
    {"carrier": "swift", "kilometres": 20, "kilograms": 3},
    {"carrier": "söder", "kilometres": 500, "kilograms": 3},
    {"carrier": "slow", "kilometres": 990, "kilograms": 3},
]


@pytest.mark.deep  # tests of training and serving predict classes too
def test_a_class_is_predicted_under_its_own_name_by_the_same_programs(tmp_path: Path) -> None:
    topics = {SENT.topic: 2, ENDED.topic: 2}
    with RedisServer(tmp_path / "redis") as store, KafkaSimulator(topics) as kafka:
        also = {"MILLRACE_TOPIC_MODE": "embedded"}
        job = Job(tmp_path, kafka.bootstrap_servers, store.url, definitions="tests.domains.parcels", also=also)
        job.start()
        try:
            produce(kafka.bootstrap_servers, records())
            job.wait_for(log_ends(kafka.bootstrap_servers, topics))
            job.wait_for_cut((START_MS + (STEPS - 30) * STEP_MS) * 1000)
            assert job.stop() == 0
            said = train(job.environment, "--view", "outcome", models="random_forest")
            train(job.environment, "--view", "arrived_late")
            train(job.environment, "--view", "marked")
            with endpoint(job.environment, tmp_path / "serving.log") as url:
                body = {"instances": NOW, "as_of": (START_MS + STEPS * STEP_MS) * 1000}
                views = ("outcome", "arrived_late", "marked")
                answers = {view: predict(url, view, body) for view in views}
                document = httpx.get(f"{url}/openapi.json").json()
                shown = shown_by_predict(url, job.environment)
            registry = Path(job.environment["MILLRACE_REGISTRY"]) / "outcome" / "1"
        finally:
            job.supervisor.kill()
    check_answers(answers, document)
    assert "class lost (lost 0." in shown
    for name in ("manifest.json", "dataset.json"):
        assert json.loads((registry / name).read_bytes())["classes"] == ["late", "lost", "on time"]
    assert "log_loss" in said
    assert "f1_macro" in said
    metrics = json.loads((registry / "metrics.json").read_bytes())["models"]["random_forest"]
    assert metrics["per_class"]["on time"]["recall"] > 0.9
    assert metrics["accuracy"] > 0.8


def check_answers(answers: dict[str, Any], document: dict[str, Any]) -> None:
    classes = {name: [each["class"] for each in answers[name]["predictions"]] for name in ("outcome", "marked")}
    assert classes == {"outcome": ["on time", "late", "lost"], "marked": [5, 4, 1]}
    for name, order in (
        ("outcome", ["late", "lost", "on time"]),
        ("marked", ["5", "4", "1"]),
    ):
        for each in answers[name]["predictions"]:
            assert list(each["probabilities"]) == order
            assert sum(each["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
            assert not {"score", "value"} & each.keys()
    scores = [each["score"] for each in answers["arrived_late"]["predictions"]]
    assert scores[0] < 0.2
    assert scores[1] > 0.6
    assert not {"value", "class", "probabilities"} & answers["arrived_late"]["predictions"][0].keys()
    schemas = document["components"]["schemas"]
    for name, answer in answers.items():
        assert not list(faults(answer, schemas[f"{name}_answer"], document))
    assert "'yes'" in schemas["arrived_late_prediction"]["properties"]["score"]["description"]


def shown_by_predict(url: str, environment: Any) -> str:
    as_of = str((START_MS + STEPS * STEP_MS) * 1000)
    command = [
        sys.executable,
        "-m",
        "serving",
        "predict",
        "outcome",
        json.dumps(NOW[2]),
        "--url",
        url,
        "--as-of",
        as_of,
    ]
    done = subprocess.run(command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
