"""Are on-demand functions the same on one value as on many? A request is one row, a training dataset is an array."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView, Input, ViewFeature, call_function
from shared_features.errors import OnDemandError
from shared_features.kernel.event_time import DAY_US
from training.datasets.sampled_inputs import SampledInputs
from training.errors import CertificateError

_EDGES = np.array([np.nan, 0.0, -0.0, 1.0, -1.0, 0.1, 1e-300, 1e300, -1e300, np.inf, -np.inf])
_EDGE_TIMES = np.array([-DAY_US - 1, -1, 0, 1, DAY_US - 1, DAY_US, 20_000 * DAY_US + 1], np.int64)
_EDGE_ROWS = 300


def certify_on_demand(view: FeatureView, inputs: SampledInputs, seed: int) -> int:
    """Compute every on-demand feature from scalars, from arrays of one and from whole arrays; how many values.

    Inputs are sampled rows and combinations of extremes, NaN among them. Raises CertificateError at the first value
    whose bits differ, or where a function does not take scalars. Two NaN are equal.
    """
    cases = 0
    for column in view.columns:
        if column.function is None:
            continue
        for arrays in _input_sets(column, inputs, np.random.default_rng(seed)):
            _compare(column, arrays)
            cases += len(arrays[0]) if arrays else 0
    return cases


def _input_sets(
    column: ViewFeature, inputs: SampledInputs, random: np.random.Generator
) -> Iterator[list[NDArray[Any]]]:
    yield [_sampled(each, inputs) for each in column.inputs]
    yield [
        random.choice(_EDGE_TIMES if each.field is None and each.feature is None else _EDGES, _EDGE_ROWS)
        for each in column.inputs
    ]


def _sampled(wanted: Input, inputs: SampledInputs) -> NDArray[Any]:
    if wanted.field is not None:
        return inputs.request[wanted.field]
    if wanted.feature is not None:
        return inputs.stored[wanted.feature.group.part_name][:, wanted.feature.index]
    return inputs.as_of_us


def _compare(column: ViewFeature, arrays: list[NDArray[Any]]) -> None:
    rows = len(arrays[0]) if arrays else 0
    with np.errstate(all="ignore"):  # as `feature_matrix` computes them
        whole = np.asarray(call_function(column, arrays), np.float64)
        try:
            singles = zip(*(each.tolist() for each in arrays), strict=True)
            scalars = [float(call_function(column, row)) for row in singles]
        except (OnDemandError, TypeError, ValueError) as error:
            raise CertificateError(
                f"On-demand function {column.name} fails on scalars: {error}. Write it with numpy's functions, which "
                "take floats and arrays alike."
            ) from error
        ones = [
            np.asarray(call_function(column, [each[row : row + 1] for each in arrays]), np.float64)
            for row in range(rows)
        ]
    if whole.shape != (rows,):
        raise CertificateError(
            f"On-demand function {column.name} gives shape {whole.shape} for {rows} rows. Give one value for each row, "
            f"as shape ({rows},)."
        )
    one_by_one = np.concatenate(ones) if ones else np.empty(0)
    for kind, found in (("scalars", np.array(scalars, np.float64)), ("arrays of one", one_by_one)):
        same = (found.view(np.int64) == whole.view(np.int64)) | (np.isnan(found) & np.isnan(whole))
        if not same.all():
            at = int(np.flatnonzero(~same)[0])
            raise CertificateError(
                f"On-demand function {column.name} gives {float(found[at])!r} from {kind} and {float(whole[at])!r} "
                f"from an array, for inputs {[each[at].item() for each in arrays]}. Use operations that round alike."
            )
