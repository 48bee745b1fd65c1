"""The demo takes over empty topics, and none that hold somebody's records."""

import pytest
from confluent_kafka import Producer

from deploy.demo.errors import DemoError
from deploy.demo.stage.topics import claim_topics
from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.local.errors import LocalError
from streaming.settings import load_settings


def test_a_topic_that_holds_records_is_refused_by_name():
    with KafkaSimulator({"mine": 2, "empty": 1}) as kafka:
        producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
        producer.produce("mine", b"{}", partition=1)
        assert producer.flush(60) == 0
        settings = load_settings(kafka_bootstrap_servers=kafka.bootstrap_servers)
        with pytest.raises(DemoError, match=rf"^mine on {kafka.bootstrap_servers} already hold records") as refused:
            claim_topics(settings, ["mine", "empty", "not-there"])
        assert "--delete --topic mine" in str(refused.value)
        claim_topics(settings, ["not-there"])


def test_a_kafka_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr("deploy.demo.stage.topics._ANSWER_S", 1.0)
    with pytest.raises(LocalError, match=r"Kafka at 127\.0\.0\.1:1 refuses, or does not answer"):
        claim_topics(load_settings(kafka_bootstrap_servers="127.0.0.1:1"), ["mine"])
