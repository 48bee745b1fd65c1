import numpy as np
import pytest

from tests.domains.machines import BREAKDOWN
from training.datasets.sampled_inputs import SampledInputs
from training.errors import CertificateError
from training.models.on_demand_parity import certify_on_demand


def machine_inputs():
    random = np.random.default_rng(0)
    request = {field.name: random.normal(size=50) for field in BREAKDOWN.request_fields}
    stored = {group.part_name: random.normal(size=(50, len(group.features))) for group in BREAKDOWN.groups}
    for values in (*request.values(), *stored.values()):
        values[random.random(values.shape) < 0.2] = np.nan
    return SampledInputs(request, stored, random.integers(0, 10**15, 50))


def test_on_demand_functions_are_the_same_on_scalars_and_arrays():
    assert certify_on_demand(BREAKDOWN, machine_inputs(), seed=0) == 2 * (50 + 300)


def view_with(function):
    column = BREAKDOWN.columns[0]
    broken = type(column)(function.__name__, BREAKDOWN.columns[-2].inputs, function)
    return type("View", (), {"columns": (broken,)})()


def test_a_function_that_differs_on_scalars_is_named():
    def mean_of_batch(celsius, celsius_mean_1h):
        return celsius - np.mean(celsius) + 0 * celsius_mean_1h

    def only_arrays(celsius, celsius_mean_1h):
        return celsius.clip(0, 1) + celsius_mean_1h

    with pytest.raises(CertificateError, match=r"mean_of_batch gives .* for inputs"):
        certify_on_demand(view_with(mean_of_batch), machine_inputs(), 0)
    with pytest.raises(CertificateError, match="only_arrays fails on scalars"):
        certify_on_demand(view_with(only_arrays), machine_inputs(), 0)
