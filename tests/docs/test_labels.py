"""The guide of labels: its views label orders as it says, from events of every kind that it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shared_features import EventSource
from shared_features.kernel.event_time import DAY_US, HOUR_US
from tests.docs.written_module import written_module
from tests.training.lake import arrived, write_events
from training.datasets.exports.known_labels import JoinedLabels, join_labels, pin_label_tables
from training.datasets.offline_store import OfflineStore

START_US = 20_000 * DAY_US
NAMES, DAYS = ["o1", "o2", "o3", "o4"], [0, 10, 50, 200]
CUTOFF_US = START_US + 201 * DAY_US


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The module that a reader of the page writes."""
    return written_module("docs/how-to/labels.md", tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def lake(guide: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found: Path = tmp_path_factory.mktemp("lake")
    send(found, guide.ORDERS, DAYS, order=NAMES, shopper=["a", "a", "b", "b"], price=[1000, 2000, 500, 700])
    send(found, guide.REVIEWS, [1, 11], review=["v1", "v2"], order=["o1", "o2"], verdict=["fraud", "fine"])
    send(found, guide.CHARGEBACKS, [40, 180], case=["c2", "c3"], order=["o2", "o3"], is_fraud=[1, 1])
    send(
        found, guide.RETURNS, [3, 5, 12, 60], notice=["n1", "n2", "n3", "n4"], order=["o1", "o1", "o2", "o2"],
        returned=[1, 0, 1, 0],
    )  # fmt: skip
    return found


def send(lake: Path, source: EventSource, days: list[int], **columns: list[Any]) -> None:
    at = START_US + np.array(days) * DAY_US
    given = {
        name: np.array(values, object if source.field(name).is_text else np.int64) for name, values in columns.items()
    }
    write_events(lake, arrived(source, {**given, "at": at}, at + HOUR_US // 2))


def labelled(lake: Path, view: Any) -> JoinedLabels:
    rows = pl.DataFrame({"order": NAMES, "shopper": ["a", "a", "b", "b"]})
    tables = pin_label_tables(OfflineStore(lake), view)
    return join_labels(rows, START_US + np.array(DAYS) * DAY_US, view, tables, CUTOFF_US)


def test_a_review_counts_before_a_chargeback_and_a_late_chargeback_counts_not_at_all(guide: Any, lake: Path) -> None:
    found = labelled(lake, guide.ORDER_FRAUD)
    assert found.label.to_list() == [1.0, 0.0, 0.0, None]
    assert found.rows.by_source == {"reviews.verdict == 'fraud'": 2, "chargebacks.is_fraud": 1}
    assert (found.rows.without_label, found.counts.outside, found.rows.unknown_label_left_out) == (1, 1, 1)


def test_the_latest_word_on_a_return_counts_and_nothing_after_its_time(guide: Any, lake: Path) -> None:
    found = labelled(lake, guide.ORDER_RETURNS)
    assert found.label.to_list() == [0.0, 1.0, 0.0, None]
    assert (found.rows.without_label, found.counts.outside, found.counts.conflicting) == (1, 1, 2)


def test_orders_after_an_order_say_whether_it_was_the_last_and_what_was_spent(guide: Any, lake: Path) -> None:
    assert labelled(lake, guide.ORDER_IS_LAST).label.to_list() == [0.0, 1.0, 1.0, None]
    assert labelled(lake, guide.NEXT_SPENDING).label.to_list() == [20.0, 0.0, 0.0, None]
