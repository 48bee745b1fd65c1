"""A project that is proposed from the records of a topic, on a simulated Kafka."""

import json
import random

import msgspec
import pytest
from confluent_kafka import Producer

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.project import topic_sample
from deploy.project.__main__ import main
from deploy.project.errors import ProjectError
from deploy.project.topic_sample import read_topic
from shared_features import load_definitions
from streaming.settings import load_settings

BEGAN_MS = 1_790_000_000_000
RECORDS = 300


@pytest.fixture(scope="module")
def kafka():
    with KafkaSimulator({"shop.orders": 2, "shop.packed": 1, "shop.empty": 1}) as running:
        producer = Producer({"bootstrap.servers": running.bootstrap_servers})
        for number in range(RECORDS):
            at_ms = BEGAN_MS + 60_000 * number
            order = order_of(number, at_ms)
            producer.produce("shop.orders", json.dumps(order).encode(), order["shopper_id"], timestamp=at_ms)
            producer.produce("shop.packed", msgspec.msgpack.encode(order), timestamp=at_ms)
        producer.produce("shop.orders", b"{no json", "x", timestamp=BEGAN_MS)
        producer.flush(60)
        yield running


def order_of(number, at_ms):
    chance = random.Random(number)
    return {
        "order_id": f"o-{number}",
        "placed_at": at_ms,
        "shopper_id": f"s{chance.randrange(20)}",
        "price": round(chance.uniform(1, 90), 2),
        "zip": f"{chance.randrange(100):05}",
        "weight": "12.50",
        "returned": chance.random() < 0.1,
        "device": {"os": "x"},
        "ship to": "home",
    }


@pytest.fixture
def settings(kafka, monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    return load_settings()


def test_a_topic_becomes_a_project_whose_definitions_take_its_records(settings, tmp_path, monkeypatch, capsys):
    assert main(["new", "my_orders", "--topic", "shop.orders", "--directory", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert f"orders: of the newest {RECORDS + 1} records, {RECORDS} are events" in said
    assert "1 would be dead letters: " in said
    assert "Column `returned` is left out: it looks like an outcome" in said
    assert "Column `ship to` is left out: a field has the name of its member" in said
    monkeypatch.syspath_prepend(tmp_path)
    (source,) = load_definitions("my_orders.features").sources
    assert (source.name, source.topic, source.event_id, source.event_time) == (
        *("orders", "shop.orders", "order_id", "placed_at"),
    )
    assert source.format == "nested_json"
    kinds = {field.name: type(field.type).__name__ for field in source.fields}
    assert kinds == {
        "order_id": "Text",
        "placed_at": "Timestamp",
        "shopper_id": "Text",
        "price": "Decimal",
        "zip": "Text",
        "weight": "Text",  # nobody makes a number of it on the way
        "device_os": "Text",
    }
    readme = (tmp_path / "my_orders" / "README.md").read_text()
    assert f"export KAFKA_BOOTSTRAP_SERVERS={settings.kafka_bootstrap_servers}" in readme
    assert "millrace produce" not in readme


def test_the_format_of_the_records_is_found(settings, tmp_path, monkeypatch):
    assert main(["new", "my_packed", "--topic", "shop.packed", "--directory", str(tmp_path)]) == 0
    monkeypatch.syspath_prepend(tmp_path)
    assert load_definitions("my_packed.features").source("packed").format == "messagepack"


def test_the_newest_records_of_every_partition_are_looked_at(settings):
    sample = read_topic(settings, "shop.orders", 100)
    assert 50 < len(sample.rows) <= 100
    assert max(row["placed_at"] for row in sample.rows if "placed_at" in row) == BEGAN_MS + 60_000 * (RECORDS - 1)


@pytest.mark.parametrize(
    ("topic", "says"),
    [("shop.order", "there is no topic shop.order. Did you mean 'shop.orders'"), ("shop.empty", "holds no records")],
)
def test_a_topic_without_records_is_refused_with_what_to_do(settings, topic, says):
    with pytest.raises(ProjectError) as caught:
        read_topic(settings, topic, 100)
    assert says in str(caught.value)


def test_a_kafka_that_is_unavailable_is_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setattr(topic_sample, "_ANSWER_S", 0.5)
    assert main(["new", "never_written", "--topic", "shop.orders", "--directory", str(tmp_path)]) == 1
    assert "Kafka at 127.0.0.1:1 cannot be reached" in capsys.readouterr().err
