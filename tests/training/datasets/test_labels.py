"""Labels as they were known at an instant, compared with a naive reading of the same label events."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from shared_features import Condition, Decimal, EventSource, Field, LabelSource, Text, Timestamp, days
from shared_features.kernel.event_time import DAY_US, HOUR_US
from tests.domains.machines import BREAKDOWN, BREAKDOWNS
from tests.training.lake import arrived, write_events
from training.datasets.labels import KnownLabels, read_labels
from training.datasets.offline_store import OfflineStore

START_US = 20_000 * DAY_US


class Told(NamedTuple):
    """A label event as it was delivered: its id, of which reading, when it happened, when it arrived, what it says."""

    report: str
    reading: str
    at_us: int
    arrival_us: int
    broke: int


def read(lake: Path, told: list[Told], cutoff_us: int = START_US + 1000 * DAY_US) -> KnownLabels:
    columns: dict[str, Any] = {
        "report": np.array([each.report for each in told], object),
        "at": np.array([each.at_us for each in told], np.int64),
        "reading": np.array([each.reading for each in told], object),
        "broke": np.array([each.broke for each in told], np.int64),
    }
    write_events(lake, arrived(BREAKDOWNS, columns, [each.arrival_us for each in told]))
    assert BREAKDOWN.predicted is not None
    return read_labels(BREAKDOWN.predicted, OfflineStore(lake).pin_events(BREAKDOWNS), cutoff_us)


def labels(known: KnownLabels, before_us: int | None = None) -> dict[str, float]:
    resolved = known.resolve(before_us)
    return dict(zip(resolved["reading"].to_list(), resolved["label"].to_list(), strict=True))


def naive(told: list[Told], before_us: int) -> dict[str, float]:
    """Event by event, in the order of arrival: a delivered copy says nothing new, a label replaces an older one."""
    met: set[tuple[Any, ...]] = set()
    found: dict[str, Told] = {}
    for each in sorted(told, key=lambda each: each.arrival_us):  # a stable sort, as topics keep their order
        content = (each.report, each.reading, each.at_us, each.broke)
        if each.arrival_us < before_us and content not in met:
            met.add(content)
            if each.reading not in found or each.at_us >= found[each.reading].at_us:
                found[each.reading] = each
    return {reading: float(each.broke) for reading, each in found.items()}


def test_of_labels_of_one_event_time_the_one_that_arrived_last_is_the_label(tmp_path: Path) -> None:
    first = [Told(f"b{n}", f"r{n}", START_US, START_US + n, n % 2) for n in range(40)]
    later = [Told(f"c{n}", f"r{n}", START_US, START_US + DAY_US + n, 1 - n % 2) for n in range(40)]
    known = read(tmp_path, first + later)
    assert labels(known) == {f"r{n}": 1.0 - n % 2 for n in range(40)}
    assert known.conflicts == 40
    assert labels(known, before_us=START_US + DAY_US) == {f"r{n}": float(n % 2) for n in range(40)}


def test_a_label_is_known_once_it_has_arrived_whenever_it_happened(tmp_path: Path) -> None:
    known = read(tmp_path, [Told("b0", "r0", START_US, START_US + 5 * HOUR_US, 1)])
    assert labels(known, before_us=START_US + 5 * HOUR_US) == {}
    assert labels(known, before_us=START_US + 5 * HOUR_US + 1) == {"r0": 1.0}


def test_a_label_that_is_delivered_again_does_not_undo_a_correction(tmp_path: Path) -> None:
    wrong = Told("b0", "r0", START_US, START_US + 1, 1)
    corrected = Told("c0", "r0", START_US, START_US + 2, 0)
    known = read(tmp_path, [wrong, corrected, wrong._replace(arrival_us=START_US + 3)])
    assert labels(known) == {"r0": 0.0}


def test_labels_equal_a_naive_reading_of_the_same_events(tmp_path: Path) -> None:
    for seed in range(3):
        chosen = random.Random(seed)
        told = []
        for number in range(60):
            at_us = START_US + chosen.randrange(4) * HOUR_US
            arrival_us = at_us + chosen.randrange(-1, 8) * HOUR_US + number
            told.append(Told(f"b{number}", f"r{chosen.randrange(9)}", at_us, arrival_us, chosen.randrange(2)))
        told += [each._replace(arrival_us=each.arrival_us + HOUR_US) for each in chosen.sample(told, 15)]
        known = read(tmp_path / str(seed), told)
        for hour in range(-1, 14):
            instant_us = START_US + hour * HOUR_US
            assert labels(known, instant_us) == naive(told, instant_us), f"seed {seed}, hour {hour}"


ORDERS = EventSource(
    name="order_states",
    topic="order_states",
    fields=(
        Field("order", Text(8)),
        Field("at", Timestamp()),
        Field("status", Text(16), optional=True),
        Field("refund", Decimal(decimals=2, low=0, high=100), optional=True),
    ),
    event_id="order",
    event_time="at",
)
STATES = (("a", "sent", 0), ("a", "returned", 500), ("b", "sent", 501), ("c", None, 502), ("d", "returned", None))


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (Condition("status", "==", "returned"), {"a": 1.0, "b": 0.0, "d": 1.0}),
        (Condition("status", "!=", "returned"), {"a": 0.0, "b": 1.0, "d": 0.0}),
        (Condition("refund", ">", 5), {"a": 0.0, "b": 1.0, "c": 1.0}),
        (Condition("refund", ">=", 5.005), {"a": 0.0, "b": 1.0, "c": 1.0}),
    ],
)
def test_a_condition_says_which_outcomes_are_true(
    tmp_path: Path, condition: Condition, found: dict[str, float]
) -> None:
    """The last state of an order counts. An order of which the field is missing has no label."""
    columns = {
        "order": np.array([order for order, _, _ in STATES], object),
        "at": START_US + np.arange(len(STATES)),
        "status": np.array([status or "" for _, status, _ in STATES], object),
        "refund": np.array([refund or 0 for _, _, refund in STATES], np.int64),
    }
    valid = {"status": [status is not None for _, status, _ in STATES], "refund": [r is not None for _, _, r in STATES]}
    write_events(tmp_path, arrived(ORDERS, columns, columns["at"], valid))
    source = LabelSource(ORDERS, value=condition, join="order", delay=days(1))
    known = read_labels(source, OfflineStore(tmp_path).pin_events(ORDERS), START_US + DAY_US)
    resolved = known.resolve()
    assert dict(zip(resolved["order"].to_list(), resolved["label"].to_list(), strict=True)) == found
