"""Late events are counted in the metrics with how late they are."""

from __future__ import annotations

import numpy as np
from prometheus_client import generate_latest

from shared_features.kernel.event_time import DAY_US, MINUTE_US, SECOND_US
from streaming.kafka.records.polled import count_polled
from streaming.metrics import StreamingMetrics, lateness_edges_us
from tests.streaming.kafka_log import KafkaLog, Record
from tests.streaming.small_domain import PAYMENTS


def test_the_allowed_lateness_is_an_edge() -> None:
    edges = lateness_edges_us(3 * MINUTE_US)
    assert edges[0] == SECOND_US
    assert edges[-1] == 30 * DAY_US
    assert 3 * MINUTE_US in edges
    assert list(edges) == sorted(set(edges))
    assert lateness_edges_us(10 * MINUTE_US) == lateness_edges_us(0)


def test_metrics_count_a_batch_like_one_by_one() -> None:
    lateness_us = [-SECOND_US, 0, SECOND_US, SECOND_US + 1, 10 * MINUTE_US, 10 * MINUTE_US + 1, 40 * DAY_US]
    log = KafkaLog({"payments": PAYMENTS}, {"payments": 1})
    now_us = 100 * DAY_US
    for number, late_us in enumerate(lateness_us):
        event = {"id": number, "event_time": now_us - late_us, "payer": 1, "shop": "a", "amount": 1}
        log.of(("payments", 0)).append(Record(now_us, event))
    metrics = StreamingMetrics(10 * MINUTE_US)
    count_polled(metrics, [log.poll(("payments", 0), -1)])
    count_polled(metrics, [log.poll(("payments", 0), -1, 2)])
    value = metrics.registry.get_sample_value
    name = "streaming_event_lateness_seconds"
    assert value(f"{name}_bucket", {"source": "payments", "le": "1"}) == 3 + 3
    assert value(f"{name}_bucket", {"source": "payments", "le": "600"}) == 5 + 3
    assert value(f"{name}_bucket", {"source": "payments", "le": "2592000"}) == 6 + 3
    assert value(f"{name}_bucket", {"source": "payments", "le": "+Inf"}) == 7 + 3
    assert value(f"{name}_count", {"source": "payments"}) == 10
    assert value("streaming_late_events_total", {"source": "payments"}) == 2
    total_us = np.maximum(lateness_us, 0).sum() + SECOND_US
    assert value(f"{name}_sum", {"source": "payments"}) == total_us / SECOND_US
    assert value("streaming_allowed_lateness_seconds") == 600
    assert generate_latest(metrics.registry)
