"""A batch without records moves the end of a log, and a broker that refuses it is named."""

import pytest

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.kafka.empty_batch import append_without_records
from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from tests.deploy.embedded.probes import port_of


def test_a_refusal_names_the_partition_and_the_error() -> None:
    with KafkaSimulator({"events": 1}) as simulator:
        address = ("127.0.0.1", port_of(simulator.bootstrap_servers))
        append_without_records(address, "events", 0, 7)
        with pytest.raises(EmbeddedError, match=r"events\[3\] by 7: the simulator answered error 3"):
            append_without_records(address, "events", 3, 7)
