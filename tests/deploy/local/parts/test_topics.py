"""Topics of a stack on brokers of the user's: created where they are missing, and whose clock stamps them."""

import time

import pytest
from confluent_kafka.admin import AdminClient

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.local.errors import LocalError
from deploy.local.parts.topics import _mode, prepare_topics
from tests.end_to_end.brokers import proper_kafka


def test_a_simulator_s_topics_are_stamped_by_their_producers():
    with KafkaSimulator({"orders": 2, "returns": 1}) as kafka:
        assert prepare_topics(kafka.bootstrap_servers, ["returns", "orders"]) == ("embedded", [])


@pytest.mark.parametrize(
    ("stamped", "mode"),
    [({}, "embedded"), ({"a": "CreateTime"}, "embedded"), ({"a": "LogAppendTime", "b": "LogAppendTime"}, "live")],
)
def test_the_mode_follows_from_the_topics_that_are_there(stamped, mode):
    assert _mode(stamped) == mode


def test_topics_that_are_not_stamped_alike_are_refused_by_name():
    with pytest.raises(LocalError, match=r"a by CreateTime, b by LogAppendTime\. Set message\.timestamp\.type of all"):
        _mode({"b": "LogAppendTime", "a": "CreateTime"})


@pytest.mark.kafka
@pytest.mark.deep
def test_topics_of_scores_have_as_many_partitions_as_their_events(tmp_path):
    with proper_kafka(tmp_path) as kafka:
        kafka.create_topic("orders", 5, {"message.timestamp.type": "LogAppendTime"})
        scores = {"order_scores": "orders", "return_scores": "returns"}
        mode, created = prepare_topics(kafka.bootstrap_servers, ["orders", "returns"], None, scores)
        assert (mode, sorted(created)) == ("live", ["order_scores", "return_scores", "returns"])
        admin, deadline_s = AdminClient({"bootstrap.servers": kafka.bootstrap_servers}), time.monotonic() + 60
        while not (found := admin.list_topics(timeout=60).topics).keys() >= set(created):  # brokers tell one another
            assert time.monotonic() < deadline_s
        assert [len(found[name].partitions) for name in ("order_scores", "return_scores", "returns")] == [5, 2, 2]


def test_a_kafka_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr("deploy.local.parts.topics._ANSWER_S", 1.0)
    with pytest.raises(LocalError, match=r"Kafka at 127\.0\.0\.1:1 refuses, or does not answer"):
        prepare_topics("127.0.0.1:1", ["orders"])
