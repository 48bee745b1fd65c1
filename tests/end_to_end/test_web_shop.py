"""A web shop runs through the same programs: text keys, categories, nulls, three kinds of entities, late labels."""

from __future__ import annotations

import statistics
import time
from datetime import datetime
from pathlib import Path

import pytest

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from tests.domains.web_shop import CLICKS, ORDERS, RETURNS
from tests.domains.web_shop_traffic import DAY_MS, Record, WebShopTraffic
from tests.end_to_end.job import Job, log_ends, produce
from tests.end_to_end.whole_path import endpoint, predict, train

UNTIL_MS = time.time_ns() // 1_000_000
"""Now. Of a visitor without a state it is known only lately that there was no event: keys end their life."""
RECORDS = WebShopTraffic(UNTIL_MS, days=14, orders=1_200).records()
TOPICS = {CLICKS.topic: 2, ORDERS.topic: 2, RETURNS.topic: 1}
VISITOR = "zoë"


@pytest.mark.slow
@pytest.mark.deep  # the tutorial runs a web shop too
def test_a_web_shop_runs_through_the_same_programs(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis") as store, KafkaSimulator(TOPICS) as kafka:
        also = {"MILLRACE_TOPIC_MODE": "embedded"}
        job = Job(tmp_path, kafka.bootstrap_servers, store.url, definitions="tests.domains.web_shop", also=also)
        job.start()
        try:
            produce(kafka.bootstrap_servers, ((r.topic, r.key, r.value, r.arrival_ms) for r in RECORDS))
            job.wait_for(log_ends(kafka.bootstrap_servers, TOPICS))
            job.wait_for_cut((UNTIL_MS - DAY_MS) * 1000)
            assert job.stop() == 0
            counts = job.check_truth()
            train(job.environment, "--train-days", "6", "--test-days", "2")
            with endpoint(job.environment, tmp_path / "serving.log") as url:
                answer = predict(url, "order_return", {"instances": ORDERED, "as_of": UNTIL_MS * 1000, **ALL})
        finally:
            job.supervisor.kill()
    assert counts["dead"] == 0
    assert counts["rows of product_returns:v1"] > 1_000
    assert counts["entities of category_gifts:v1"] == 4
    shoes, book, stranger = answer["predictions"]
    assert shoes["score"] > 0.4 > book["score"], "shoes are returned more often than books, and the model knows it"
    assert shoes["missing_entities"] == []
    assert shoes["features"]["visitor_orders__price_mean_7d"] == pytest.approx(mean_price_7d(VISITOR), rel=1e-6)
    assert stranger["missing_entities"] == ["visitor_clicks", "visitor_orders"]
    assert stranger["features"]["visitor_orders__price_mean_7d"] is None
    assert stranger["features"]["came_by_newsletter"] is None


ALL = {"include_features": True}
ORDERED = [
    {"visitor": VISITOR, "product": "shoes 1", "category": "shoes", "price": 60.0, "quantity": 2, "gift": False},
    {"visitor": VISITOR, "product": "books 1", "category": "books", "price": 60.0, "quantity": 1, "gift": False},
    {"visitor": "nobody", "product": "shoes 1", "category": "shoes", "price": 60.0, "quantity": 1, "gift": True},
]


def mean_price_7d(visitor: str) -> float:
    """By hand: each order once, of the week before, whose old end moves in steps of an hour."""
    first_ms = (UNTIL_MS - 7 * DAY_MS) // 3_600_000 * 3_600_000
    prices = {
        record.event["order"]: record.event["price"]
        for record in RECORDS
        if record.source == ORDERS.name and record.event["visitor"] == visitor and time_ms(record) >= first_ms
    }
    return statistics.fmean(prices.values())


def time_ms(record: Record) -> int:
    return round(datetime.fromisoformat(record.event["at"]).timestamp() * 1000)
