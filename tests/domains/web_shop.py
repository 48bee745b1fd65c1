"""A web shop: clicks, orders and returns. Text keys, categories, fields that may be null, and three kinds of entities.

The question: will this order be returned? What the shop learns of an order comes days later, and may be corrected.
"""

from typing import Any

import numpy as np

from shared_features import (
    Aggregate,
    ApproxDistinct,
    Boolean,
    Condition,
    Count,
    Decimal,
    Entity,
    EventSource,
    FeatureGroup,
    FeatureView,
    Field,
    Integer,
    LabelSource,
    Last,
    Max,
    Mean,
    Std,
    Text,
    TimeSinceLast,
    Timestamp,
    days,
    hours,
    minutes,
)

VISITOR = Entity("visitor", keys=("visitor",), description="Somebody who looks at the shop, with an account or not.")
PRODUCT = Entity("product", keys=("product",))
CATEGORY = Entity("category", keys=("category",))

CLICKS = EventSource(
    name="clicks",
    topic="shop.clicks",
    fields=(
        Field("click", Text(max_length=36)),
        Field("at", Timestamp("ms")),
        Field("visitor", Text(max_length=36)),
        Field("product", Text(max_length=40), optional=True, description="Missing on a page without a product."),
        Field("page", Text(max_length=12), description="home, search, product or basket."),
        Field("looked", Decimal(decimals=1, low=0, high=3_600), optional=True, unit="seconds"),
        Field("campaign", Text(max_length=20), optional=True, description="What brought the visitor here."),
    ),
    event_id="click",
    event_time="at",
)

ORDERS = EventSource(
    name="orders",
    topic="shop.orders",
    fields=(
        Field("order", Text(max_length=36)),
        Field("at", Timestamp("rfc3339")),
        Field("visitor", Text(max_length=36)),
        Field("product", Text(max_length=40)),
        Field("category", Text(max_length=20), description="shoes, clothes, books or garden."),
        Field("price", Decimal(decimals=2, low=0.01, high=100_000), unit="euro"),
        Field("quantity", Integer(low=1, high=1_000)),
        Field("gift", Boolean()),
        Field("coupon", Text(max_length=20), optional=True),
    ),
    event_id="order",
    event_time="at",
    tolerated_future=minutes(2),
)

RETURNS = EventSource(
    name="returns",
    topic="shop.returns",
    fields=(
        Field("notice", Text(max_length=36)),
        Field("at", Timestamp("ms")),
        Field("order", Text(max_length=36)),
        Field("product", Text(max_length=40)),
        Field("returned", Boolean()),
        Field("why", Text(max_length=20), optional=True),
    ),
    event_id="notice",
    event_time="at",
)

VISITOR_CLICKS = FeatureGroup(
    name="visitor_clicks",
    version=1,
    entity=VISITOR,
    sources=(CLICKS,),
    aggregates=(
        Aggregate(None, Count(), windows=(minutes(30), days(1))),
        Aggregate("product", ApproxDistinct(), windows=(days(1),)),
        Aggregate("looked", Mean(), windows=(days(1),)),
        Aggregate("campaign", Last(), windows=(days(7),)),
        Aggregate(None, TimeSinceLast(), windows=(days(7),)),
    ),
    shards=2,
)

VISITOR_ORDERS = FeatureGroup(
    name="visitor_orders",
    version=1,
    entity=VISITOR,
    sources=(ORDERS,),
    aggregates=(
        Aggregate("price", Mean(), windows=(days(7),)),
        Aggregate("price", Std(), windows=(days(7),)),
        Aggregate("quantity", Max(), windows=(days(7),)),
        Aggregate("coupon", Count(), windows=(days(7),)),
    ),
    shards=2,
)

PRODUCT_ORDERS = FeatureGroup(
    name="product_orders",
    version=1,
    entity=PRODUCT,
    sources=(ORDERS,),
    aggregates=(Aggregate(None, Count(), windows=(hours(6), days(7))),),
    shards=1,
)

PRODUCT_RETURNS = FeatureGroup(
    name="product_returns",
    version=1,
    entity=PRODUCT,
    sources=(RETURNS,),
    aggregates=(Aggregate(None, Count(), windows=(days(7),)),),
    where=(Condition("returned", "==", True),),
    shards=1,
)

CATEGORY_GIFTS = FeatureGroup(
    name="category_gifts",
    version=1,
    entity=CATEGORY,
    sources=(ORDERS,),
    aggregates=(Aggregate("gift", Mean(), windows=(days(7),)), Aggregate("visitor", ApproxDistinct(k=64), (days(7),))),
    shards=1,
)


def price_over_mean_7d(price: Any, price_mean_7d: Any) -> Any:
    """How many times the visitor's usual price this one is. NaN without history."""
    return np.divide(price, price_mean_7d)


def returns_per_order(product_returns__count_7d: Any, product_orders__count_7d: Any) -> Any:
    """Returns of the product over its orders, both of a week. NaN for a product without orders."""
    orders = np.maximum(product_orders__count_7d, 1.0)
    return np.where(product_orders__count_7d > 0, np.divide(product_returns__count_7d, orders), np.nan)


def is_worn(category: Any) -> Any:
    """1.0 for what a buyer tries on."""
    return np.where(np.isin(category, ["shoes", "clothes"]), 1.0, 0.0)


def came_by_newsletter(campaign_last_7d: Any) -> Any:
    """Whether the visitor's latest campaign is the newsletter. NaN for a visitor without a campaign."""
    return np.where(np.isnan(campaign_last_7d), np.nan, np.where(campaign_last_7d == "newsletter", 1.0, 0.0))


ORDER_RETURN = FeatureView(
    name="order_return",
    version=1,
    source=ORDERS,
    features=("price", "quantity", "gift", VISITOR_CLICKS["count_30m"], VISITOR_CLICKS["product_approx_distinct_1d"],
              VISITOR_CLICKS["looked_mean_1d"], VISITOR_CLICKS["time_since_last_7d"], VISITOR_ORDERS, PRODUCT_ORDERS,
              CATEGORY_GIFTS, price_over_mean_7d, returns_per_order, is_worn, came_by_newsletter),
    labels=LabelSource(RETURNS, value="returned", join="order", delay=days(2)),
    also_reads=(PRODUCT_RETURNS,),
)  # fmt: skip
