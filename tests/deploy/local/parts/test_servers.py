"""The servers of a stack have every topic that the programs read or write, also after a restart of the simulator."""

from contextlib import ExitStack

import pyarrow as pa
import pytest
from confluent_kafka import Consumer, TopicPartition
from deltalake import CommitProperties, Transaction, write_deltalake

from deploy.local.parts.servers import start_servers
from deploy.local.stack.board import Board
from deploy.local.stack.stack_directory import Remembered, StackDirectory
from shared_features.definitions import load_definitions
from shared_features.formats.offline_tables import events_table, offset_app
from shared_features.formats.prediction_log import prediction_source
from streaming.kafka.brokers.topics import id_in_embedded_log

MACHINES, PREDICTIONS = "tests.domains.machines", "machines.predictions"


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setenv("MILLRACE_PREDICTION_LOG_TOPIC", PREDICTIONS)
    directory = StackDirectory(tmp_path / "stack")
    directory.create()
    return directory


def test_the_prediction_log_has_a_topic_that_continues_behind_what_the_lake_has(directory):
    """On a simulator nobody else can create the topic. Offsets that returned would be taken for stored ones."""
    topic_id = id_in_embedded_log("l", PREDICTIONS)
    stored = CommitProperties(app_transactions=[Transaction(offset_app(PREDICTIONS, topic_id, 1), 41)])
    table = directory.lake / events_table(prediction_source(PREDICTIONS))
    write_deltalake(table, pa.table({"x": [1]}), commit_properties=stored)
    remembered = Remembered(definitions=MACHINES, kafka="simulator", redis="embedded", namespace="n", log="l")
    catalogue = load_definitions(MACHINES)
    with ExitStack() as exits:
        servers = start_servers(directory, remembered, catalogue, Board(directory, lambda part: None), exits)
        consumer = Consumer({"bootstrap.servers": servers.remembered.kafka_address, "group.id": "looks"})
        exits.callback(consumer.close)
        ends = [consumer.get_watermark_offsets(TopicPartition(PREDICTIONS, each), timeout=60)[1] for each in (0, 1)]
    assert ends == [0, 42]
