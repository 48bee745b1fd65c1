"""The prediction log as the settings want it."""

from __future__ import annotations

from serving.metrics import Metrics
from serving.prediction_log.log_metrics import LogMetrics
from serving.prediction_log.prediction_log import PredictionLog
from serving.prediction_log.spool import Spool
from serving.settings import ServingSettings


def open_log(settings: ServingSettings, metrics: Metrics) -> PredictionLog | None:
    """The log; None where no topic is set."""
    if settings.prediction_log_topic is None:
        return None
    from serving.prediction_log.kafka_delivery import KafkaDelivery  # loads the client of Kafka, which is large

    instance = PredictionLog.new_instance()
    spool = Spool(settings.prediction_log_spool, instance, settings.prediction_log_spool_mib << 20)
    options = {"bootstrap.servers": settings.kafka_bootstrap_servers, **settings.kafka_options}
    of_log = LogMetrics(metrics.registry)
    delivery = KafkaDelivery(options, settings.prediction_log_topic, spool, of_log)
    return PredictionLog(instance, delivery, of_log)
