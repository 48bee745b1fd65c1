"""From request and stored values to the matrix: order, passing through, and scalars against arrays."""

import doctest

import numpy as np
import pytest

from shared_features import feature_views, on_demand
from shared_features.feature_matrix import feature_matrix, request_floats
from shared_features.kernel.hashing import text_codes
from tests.domains.machines import BREAKDOWN, HOT_PLANT, MACHINE_HEAT
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
