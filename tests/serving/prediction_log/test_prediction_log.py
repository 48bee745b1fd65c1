"""The prediction log, from a request to the lake: every answer once, whatever Kafka does, and no request waits."""

import asyncio
import os
import sys
import threading
import time

import msgspec
import numpy as np
import polars
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.processes.background_process import BackgroundProcess
from serving.prediction_log import kafka_delivery, prediction_log
from serving.prediction_log.log_metrics import LogMetrics
from serving.prediction_log.prediction_log import AnsweredRequest, PredictionLog
from shared_features.formats.prediction_log import (
    decode_matrix,
    decode_record,
    each_once,
    logged_prediction,
    missing_counters,
)
from tests.domains.machines import BREAKDOWN, BREAKDOWNS, READINGS
from tests.serving.asking import PATH, ask
from tests.serving.conftest import INSTANCE, NOW_US
from tests.serving.prediction_log.kafka_topics import PARTITIONS, TOPIC, logged_in
from tests.serving.running_service import ROOT

COLUMNS = len(BREAKDOWN.columns)


@pytest.fixture(scope="module")
def kafka():
    topics = {TOPIC: PARTITIONS, READINGS.topic: 1, BREAKDOWNS.topic: 1}
    with KafkaSimulator(topics) as simulator:
        yield simulator


@pytest.fixture
def quickly(monkeypatch):
    """Kafka counts as silent after less time than a person would choose."""
    monkeypatch.setattr(kafka_delivery, "_STALLED_S", 0.3)
    monkeypatch.setattr(kafka_delivery, "_FLUSH_S", 0.3)


async def predict(client, numbers):
    """The answers to so many requests, a dozen at a time."""
    answers = []
    for first in range(0, len(numbers), 12):
        bodies = [
            {"instances": [INSTANCE | {"celsius": number / 10}], "include_features": True}
            for number in numbers[first : first + 12]
        ]
        answers += await asyncio.gather(*(client.post(PATH, json=body) for body in bodies))
    assert {each.status_code for each in answers} == {200}
    return [each.json() for each in answers]


async def metric(client, name):
    lines = (await client.get("/metrics")).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


async def until(client, name, value, within_s=60.0):
    deadline_s = time.monotonic() + within_s
    while await metric(client, name) != value:
        assert time.monotonic() < deadline_s, f"{name} is {await metric(client, name)} and not {value}"
        await asyncio.sleep(0.05)


def archived(lake, bootstrap_servers, count, log):
    """The rows of the lake, once the archive has so many; the archive runs as in production, and ends in order."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")} | {
        "PYTHONPATH": str(ROOT),
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
        "MILLRACE_DEFINITIONS": "tests.domains.machines",
        "MILLRACE_LAKE": str(lake),
        "MILLRACE_TOPIC_MODE": "embedded",
        "MILLRACE_ARCHIVE_COMMIT": "0.5",
        "MILLRACE_PREDICTION_LOG_TOPIC": TOPIC,
    }
    command = [sys.executable, "-m", "streaming", "run", "--only", "archive"]
    table = lake / "events_prediction_log"

    def rows():
        return polars.read_delta(str(table)).height if (table / "_delta_log").exists() else 0

    child = BackgroundProcess(command, log=log, cwd=ROOT, environment=environment)
    try:
        child.wait_until(lambda: rows() >= count, what="rows of the prediction log", within_s=120.0)
    finally:
        child.stop(grace_s=60.0)
    assert child.exit_code == 0
    return [logged_prediction(row) for row in polars.read_delta(str(table)).to_dicts()]


@pytest.mark.deep
def test_a_thousand_predictions_are_in_the_lake_once_each_although_kafka_stops_in_the_middle(
    serving, kafka, tmp_path, quickly
):
    async def requests():
        settings = {"kafka_bootstrap_servers": kafka.bootstrap_servers, "prediction_log_spool": tmp_path / "spool"}
        async with serving(prediction_log_topic=TOPIC, **settings) as client:
            answers = await predict(client, range(300))
            kafka.broker_down()
            try:
                answers += await predict(client, range(300, 500))
                await asyncio.sleep(1.0)
                answers += await predict(client, range(500, 700))
                await asyncio.sleep(0.5)
                spooled = await metric(client, "serving_spooled_predictions_total")
            finally:
                kafka.broker_up()
            answers += await predict(client, range(700, 1000))
            await until(client, "serving_logged_predictions_total", 1000)
            assert await metric(client, "serving_prediction_log_spool_bytes") == 0
            assert await metric(client, "serving_unlogged_predictions_total") == 0
            return answers, spooled

    answers, spooled = asyncio.run(requests())
    assert spooled >= 200
    assert not list((tmp_path / "spool").glob("*/*.jsonl"))
    logged = archived(tmp_path / "lake", kafka.bootstrap_servers, 1000, tmp_path / "archive.log")
    assert len(logged) == 1000
    assert {each.counter for each in logged} == set(range(1000))
    by_id = {each.id: each for each in logged}
    assert by_id.keys() == {answer["prediction_id"] for answer in answers}
    for number, answer in enumerate(answers):
        said, (prediction,) = by_id[answer["prediction_id"]], answer["predictions"]
        assert (said.view, said.model, said.model_version) == ("breakdown:v1", "breakdown", 1)
        assert (said.as_of_us, said.view_fingerprint) == (NOW_US, BREAKDOWN.fingerprint)
        assert msgspec.json.decode(said.instants) == [NOW_US]
        assert msgspec.json.decode(said.scores) == [prediction["score"]]
        floats = [np.nan if value is None else value for value in prediction["features"].values()]
        assert decode_matrix(said.features, COLUMNS).tobytes() == np.array([floats], np.float32).tobytes()
        assert msgspec.json.decode(said.receipt) == answer["receipt"]
        assert msgspec.json.decode(said.request)["instances"][0]["celsius"] == number / 10
        assert 0 < said.latency_us < 60_000_000


def test_what_kafka_does_not_take_until_the_end_is_sent_by_the_next_process(serving, kafka, tmp_path, quickly):
    settings = {
        "kafka_bootstrap_servers": kafka.bootstrap_servers,
        "prediction_log_spool": tmp_path / "spool",
        "prediction_log_topic": TOPIC,
    }

    async def first():
        async with serving(**settings) as client:
            return [each["prediction_id"] for each in await predict(client, range(30))]

    async def second(before):
        async with serving(**settings) as client:
            await until(client, "serving_logged_predictions_total", 30)
            return await metric(client, "serving_spooled_predictions_total")

    before = len(logged_in(kafka.bootstrap_servers, 0, within_s=1.0))
    kafka.broker_down()
    try:
        ids = asyncio.run(first())
    finally:
        kafka.broker_up()
    assert list((tmp_path / "spool").glob("*/*.jsonl"))
    assert asyncio.run(second(before)) == 0
    found = [each for each in logged_in(kafka.bootstrap_servers, before + 30) if each.id in set(ids)]
    assert sorted(each.id for each in each_once(found)) == sorted(ids)
    assert not list((tmp_path / "spool").iterdir())


def test_nothing_is_logged_and_no_id_is_given_without_a_topic(serving):
    answer = ask(serving, {"instances": [INSTANCE]})
    assert answer.status_code == 200
    assert "prediction_id" not in answer.json()


def test_a_refused_request_has_no_record_and_no_number(serving, kafka, tmp_path):
    async def requests():
        settings = {"kafka_bootstrap_servers": kafka.bootstrap_servers, "prediction_log_spool": tmp_path}
        async with serving(prediction_log_topic=TOPIC, **settings) as client:
            refused = await client.post(PATH, json={"instances": [{}]})
            features = await client.post("/v1/views/breakdown:features", json={"instances": [INSTANCE]})
            (answer,) = await predict(client, [1])
            await until(client, "serving_logged_predictions_total", 1)
            return refused.status_code, features.status_code, answer["prediction_id"]

    refused, features, prediction_id = asyncio.run(requests())
    assert (refused, features) == (422, 200)
    assert prediction_id.endswith("-0")


class HeldDelivery:
    """Takes nothing until it is let go; keeps what it got."""

    under_way, is_done = 0, True

    def __init__(self):
        self.goes, self.records, self.closed = threading.Event(), [], False

    def send(self, key, record):
        self.goes.wait(600)
        if record == b"bad":
            raise RuntimeError("bug")
        self.records.append(decode_record(record))

    def work(self, within_s):
        pass

    def close(self):
        self.closed = True


def answered(log):
    answer = (
        b'{"view":"v:v1","model":{"name":"m","version":1},"as_of_us":5,"predictions":[],"degraded":false,'
        b'"freshness_seconds":{},"receipt":{"digest":"","shards":[]}}'
    )
    seen = np.zeros((1, 2), np.float32)
    return AnsweredRequest(log.next_number(), "f", "d", b"{}", answer, seen, [0.5], time.monotonic(), "here")


def test_what_has_no_room_in_memory_is_dropped_counted_and_a_hole_in_the_numbers(monkeypatch):
    metrics, delivery = LogMetrics(registry := CollectorRegistry()), HeldDelivery()
    monkeypatch.setattr(prediction_log, "_MOST_BYTES", 3 * answered(PredictionLog("b", delivery, metrics)).length)
    log = PredictionLog("a", delivery, metrics)
    answered(log)  # number 0, which is lost before it comes here
    log.start()
    for _ in range(10):
        log.take(answered(log))
    assert delivery.records == []  # nobody has waited for what is held
    delivery.goes.set()
    deadline_s = time.monotonic() + 60
    while len(delivery.records) < 3:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    log.take(answered(log))  # there is room again
    log.stop()
    assert delivery.closed
    assert [each.counter for each in delivery.records] == [1, 2, 3, 11]
    assert missing_counters(delivery.records) == {"a": [(0, 0), (4, 10)]}
    assert b'serving_unlogged_predictions_total{reason="queue"} 7.0' in generate_latest(registry)


def test_an_answer_that_cannot_be_logged_is_counted_and_the_next_one_is_logged():
    metrics, delivery = LogMetrics(registry := CollectorRegistry()), HeldDelivery()
    delivery.goes.set()
    log = PredictionLog("a", delivery, metrics)
    good, bad = answered(log), answered(log)
    log.start()
    log.take(AnsweredRequest(0, "f", "d", b"{}", b"no answer", bad.seen, [], 0.0, ""))
    log.take(AnsweredRequest(1, "f", "d", b"x" * 1_000_001, good.answer, good.seen, [], 0.0, ""))
    log.take(good)
    log.stop()
    assert [each.counter for each in delivery.records] == [0]
    text = generate_latest(registry)
    assert b'serving_unlogged_predictions_total{reason="error"} 1.0' in text
    assert b'serving_unlogged_predictions_total{reason="too large"} 1.0' in text
