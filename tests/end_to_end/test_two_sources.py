"""What counts as one event, and which label is the label: through the real programs, over two topics of one shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import redis

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from shared_features.formats.dataset_manifest import DatasetParameters
from shared_features.formats.offline_tables import DEAD_LETTERS_TABLE, features_table
from tests.domains.tills import RETURN, RETURNS, SPEND, TILL, WEB
from tests.end_to_end.job import LATENESS_S, Job, log_ends, produce
from tests.streaming.online.shards import stored_states, stored_values
from training.datasets.dataset_builder import build_dataset
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.datasets.time_split import TRAIN

START_MS = 1_749_945_600_000
"""2025-06-15, midnight UTC."""
HOUR_MS = 3_600_000
SALES = 40
SAME_MS = START_MS + SALES * 6 * HOUR_MS
END_MS = SAME_MS + 30 * HOUR_MS

Notice = tuple[int, int, int, bool]
"""A label event: the sale that it is about, its event time, its arrival (both milliseconds), what it says."""


def sale(number: int, at_ms: int, user: str, amount: int = 5) -> bytes:
    return json.dumps({"sale": number, "at": at_ms, "user": user, "amount": amount}).encode()


def sold_ms(number: int) -> int:
    return START_MS + number * 6 * HOUR_MS


def notices() -> list[Notice]:
    """Every sale has a label an hour later, and a day after that another one that says the opposite of that hour."""
    known = [(number, sold_ms(number) + HOUR_MS) for number in range(SALES)]
    first = [(number, at_ms, at_ms, number % 2 == 0) for number, at_ms in known]
    return first + [(number, at_ms, at_ms + 24 * HOUR_MS, number % 2 == 1) for number, at_ms in known]


def records() -> list[tuple[str, bytes, bytes, int]]:
    sent = [(TILL.topic, b"k", sale(number, sold_ms(number), f"u{number}"), sold_ms(number)) for number in range(SALES)]
    same_topics = (TILL.topic, TILL.topic, WEB.topic)  # the till delivers it twice
    sent += [(topic, b"k", sale(7_000, SAME_MS, "same"), SAME_MS) for topic in same_topics]
    later_ms = SAME_MS + HOUR_MS
    sent.append((TILL.topic, b"k", sale(7_001, later_ms, "same"), later_ms))
    sent.append((TILL.topic, b"k", sale(7_002, later_ms // 1000, "same"), later_ms))  # seconds
    sent += [(topic, b"k", sale(9_999, END_MS, "nobody"), END_MS) for topic in (TILL.topic, WEB.topic)]
    for index, (number, at_ms, arrival_ms, returned) in enumerate(notices()):
        notice = {"notice": f"n{index}", "at": at_ms, "sale": number, "returned": returned}
        sent.append((RETURNS.topic, b"k", json.dumps(notice).encode(), arrival_ms))
    return sorted(sent, key=lambda each: each[3])


@pytest.mark.slow
@pytest.mark.deep  # the local stack has two sources, and tests of datasets have two labels
def test_two_sources_two_labels_and_a_wrong_unit(tmp_path: Path) -> None:
    topics = {TILL.topic: 1, WEB.topic: 1, RETURNS.topic: 1}
    with RedisServer(tmp_path / "redis") as store, KafkaSimulator(topics) as kafka:
        also = {"MILLRACE_TOPIC_MODE": "embedded"}
        job = Job(tmp_path, kafka.bootstrap_servers, store.url, definitions="tests.domains.tills", also=also)
        job.start()
        try:
            produce(kafka.bootstrap_servers, records())
            job.wait_for(log_ends(kafka.bootstrap_servers, topics), within_s=240)
            job.wait_for_cut(END_MS * 1000, within_s=240)
            assert job.stop() == 0
            assert job.check_truth()["dead"] == 1
            with redis.Redis.from_url(store.url) as client:
                states = stored_states(client, job.settings(), SPEND)
        finally:
            job.supervisor.kill()
    in_redis = stored_values(SPEND, states, (SAME_MS + HOUR_MS) * 1000)
    assert in_redis["same"] == [2.0, 10.0, 5.0]
    check_rows(job.lake)
    check_dead_letter(job.lake)
    check_labels(job.lake)


def check_rows(lake: Path) -> None:
    rows = pl.read_delta(str(lake / features_table(SPEND, TILL))).filter(pl.col("entity_key") == "same")
    rows = rows.sort("kafka_offset")
    assert rows["copy"].to_list() == [False, True, False]
    assert rows["count_1d"].to_list() == [0.0, 0.0, 2.0]
    assert rows["amount_sum_1d"].to_list() == [0.0, 0.0, 10.0]


def check_dead_letter(lake: Path) -> None:
    (reason,) = pl.read_delta(str(lake / DEAD_LETTERS_TABLE))["reason"].to_list()
    assert reason.startswith("from the past: 1970-01-21T")
    assert "; in seconds it is 2025-06-25T01:00:00Z - at $.at (topic shop.till" in reason


def check_labels(lake: Path) -> None:
    parameters = DatasetParameters(train_days=6, delay_days=0, test_days=3)
    dataset, _ = build_dataset(pin_view(OfflineStore(lake), RETURN, LATENESS_S * 1_000_000), parameters)
    begun_ms = dataset.manifest.split.test_start_us // 1000
    found = list(zip(dataset.event_time_us.tolist(), dataset.window.tolist(), dataset.label.tolist(), strict=True))
    assert len(found) == 9 * 4
    for time_us, window, label in found:
        wanted = known_label(time_us // 1000, begun_ms if window == TRAIN else END_MS)
        assert label == wanted, f"the sale of {time_us} in window {window}"
    corrected = [label for _, _, label in found]
    first = [float((time_us // 1000 - START_MS) // (6 * HOUR_MS) % 2 == 0) for time_us, _, _ in found]
    same = sum(a == b for a, b in zip(corrected, first, strict=True))
    assert same == 4  # of the last day before the test window: their corrections had not arrived


def known_label(at_ms: int, before_ms: int) -> Any:
    """The sale's label that arrived last before an instant."""
    said = [each for each in notices() if sold_ms(each[0]) == at_ms and each[2] < before_ms]
    return float(max(said, key=lambda each: each[2])[3])
