"""One group over its life: an aggregate joins it, a second version runs beside it, and a mistake is refused.

Each is right to the bit, and what was there before is not touched.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from deltalake import DeltaTable

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.ports import free_port
from deploy.embedded.processes.background_process import BackgroundProcess
from deploy.embedded.redis_server import RedisServer
from shared_features.formats.offline_tables import features_table, snapshots_table
from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta_bytes import decode_meta
from tests.domains import probes, probes_grown
from tests.domains.probes import ALARMS, SAMPLES
from tests.end_to_end.job import ROOT, Job, log_ends, produce

TOPICS = {SAMPLES.topic: 2, ALARMS.topic: 1}
START_MS = 1_750_000_000_000
STEP_MS = 300_000
FIRST, ALL = 1_500, 3_000
PARTS = (*probes_grown.PROBE.parts, probes_grown.PROBE_2)


def records(first: int, past: int) -> Iterator[tuple[str, bytes, bytes, int]]:
    """Samples of four probes, some late and some twice, and whether each raised an alarm."""
    chosen = random.Random(first)
    for number in range(first, past):
        now_ms = START_MS + number * STEP_MS
        at_ms = now_ms - chosen.choice([0, 0, 0, 900, 60_000, 4_000_000])
        value = round(chosen.uniform(-50, 50), 1)
        probe = f"p{chosen.randrange(4)}"
        sample = {"sample": f"s{number}", "at": at_ms, "probe": probe, "value": value}
        for _ in range(2 if chosen.random() < 0.03 else 1):
            yield SAMPLES.topic, probe.encode(), json.dumps(sample).encode(), now_ms
        alarm = {"alarm": f"a{number}", "at": now_ms, "sample": f"s{number}", "raised": value > 20}
        yield ALARMS.topic, b"", json.dumps(alarm).encode(), now_ms


def run_job(folder: Path, kafka: KafkaSimulator, store: RedisServer, module: str, first: int, past: int) -> Job:
    """Stream some records with the definitions of a module, to the end, and check all that it keeps."""
    also = {"MILLRACE_TOPIC_MODE": "embedded"}
    job = Job(folder, kafka.bootstrap_servers, store.url, definitions=f"tests.domains.{module}", also=also)
    job.start()
    try:
        produce(kafka.bootstrap_servers, records(first, past))
        job.wait_for(log_ends(kafka.bootstrap_servers, TOPICS))
        job.wait_for_cut((START_MS + (past - 100) * STEP_MS) * 1000)
        assert job.stop() == 0
    finally:
        job.supervisor.kill()
    job.check_truth()
    return job


def builds(client: redis.Redis, job: Job) -> dict[str, list[int]]:
    """The build id of each shard, by group."""
    found: dict[str, list[int]] = {}
    for group in job.catalogue.groups:
        for number in range(group.shards):
            stored = client.get(meta_key(job.namespace, group, number))
            assert isinstance(stored, bytes)
            found.setdefault(group.label, []).append(decode_meta(stored).build_id)
    return found


def refused(job: Job, module: str, *only: str, supervised: bool = False) -> str:
    """What a run says that ends with "refused". `supervised`: as a child that the supervisor has looked after."""
    environment = {**job.environment, "MILLRACE_DEFINITIONS": f"tests.domains.{module}"}
    if supervised:
        environment["MILLRACE_SUPERVISOR_PROCESS"] = str(os.getpid())
    command = [sys.executable, "-m", "streaming", "run", *(part for name in only for part in ("--only", name))]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


@pytest.mark.slow
@pytest.mark.deep  # the guides of a second version and of a further feature do it by hand
def test_a_group_grows_gets_a_second_version_and_keeps_what_it_had(tmp_path: Path) -> None:
    with (
        RedisServer(tmp_path / "redis") as store,
        KafkaSimulator(TOPICS) as kafka,
        redis.Redis.from_url(store.url) as client,
    ):
        job = run_job(tmp_path, kafka, store, "probes", 0, FIRST)
        before = builds(client, job)
        first_rows = DeltaTable(job.lake / features_table(probes.PROBE, SAMPLES)).count()

        job = run_job(tmp_path, kafka, store, "probes_grown", FIRST, ALL)
        after = builds(client, job)
        assert [*after] == ["probe_level:v1", "probe_level:v1+1", "probe_level:v2"]
        assert after["probe_level:v1"] == before["probe_level:v1"]  # never built anew
        counts = {part.label: DeltaTable(job.lake / features_table(part, SAMPLES)).count() for part in PARTS}
        assert len(set(counts.values())) == 1  # each has the rows of the whole history
        assert counts["probe_level:v1"] > first_rows
        names = {table(part, SAMPLES) for part in PARTS for table in (features_table, snapshots_table)}
        assert names <= {path.name for path in job.lake.iterdir()}

        removed = (
            "aggregates: hop of mean of value over 1 h: 1 min -> 5 min; aggregates: sum of value over 1 d was removed"
        )
        assert removed in refused(job, "probes_changed")
        assert removed in refused(job, "probes_changed", "online", supervised=True)
        assert removed in refused(job, "probes_changed", "materialize", supervised=True)
        assert builds(client, job) == after

        train(job.environment)
        answer = predict(job.environment, tmp_path / "serving.log")
    features = answer["predictions"][0]["features"]
    assert features["probe_level__value_max_2h"] is not None
    assert [shard["group"] for shard in answer["receipt"]["shards"]] == ["probe_level:v1", "probe_level:v1+1"]
    manifest = json.loads((tmp_path / "registry" / "probe_peak" / "1" / "manifest.json").read_text())
    assert [group["name"] for group in manifest["view"]["groups"]] == ["probe_level", "probe_level+1"]


def train(environment: Mapping[str, str]) -> None:
    """A model on the view that uses the addition."""
    command = [sys.executable, "-m", "training", "run", "--view", "probe_peak", "--train-days", "5"]
    command += ["--test-days", "2", "--models", "logistic_regression"]
    done = subprocess.run(command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def predict(environment: Mapping[str, str], log: Path) -> Any:
    """What the endpoint answers at the end of what was streamed."""
    port = free_port()
    endpoint = {**environment, "MILLRACE_SERVING_PORT": str(port), "MILLRACE_SERVING_DRAIN_S": "0"}
    serving = BackgroundProcess([sys.executable, "-m", "serving"], log=log, cwd=ROOT, environment=endpoint)
    body = {
        "instances": [{"probe": "p1", "value": 4.5}],
        "as_of": (START_MS + ALL * STEP_MS) * 1000,
        "include_features": True,
    }

    def asked() -> httpx.Response | None:
        try:
            return httpx.post(f"http://127.0.0.1:{port}/v1/views/probe_peak:predict", json=body)
        except httpx.TransportError:
            return None

    def answers() -> bool:
        response = asked()
        return response is not None and response.status_code == 200

    try:
        serving.wait_until(answers, what="the endpoint", within_s=240)
        response = asked()
        assert response is not None
        return response.json()
    finally:
        serving.stop()
