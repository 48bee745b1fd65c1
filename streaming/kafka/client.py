"""Options of every Kafka client here, and what is said when the brokers go away and come back."""

from __future__ import annotations

from typing import Any

from confluent_kafka import KafkaError

from streaming.job.outage import Outage
from streaming.log import get_log
from streaming.settings import StreamingSettings

_LOG = get_log("kafka")
_AWAY = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE, KafkaError._TIMED_OUT)

_SETTLED_S = 1.0
"""For this long after the brokers went away, records that were fetched before still come. They are no answer."""


class KafkaOutage(Outage):
    """Kafka is away. librdkafka itself reconnects for ever."""

    def __init__(self) -> None:
        super().__init__(_LOG, "Kafka is away; waiting for it", "Kafka is back", settled_s=_SETTLED_S)

    def on_error(self, error: KafkaError) -> None:
        """The client's error callback; also for errors met elsewhere."""
        if error.code() in _AWAY:
            self.failed(error=error.str())
        else:
            _LOG.warning("Kafka reports an error", error=error.str(), code=error.name())


def client_options(settings: StreamingSettings, outage: KafkaOutage | None = None) -> dict[str, Any]:
    """For AdminClient, Consumer and Producer alike."""
    options: dict[str, Any] = {
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        "client.id": "millrace",
        "log_level": 2,  # it would repeat each reconnection on standard error; KafkaOutage says it once
        "reconnect.backoff.max.ms": 2_000,
        **settings.kafka_options,
    }
    if outage is not None:
        options["error_cb"] = outage.on_error
    return options


def consumer_options(settings: StreamingSettings, outage: KafkaOutage) -> dict[str, Any]:
    """For a consumer that is assigned by offset and commits nothing to Kafka: sinks own their positions."""
    return {
        "group.id": "millrace",  # librdkafka wants one; nobody joins it
        "enable.auto.commit": False,
        "auto.offset.reset": "error",  # what to do then is ours to decide: a gap, or refuse
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
        # Both measured: with the defaults (100,000 and 1,000 ms) a fast reader mostly waits.
        "queued.min.messages": settings.fetch_buffer_records,
        "fetch.queue.backoff.ms": 2,
        "queued.max.messages.kbytes": settings.fetch_buffer_mib * 1024,
        # The simulator holds a fetch back for the whole wait, whatever comes in; Kafka answers at once.
        "fetch.wait.max.ms": 20 if settings.topic_mode == "embedded" else 500,
        **client_options(settings, outage),
    }
