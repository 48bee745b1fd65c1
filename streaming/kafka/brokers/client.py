"""The options of every Kafka client here, and the log lines for brokers that become unavailable and available again."""

from __future__ import annotations

from typing import Any

from confluent_kafka import KafkaError

from streaming.job.outage import Outage
from streaming.log import get_log
from streaming.settings import StreamingSettings

_LOG = get_log("kafka")
_AWAY = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE, KafkaError._TIMED_OUT)

_WORTH_AN_ANSWER = 1 << 16
_SETTLED_S = 1.0
"""For this long after the brokers became unavailable, earlier fetched records still arrive. They prove nothing."""


class KafkaOutage(Outage):
    """An outage of Kafka. librdkafka itself reconnects for ever."""

    def __init__(self) -> None:
        super().__init__(_LOG, "waiting for Kafka", "reached Kafka again", settled_s=_SETTLED_S)

    def on_error(self, error: KafkaError) -> None:
        """The error callback of the client. Call it for other errors too."""
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


def consumer_options(settings: StreamingSettings, outage: KafkaOutage, *, patient: bool = False) -> dict[str, Any]:
    """For a consumer that is assigned by offset. It commits nothing to Kafka, because sinks own their positions.

    patient: brokers gather records for half a second, so that few records cost few answers. Many are sent at once.
    """
    return {
        "group.id": "millrace",  # librdkafka requires one; no consumer joins it
        "enable.auto.commit": False,
        "auto.offset.reset": "error",  # this program decides then: record a gap, or refuse
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
        # Measured: with the defaults (100,000 and 1,000 ms) a fast reader mostly waits.
        "queued.min.messages": settings.fetch_buffer_records,
        "fetch.queue.backoff.ms": 2,
        "queued.max.messages.kbytes": settings.fetch_buffer_mib * 1024,
        # The simulator delays a fetch for the whole wait, even when records arrive. Kafka answers at once.
        "fetch.wait.max.ms": 20 if settings.topic_mode == "embedded" else 500,
        **({"fetch.min.bytes": _WORTH_AN_ANSWER} if patient else {}),
        **client_options(settings, outage),
    }
