"""The stream scores events on Apache Kafka, is killed again and again, and a reader finds each event once."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from streaming.online_store.server import StoreServer
from tests.docs.pages import page
from tests.domains.machines import BREAKDOWN, BREAKDOWNS, READINGS
from tests.end_to_end.brokers import proper_kafka, proper_redis
from tests.end_to_end.job import ROOT, Job, log_ends, produce
from tests.serving.published_models import publish

PARTS, OF_A_PART, PARTITIONS = 6, 400, 2
GUIDE = "docs/how-to/score-the-stream.md"


def reading(number: int) -> tuple[str, bytes, bytes, int]:
    machine = f"press{number % 17}"
    event = {
        "reading": f"r{number}",
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "plant": "north",
        "machine": machine,
        "celsius": 40 + number % 50,
    }
    return READINGS.topic, machine.encode(), msgspec.json.encode(event), 0


def places(bootstrap_servers: str, topic: str, isolation: str) -> list[tuple[int, int]]:
    """Partition and offset of the event that each record of the scores is about."""
    options = {"group.id": "places", "enable.partition.eof": True, "isolation.level": isolation}
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, **options})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    found, ended = [], set[int]()
    while len(ended) < PARTITIONS:
        messages: list[Any] = consumer.consume(1_000, 1.0)
        for message in messages:
            if message.error() is None:
                scored = json.loads(message.value())
                found.append((scored["partition"], scored["offset"]))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
    consumer.close()
    return found


@pytest.mark.kafka
@pytest.mark.deep
def test_a_reader_of_committed_records_finds_each_event_once_whatever_is_killed(tmp_path: Path) -> None:
    blocks = list(page(GUIDE).blocks())
    (setting,) = re.findall(
        r"MILLRACE_SCORE_TOPICS='(.*)'", next(each.code for each in blocks if each.language == "sh")
    )
    topic = msgspec.json.decode(setting)[BREAKDOWN.name]
    chosen = random.Random(7)
    with proper_redis(tmp_path / "redis") as store, proper_kafka(tmp_path / "kafka") as kafka:
        for name in (READINGS.topic, BREAKDOWNS.topic, topic):
            kafka.create_topic(name, PARTITIONS, {"message.timestamp.type": "LogAppendTime"})
        also = {"MILLRACE_TOPIC_MODE": "live", "MILLRACE_SCORE_TOPICS": setting}
        job = Job(tmp_path, kafka.bootstrap_servers, store.url, definitions="tests.domains.machines", also=also)
        server = StoreServer(job.settings())
        publish(tmp_path / "registry", BREAKDOWN)
        job.start()
        try:
            job.until(lambda: len(server.scored(BREAKDOWN.name)) == PARTITIONS, 300, lambda: "scores did not begin")
            for part in range(PARTS):
                produce(kafka.bootstrap_servers, map(reading, range(part * OF_A_PART, (part + 1) * OF_A_PART)))
                time.sleep(chosen.uniform(0.0, 1.0))
                if part == PARTS // 2:
                    job.kill_everything()
                elif "scores" in (running := job.dataflows()):
                    os.kill(running["scores"], 9)
                job.until(lambda: "scores" in job.dataflows(), 300, lambda: str(job.dataflows()))
            ends = log_ends(kafka.bootstrap_servers, [READINGS.topic])

            def left() -> list[int]:
                scored = {(name, at): offset for (name, _, at), offset in server.scored(BREAKDOWN.name).items()}
                return [end - scored.get(of, -1) for of, end in ends.items()]

            job.until(lambda: not any(left()), 300, lambda: f"left {left()}")
            found = Counter(places(kafka.bootstrap_servers, topic, "read_committed"))
            assert set(found.values()) == {1}
            assert set(found) == {(at, offset) for (_, at), end in ends.items() for offset in range(end + 1)}
            assert len(found) == PARTS * OF_A_PART
            reader = next(each.code for each in blocks if each.language == "python")
            said = subprocess.run(
                [sys.executable, "-c", reader],
                cwd=ROOT,
                env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers},
                capture_output=True,
                text=True,
                check=True,
            )
            assert len(said.stdout.splitlines()) == PARTS * OF_A_PART
            job.wait_for(ends)
            (command,) = [each.code for each in blocks if " audit " in each.code and each.language == "sh"]
            audited = subprocess.run(
                [sys.executable, *command.split()[1:]],
                cwd=ROOT,
                env=job.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert audited.returncode == 0, audited.stdout + audited.stderr
            line, number = audited.stdout.partition("\n")[0], re.compile(r"\d[\d,]*")
            records, equal, predictions = number.findall(line)
            assert (records, equal) == (f"{PARTS * OF_A_PART:,}", predictions)
            (told,) = [each.code.strip() for each in blocks if each.language == "text"]
            assert number.sub("N", line) == number.sub("N", told)
            assert job.stop() == 0
        finally:
            job.supervisor.kill()
