"""From request and stored values to the matrix: order, passing through, and scalars against arrays."""

import doctest
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from shared_features import FeatureView, feature_views, on_demand
from shared_features.feature_matrix import feature_matrix, request_floats
from shared_features.kernel.hashing import text_codes
from tests.domains.machines import BREAKDOWN, HOT_PLANT, MACHINE_HEAT
from tests.shared_features.definitions.views.test_function_trial import ORDERS, SHOPPING
from tests.shared_features.formats.test_events import READING, batch


def test_columns_stand_in_the_order_of_the_view() -> None:
    events = batch([READING, {**READING, "humidity": None, "firmware": None}])
    heat = np.arange(2 * len(MACHINE_HEAT.features), dtype=float).reshape(2, -1)
    heat[0, MACHINE_HEAT["firmware_last_1d"].index] = text_codes(["b"])[0]
    plant = -np.ones((2, len(HOT_PLANT.features)))
    request = request_floats(events.source, events.columns, events.valid)
    matrix = feature_matrix(BREAKDOWN, request, events.event_time_us, {"machine_heat": heat, "hot_plant": plant})
    assert matrix.dtype == np.float32
    mean = heat[:, MACHINE_HEAT["celsius_mean_1h"].index]
    assert matrix[:, 0].tolist() == [21.5, 21.5]
    assert matrix[0, 1] == 0.5
    assert np.isnan(matrix[1, 1])
    assert matrix[:, 2].tolist() == mean.tolist()
    names = [column.name for column in BREAKDOWN.columns]
    assert matrix[:, names.index("above_mean_1h")].tolist() == (21.5 - mean).tolist()
    assert matrix[0, -1] == 1.0
    assert np.isnan(matrix[1, -1])


def gold_price(plan: Any, price: Any) -> Any:
    return np.where(plan == "gold", price, np.nan)


def is_paid(plan: Any) -> Any:
    return np.isin(plan, ["gold", "silver"])


def is_new_plan(plan: Any, plan_last_1d: Any) -> Any:
    return np.where(np.isnan(plan_last_1d), np.nan, plan != plan_last_1d)


PLANS = FeatureView("plans", 1, ORDERS, features=(gold_price, is_paid, is_new_plan), also_reads=(SHOPPING,))
WORDS = st.none() | st.sampled_from(["gold", "silver", "basic", "", "gölden", "gold "])


@given(st.lists(st.tuples(WORDS, WORDS, st.integers(0, 1000)), min_size=1, max_size=20))
def test_a_text_is_compared_as_a_text_in_a_batch_and_row_by_row(rows: list[tuple[str | None, str | None, int]]) -> None:
    """Training computes arrays, and serving what was asked together: the bits are those of plain Python on one row."""

    def matrix(some: list[tuple[str | None, str | None, int]]) -> Any:
        plans = np.array([plan for plan, _, _ in some] + [""], object)[:-1]
        columns = {"plan": plans, "price": np.array([price for _, _, price in some])}
        request = request_floats(ORDERS, columns, {"plan": np.array([plan is not None for plan, _, _ in some])})
        last = [np.nan if last is None else float(text_codes([last])[0]) for _, last, _ in some]
        stored = np.zeros((len(some), len(SHOPPING.features)))
        stored[:, SHOPPING["plan_last_1d"].index] = last
        return feature_matrix(PLANS, request, np.zeros(len(some), np.int64), {"shopping": stored})

    expected = [
        (price if plan == "gold" else np.nan, plan in ("gold", "silver"), np.nan if last is None else plan != last)
        for plan, last, price in rows
    ]
    assert_array_equal(matrix(rows), np.array(expected, np.float32))
    assert matrix(rows).tobytes() == b"".join(matrix([row]).tobytes() for row in rows)


def test_the_examples_of_the_on_demand_functions_hold() -> None:
    assert doctest.testmod(on_demand).failed == 0


FUNCTIONS = [column for column in feature_views.CARD_FRAUD.columns if column.function is not None]


@pytest.mark.parametrize("column", FUNCTIONS, ids=lambda column: column.name)
def test_an_on_demand_function_gives_scalars_and_arrays_the_same_bits(column) -> None:
    random = np.random.default_rng(7)
    values = np.concatenate([random.normal(50, 40, 40), [0.0, np.nan, -0.0, 1e6, 1e-9]])
    instants = random.integers(0, 2**51, len(values))
    inputs = [
        instants if each.field is None and each.feature is None else random.permutation(values)
        for each in column.inputs
    ]
    with np.errstate(all="ignore"):
        whole = np.asarray(column.function(*inputs), np.float64)
        single = [float(column.function(*(each[row] for each in inputs))) for row in range(len(values))]
    assert np.array(single).tobytes() == np.broadcast_to(whole, len(values)).tobytes()
