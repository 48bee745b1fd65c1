"""librdkafka's mock cluster, by ctypes from the shared library inside the confluent-kafka wheel.

The Python client does not show these functions. They are marked experimental in `rdkafka_mock.h`; the
signatures here are those of librdkafka 2.16.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
from ctypes import c_char_p, c_int, c_int32, c_int64, c_size_t, c_void_p
from pathlib import Path
from typing import Any

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.kafka.empty_batch import MOST_RECORDS, append_without_records

_PRODUCER = 0  # rd_kafka_type_t
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "rd_kafka_conf_new": (c_void_p, []),
    "rd_kafka_new": (c_void_p, [c_int, c_void_p, c_char_p, c_size_t]),
    "rd_kafka_destroy": (None, [c_void_p]),
    "rd_kafka_err2str": (c_char_p, [c_int]),
    "rd_kafka_mock_cluster_new": (c_void_p, [c_void_p, c_int]),
    "rd_kafka_mock_cluster_destroy": (None, [c_void_p]),
    "rd_kafka_mock_cluster_bootstraps": (c_char_p, [c_void_p]),
    "rd_kafka_mock_set_controller_id": (c_int, [c_void_p, c_int32]),
    "rd_kafka_mock_topic_create": (c_int, [c_void_p, c_char_p, c_int, c_int]),
    "rd_kafka_mock_partition_delete_records": (c_int, [c_void_p, c_char_p, c_int32, c_int64]),
    "rd_kafka_mock_broker_set_down": (c_int, [c_void_p, c_int32]),
    "rd_kafka_mock_broker_set_up": (c_int, [c_void_p, c_int32]),
}


def library_path() -> Path | str:
    """Where the client's own librdkafka lies; else the machine's. Raises EmbeddedError without either."""
    client = importlib.util.find_spec("confluent_kafka")
    for folder in (client.submodule_search_locations or []) if client else []:
        package = Path(folder)
        beside = (package.with_name("confluent_kafka.libs"), package / ".dylibs")
        for found in (library for place in beside for library in sorted(place.glob("librdkafka*"))):
            return found
    machine = ctypes.util.find_library("rdkafka")
    if machine is None:
        raise EmbeddedError("There is no librdkafka here; install the wheel of confluent-kafka, which carries one.")
    return machine


class MockCluster:
    """A cluster in this process, on ports of its own choice on loopback. `close` it; threads go with it."""

    def __init__(self, brokers: int = 1) -> None:
        self._library = ctypes.CDLL(str(library_path()))
        for name, (result, arguments) in _SIGNATURES.items():
            try:
                function = getattr(self._library, name)
            except AttributeError:
                raise EmbeddedError(f"{library_path()} has no {name}; use confluent-kafka 2.16 or newer") from None
            function.restype, function.argtypes = result, arguments
        reason = ctypes.create_string_buffer(512)
        self._client = self._library.rd_kafka_new(_PRODUCER, self._library.rd_kafka_conf_new(), reason, len(reason))
        if not self._client:
            raise EmbeddedError(f"librdkafka did not start: {reason.value.decode()}")
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._client, brokers)
        if not self._cluster:
            self._library.rd_kafka_destroy(self._client)
            raise EmbeddedError("librdkafka's mock cluster did not start: no free port on loopback?")
        self._brokers = brokers
        # Without a controller AdminClient.describe_topics, the only way to a topic's id, waits for one.
        self._check(self._library.rd_kafka_mock_set_controller_id(self._cluster, 1), "making broker 1 the controller")

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` of every broker, separated by commas."""
        return str(self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode())

    def create_topic(self, name: str, partitions: int) -> None:
        """Create a topic, replicated on every broker. Raises EmbeddedError when it exists."""
        self._check(
            self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, self._brokers),
            f"creating topic {name} with {partitions} partitions",
        )

    def begin_at(self, topic: str, partition: int, offset: int) -> None:
        """Let the log of an empty partition begin at an offset, as if earlier records had fallen out of it."""
        host, _, port = self.bootstrap_servers.split(",")[0].rpartition(":")
        for done in range(0, offset, MOST_RECORDS):
            append_without_records((host, int(port)), topic, partition, min(MOST_RECORDS, offset - done))
        if offset:
            self.delete_records(topic, partition, offset)

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        """Forget the records below an offset, as retention does."""
        self._check(
            self._library.rd_kafka_mock_partition_delete_records(self._cluster, topic.encode(), partition, before),
            f"deleting {topic}[{partition}] below {before}",
        )

    def broker_down(self, broker: int = 1) -> None:
        """Close a broker's connections and refuse new ones; its records stay."""
        self._check(self._library.rd_kafka_mock_broker_set_down(self._cluster, broker), f"broker {broker} down")

    def broker_up(self, broker: int = 1) -> None:
        """Let a broker answer again."""
        self._check(self._library.rd_kafka_mock_broker_set_up(self._cluster, broker), f"broker {broker} up")

    def close(self) -> None:
        """End it and its threads."""
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)

    def _check(self, code: int, what: str) -> None:
        if code:
            raise EmbeddedError(f"{what}: {self._library.rd_kafka_err2str(code).decode()} ({code})")
