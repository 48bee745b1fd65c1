"""The example of a project without a file: a web shop, its orders, and whether they are returned."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Mapping

from shared_features.kernel.event_time import DAY_US, SECOND_US, to_text

FILE = "orders.csv"
ORDERS = 5_000
MAPS: Mapping[str, str] = {"returns.at": "returned_at"}
"""SOURCE.FIELD -> column, for --map."""

_HISTORY_DAYS, _OUTCOME_DAYS = 40, 2
_CATEGORIES = ("shoes", "clothes", "books", "garden")

_MODULE = '''\
"""What a web shop tells and asks: orders, and whether an order is returned."""

from typing import Any

import numpy as np

from shared_features import (
    Aggregate,
    ApproxDistinct,
    Boolean,
    Count,
    Decimal,
    Entity,
    EventSource,
    FeatureGroup,
    FeatureView,
    Field,
    LabelSource,
    Max,
    Mean,
    Text,
    TimeSinceLast,
    Timestamp,
    days,
    hours,
)

SHOPPER = Entity("shopper", keys=("shopper",), description="Somebody who buys in the shop.")

ORDERS = EventSource(
    name="orders",
    topic="TOPIC.orders",
    fields=(
        Field("order", Text(max_length=36)),
        Field("at", Timestamp("rfc3339"), description="When the order was placed."),
        Field("shopper", Text(max_length=36)),
        Field("category", Text(max_length=20), description="shoes, clothes, books or garden."),
        Field("price", Decimal(decimals=2, low=0, high=100_000), unit="euro"),
        Field("coupon", Text(max_length=20), optional=True),
    ),
    event_id="order",
    event_time="at",
)

RETURNS = EventSource(
    name="returns",
    topic="TOPIC.returns",
    fields=(
        Field("order", Text(max_length=36)),
        Field("at", Timestamp("rfc3339"), description="When the shop knew the outcome."),
        Field("returned", Boolean()),
    ),
    event_id="order",
    event_time="at",
)

SHOPPER_ORDERS = FeatureGroup(
    name="shopper_orders",
    version=1,
    entity=SHOPPER,
    sources=(ORDERS,),
    aggregates=(
        Aggregate(None, Count(), windows=(hours(1), days(1), days(7))),
        Aggregate("price", Mean(), windows=(days(1), days(7))),
        Aggregate("price", Max(), windows=(days(7),)),
        Aggregate("category", ApproxDistinct(), windows=(days(7),)),
        Aggregate(None, TimeSinceLast(), windows=(days(7),)),
    ),
)


def price_over_usual(price: Any, price_mean_7d: Any) -> Any:
    """How many times the usual price of the shopper this one is. NaN without history."""
    return np.divide(price, price_mean_7d)


def is_worn(category: Any) -> Any:
    """1.0 for what a shopper tries on."""
    return np.where(np.isin(category, ["shoes", "clothes"]), 1.0, 0.0)


ORDER_RETURN = FeatureView(
    name="NAME",
    version=1,
    source=ORDERS,
    features=("price", SHOPPER_ORDERS, price_over_usual, is_worn),
    labels=LabelSource(RETURNS, value="returned", join="order", delay=days(2)),
)
'''


def module_text(project: str) -> str:
    """The definitions of the example."""
    return _MODULE.replace("TOPIC", project.replace("_", "-")).replace("NAME", project)


def orders_csv(now_us: int) -> str:
    """Orders of the last weeks, the same for the same instant, with their outcomes. What is worn returns more often."""
    drawn = random.Random(7)  # an example, no secret
    step_us = (_HISTORY_DAYS - _OUTCOME_DAYS) * DAY_US // ORDERS
    began_us = now_us // SECOND_US * SECOND_US - _HISTORY_DAYS * DAY_US
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("order", "at", "shopper", "category", "price", "coupon", "returned_at", "returned"))
    for number in range(ORDERS):
        at_us = began_us + number * step_us
        category = drawn.choice(_CATEGORIES)
        price = round(drawn.lognormvariate(3.5, 0.6), 2)
        returned = drawn.random() < (0.4 if category in _CATEGORIES[:2] else 0.05) + (0.2 if price > 60 else 0.0)
        table.writerow((
            f"o{number}", to_text(at_us), f"s{drawn.randrange(300)}", category, f"{price:.2f}",
            "SPRING" if drawn.random() < 0.2 else "", to_text(at_us + _OUTCOME_DAYS * DAY_US), str(returned).lower(),
        ))  # fmt: skip
    return text.getvalue()
