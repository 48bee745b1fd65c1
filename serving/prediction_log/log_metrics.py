"""The metrics of the prediction log; there are none without a log."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class LogMetrics:
    """In the registry of the application."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sent = Counter(
            "serving_logged_predictions", "Answers that the prediction log gave to Kafka.", registry=registry
        )
        self._spooled = Counter(
            "serving_spooled_predictions",
            "Answers that the prediction log kept on disk, because Kafka did not take them.",
            registry=registry,
        )
        self._dropped = Counter(
            "serving_unlogged_predictions",
            "Answers that the prediction log dropped. reason: its queue in memory was full, the spool on disk was full "
            "or failed, the record was too large for Kafka, or an error.",
            ["reason"],
            registry=registry,
        )
        self._waiting = Gauge(
            "serving_prediction_log_waiting",
            "Answers in memory that Kafka does not have yet.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._spool = Gauge(
            "serving_prediction_log_spool_bytes",
            "Bytes of the prediction log on disk that Kafka does not have yet.",
            multiprocess_mode="livesum",
            registry=registry,
        )

    def sent(self) -> None:
        """Kafka has one more answer."""
        self._sent.inc()

    def spooled(self) -> None:
        """One answer went to disk."""
        self._spooled.inc()

    def dropped(self, reason: str) -> None:
        """One answer is not logged."""
        self._dropped.labels(reason).inc()

    def waiting(self, answers: int) -> None:
        """So many answers are in memory."""
        self._waiting.set(answers)

    def spool(self, length: int) -> None:
        """So many bytes are on disk."""
        self._spool.set(length)
