"""On-demand functions that cannot work are found when definitions are loaded, and named with what to write."""

from typing import Any

import numpy as np
import pytest

from shared_features import (
    Aggregate,
    Count,
    Entity,
    EventSource,
    FeatureGroup,
    FeatureView,
    Field,
    Integer,
    Last,
    Text,
    Timestamp,
    days,
    feature_views,
)
from shared_features.definitions import check_functions
from shared_features.errors import OnDemandError
from tests.domains.machines import BREAKDOWN
from tests.streaming import small_domain

ORDERS = EventSource(
    name="orders",
    topic="orders",
    fields=(
        Field("order", Text()),
        Field("at", Timestamp("us")),
        Field("shopper", Text()),
        Field("plan", Text(), optional=True),
        Field("price", Integer(0, 1000)),
    ),
    event_id="order",
    event_time="at",
)
SHOPPING = FeatureGroup(
    name="shopping",
    version=1,
    entity=Entity("shopper", keys=("shopper",)),
    sources=(ORDERS,),
    aggregates=(Aggregate("plan", Last(), windows=(days(1),)), Aggregate("price", Last(), windows=(days(1),)),
                Aggregate("plan", Count(), windows=(days(1),))),
)  # fmt: skip


def view(*functions: Any) -> FeatureView:
    return FeatureView("churn", 2, ORDERS, features=functions, also_reads=(SHOPPING,))


def is_gold(plan: Any) -> Any:
    return plan == "gold"


def gold_price(plan: Any, price: Any) -> Any:
    return np.where(np.equal(plan, "gold"), price, np.nan)


def is_known_plan(plan: Any) -> Any:
    return np.isin(plan, ["gold", "silver"])


def is_new_plan(plan: Any, plan_last_1d: Any) -> Any:
    unknown = np.isnan(plan) | np.isnan(plan_last_1d)
    return np.where(unknown, np.nan, plan != plan_last_1d)


def plans_per_price(plan_count_1d: Any, price: Any) -> Any:
    return np.divide(plan_count_1d, price)


def day(as_of_us: Any) -> Any:
    return np.floor_divide(as_of_us, 86_400_000_000)


@pytest.mark.parametrize("function", [is_gold, gold_price, is_known_plan, is_new_plan, plans_per_price, day])
def test_what_works_on_one_row_and_on_many_is_accepted(function: Any) -> None:
    check_functions(view(function))


@pytest.mark.parametrize("each", [feature_views.CARD_FRAUD, BREAKDOWN], ids=lambda each: each.label)
def test_the_functions_of_the_domains_are_accepted(each: FeatureView) -> None:
    check_functions(each)


def raises(price: Any) -> Any:
    raise LookupError("no such table")


def divides_by_zero(price: Any) -> Any:
    return 1 // price if np.ndim(price) == 0 else np.floor_divide(1, price)


def only_single_values(price: Any) -> Any:
    return 1.0 if price > 10 else 0.0


def greatest(price: Any, price_last_1d: Any) -> Any:
    return max(price, price_last_1d)


def looks_in(plan: Any) -> Any:
    return plan in ("gold", "silver")


def only_arrays(price: Any) -> Any:
    return price.clip(0, 1)


def index_of_last(price: Any) -> Any:
    return price - price[-1]


def not_of_nothing(price: Any) -> Any:
    return price - np.max(price)


def not_of_missing(price: Any) -> Any:
    return int(price) if np.ndim(price) == 0 else np.floor(price)


def a_text(price: Any) -> Any:
    return np.where(price > 10, "much", "little")


def its_text(plan: Any) -> Any:
    return plan


def nothing(price: Any) -> Any:
    return None


def a_mask(price: Any) -> Any:
    return np.ma.masked_less(price, 10)


def complex_numbers(price: Any) -> Any:
    return np.sqrt(price + 0j)


def a_constant(price: Any) -> Any:
    return 1.0


def of_the_batch(price: Any) -> Any:
    return np.mean(price)


def in_two_columns(price: Any) -> Any:
    return np.stack([price, price])


def changes_its_input(price: Any) -> Any:
    price += 1.0
    return price


def rank_of_plan(plan: Any) -> Any:
    return plan + 1.0


def lower_plan(plan: Any) -> Any:
    return plan.lower() == "gold"


def plan_number(plan: Any) -> Any:
    return plan == 7


def price_text(price: Any) -> Any:
    return price == "gold"


def missing_price(price: Any) -> Any:
    return np.where(np.isnan(price) | (price is None), 0.0, price)


BROKEN = {
    raises: "'raises' raises LookupError: no such table, called with arrays",
    divides_by_zero: "'divides_by_zero' raises ZeroDivisionError.* called with single values.* np.divide",
    only_single_values: r"'only_single_values' raises ValueError.* called with arrays.* np.where\(x > 0, a, b\) for",
    greatest: r"'greatest' raises ValueError.* called with arrays.* np.maximum\(a, b\) for max",
    looks_in: r"'looks_in' raises ValueError.* called with arrays.* np.isin\(x, ",
    only_arrays: "'only_arrays' raises AttributeError: 'float' object has no attribute 'clip', called with single",
    index_of_last: "'index_of_last' raises TypeError.* called with single values",
    not_of_nothing: "'not_of_nothing' raises ValueError.* called with empty arrays",
    not_of_missing: "'not_of_missing' raises ValueError.*NaN.* called with single values",
    a_text: "'a_text' gives texts, called with arrays. Give real numbers",
    its_text: "'its_text' gives a text, called with arrays. Give a number, as in np.where",
    nothing: "'nothing' gives None, called with arrays",
    a_mask: "'a_mask' gives a masked array, called with arrays. Give NaN where",
    complex_numbers: "'complex_numbers' gives complex numbers",
    a_constant: r"'a_constant' gives shape \(\) for inputs of shape \(3,\), called with arrays. Give one value",
    of_the_batch: r"'of_the_batch' gives shape \(\) for inputs of shape \(3,\)",
    in_two_columns: r"'in_two_columns' gives shape \(2, 3\)",
    changes_its_input: "'changes_its_input' raises .*read-only, called with arrays",
    rank_of_plan: "'rank_of_plan' raises TypeError.* called with arrays",
    lower_plan: "'lower_plan' raises AttributeError: a text has no 'lower' .* Use ==, !=, np.isin",
    plan_number: "'plan_number' raises TypeError: a text is compared with texts, found 7",
    price_text: r"'price_text' compares a number with a text \(np.equal\), which are never equal",
    missing_price: r"'missing_price' asks for the identity of 'price' by `is`.* Write np.isnan\(price\)",
}


@pytest.mark.parametrize("function", BROKEN, ids=lambda each: each.__name__)
def test_what_cannot_work_is_named_with_what_to_write(function: Any) -> None:
    with pytest.raises(OnDemandError, match=f"^feature view churn:v2: on-demand function {BROKEN[function]}"):
        check_functions(view(is_gold, function))


def test_every_function_that_cannot_work_is_named_at_once() -> None:
    with pytest.raises(OnDemandError, match=r"'raises' raises .*'nothing' gives None"):
        check_functions(view(raises, is_gold, nothing))


def test_a_view_without_functions_is_accepted() -> None:
    for each in vars(small_domain).values():
        if isinstance(each, FeatureView):
            check_functions(each)
