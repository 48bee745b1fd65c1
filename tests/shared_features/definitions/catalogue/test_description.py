"""A field, a stored feature and an on-demand feature each say what they are and what they count."""

from dataclasses import replace
from typing import Any

import pytest

from shared_features import (
    Aggregate,
    ApproxDistinct,
    Boolean,
    Condition,
    Count,
    Decimal,
    FeatureView,
    Field,
    Integer,
    Last,
    Max,
    Mean,
    Min,
    Std,
    Sum,
    Text,
    TimeSinceLast,
    Timestamp,
    days,
    hours,
    load_definitions,
    minutes,
    seconds,
)
from shared_features.definitions import (
    describe_column,
    describe_duration,
    describe_feature,
    describe_field,
    describe_function,
)
from tests.shared_features.definitions.orders import FIELDS, SOURCE, group, view

PRICED = replace(SOURCE, fields=(*FIELDS[:-1], replace(FIELDS[-1], unit="euro")))

FIELD_TEXTS: dict[str, Field] = {
    "What it costs, in euro": Field("x", Decimal(2, 0, 9), description="What it costs.", unit="euro"),
    "Number with 1 decimal, 0 to 9, in euro": Field("x", Decimal(1, 0, 9), unit="euro"),
    "Number with 2 decimals, 0.5 to 9": Field("x", Decimal(2, 0.5, 9)),
    "Whole number": Field("x", Integer()),
    "Whole number, 0 to 9": Field("x", Integer(0, 9)),
    "Whole number, 0 or more": Field("x", Integer(low=0)),
    "Whole number, 9 or less": Field("x", Integer(high=9)),
    "True or false": Field("x", Boolean()),
    "Text of at most 20 characters": Field("x", Text(20)),
    "Instant, as milliseconds since 1970 UTC": Field("x", Timestamp("ms")),
    "Instant, as RFC 3339 text with an offset": Field("x", Timestamp("rfc3339")),
}


@pytest.mark.parametrize("says", FIELD_TEXTS)
def test_a_field_is_described_by_its_description_or_its_type(says: str) -> None:
    assert str(describe_field(FIELD_TEXTS[says])) == says


FEATURE_TEXTS: dict[str, Aggregate] = {
    "Mean of price over 7 days, in euro": Aggregate("price", Mean(), (days(7),)),
    "Sum of price over 1 hour, in euro": Aggregate("price", Sum(), (hours(1),)),
    "Standard deviation of price over 1 day, in euro": Aggregate("price", Std(), (days(1),)),
    "Smallest price over 30 minutes, in euro": Aggregate("price", Min(), (minutes(30),)),
    "Greatest price over 36 hours, in euro": Aggregate("price", Max(), (hours(36),)),
    "Latest who over 7 days": Aggregate("who", Last(), (days(7),)),
    "Number of events over 7 days": Aggregate(None, Count(), (days(7),)),
    "Number of events with maybe over 7 days": Aggregate("maybe", Count(), (days(7),)),
    "Time since the latest event over 7 days, in seconds": Aggregate(None, TimeSinceLast(), (days(7),)),
    "Approximate number of different values of who over 7 days": Aggregate("who", ApproxDistinct(), (days(7),)),
    "The usual basket: Mean of price over 7 days, in euro": Aggregate(
        "price", Mean(), (days(7),), description="The usual basket."
    ),
}


@pytest.mark.parametrize("says", FEATURE_TEXTS)
def test_a_stored_feature_is_described_by_what_it_is_made_of(says: str) -> None:
    (feature,) = group(sources=(PRICED,), aggregates=(FEATURE_TEXTS[says],)).features
    assert str(describe_feature(feature)) == says


def test_the_conditions_of_its_group_are_part_of_what_a_feature_is() -> None:
    where = (Condition("price", ">", 60.0), Condition("id", "==", "x"))
    assert (
        str(describe_feature(group(where=where).features[0]))
        == "Mean of price over 1 day where price > 60.0 and id == 'x'"
    )


def ratio(price: Any, price_mean_1d: Any) -> Any:
    """How many times the usual price
    this one is. Unit: ratio; NaN without history.

    >>> ratio(6.0, 3.0)
    2.0
    """
    return price / price_mean_1d


def bare(price: Any) -> Any:
    return price


def test_an_on_demand_function_is_described_by_its_docstring() -> None:
    described = describe_function(ratio)
    assert (described.text, described.unit) == (
        "How many times the usual price this one is. NaN without history",
        "ratio",
    )
    assert str(described).endswith("NaN without history. Unit: ratio")
    assert str(describe_function(bare)) == "Computed by bare"


def test_each_column_of_a_view_is_described() -> None:
    asked = view(source=PRICED, features=("price", group(), ratio))
    assert [str(describe_column(asked, column)) for column in asked.columns] == [
        "Number with 2 decimals, 0 to 100, in euro",
        "Mean of price over 1 day",
        str(describe_function(ratio)),
    ]


def test_a_view_may_pass_the_instant_of_the_request_on() -> None:
    asked = FeatureView("v", 1, SOURCE, ("as_of_us",))
    assert str(describe_column(asked, asked.columns[0])) == "Instant of the request, since 1970 UTC, in microseconds"


def test_durations_are_words() -> None:
    texts = [describe_duration(each) for each in (days(30), hours(24), hours(1), minutes(90), seconds(0.5))]
    assert texts == ["30 days", "1 day", "1 hour", "90 minutes", "500,000 microseconds"]


def test_everything_in_the_reference_domain_is_described() -> None:
    catalogue = load_definitions("shared_features.feature_views")
    assert all(source.description for source in catalogue.sources)
    assert all(field.description for source in catalogue.sources for field in source.fields)
    assert all(group.description and group.entity.description for group in catalogue.groups)
    for asked in catalogue.views:
        assert asked.description
        assert all(column.function is None or column.function.__doc__ for column in asked.columns)
