"""The program that scores, as a process of its own: it begins, scores what comes, and ends in order."""

from __future__ import annotations

import os
import sys
from typing import Any

import msgspec

from deploy.demo.traffic.records import Record
from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.processes.background_process import BackgroundProcess
from tests.domains.machines import BREAKDOWNS, READINGS
from tests.end_to_end.job import ROOT, produce
from tests.serving.stored_states import NAMESPACE
from tests.streaming.scores.conftest import World
from tests.streaming.scores.scored_world import DEFINITIONS, LOG, PARTITIONS, ScoredWorld, instance, readings


def environment(world: ScoredWorld) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")} | {
        "KAFKA_BOOTSTRAP_SERVERS": world.kafka.bootstrap_servers,
        "REDIS_URL": world.store.url,
        "MILLRACE_REDIS_NAMESPACE": NAMESPACE,
        "MILLRACE_DEFINITIONS": DEFINITIONS,
        "MILLRACE_REGISTRY": str(world.registry),
        "MILLRACE_TOPIC_MODE": "embedded",
        "MILLRACE_EMBEDDED_LOG": LOG,
        "MILLRACE_SCORE_TOPICS": msgspec.json.encode({"breakdown": world.topic}).decode(),
    }


def record(event: dict[str, Any]) -> Record:
    value = msgspec.json.encode(instance(event) | {"reading": event["reading"]})
    return READINGS.topic, event["machine"].encode(), value, event["at"] // 1000


def test_the_program_scores_what_comes_and_ends_in_order(world: World) -> None:
    sent = readings(30)
    made = world(sent, ())
    with KafkaSimulator({READINGS.topic: 2, BREAKDOWNS.topic: 1, made.topic: 2}) as kafka:
        made.kafka = kafka
        made.applied(-1)
        records = list(map(record, sent))
        produce(kafka.bootstrap_servers, records[:5])  # before the first start: nobody asked for their scores
        command = [sys.executable, "-m", "streaming", "run", "--only", "scores"]
        log = made.registry / "scores.log"
        child = BackgroundProcess(command, log=log, cwd=ROOT, environment=environment(made))
        try:
            begun = f"{NAMESPACE}:scores:breakdown"
            child.wait_until(lambda: bool(made.client.exists(begun)), what="the first position", within_s=120.0)
            produce(kafka.bootstrap_servers, records[5:])
            made.applied(*(made.log_end(number) for number in PARTITIONS))
            child.wait_until(lambda: len(made.scores()) >= 25, what="25 scores", within_s=120.0)
        finally:
            child.stop(grace_s=60.0)
        found = made.scores()
    assert child.exit_code == 0, child.last_words(20)
    assert sorted(str(each.id) for each in found) == sorted(each["reading"] for each in sent[5:])
    assert {each.refused for each in found} == {msgspec.UNSET}
