"""On-demand features as the gate tries them: each row alone, in another order, without and with other later rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView, Input, ViewFeature, call_function
from training.datasets.sampled_inputs import SampledInputs
from training.proofs.leaks.leak import LeakReport, first_of_each
from training.proofs.leaks.trials import choose_cuts, row_leaks

_CUTS = 4


def on_demand_leaks(view: FeatureView, inputs: SampledInputs, seed: int) -> LeakReport:
    """Of every on-demand function of the view, over sampled rows."""
    order = np.argsort(inputs.as_of_us, kind="stable")
    as_of_us = inputs.as_of_us[order]
    columns = [column for column in view.columns if column.function is not None]
    if not columns or not len(as_of_us):
        return LeakReport(checked={"on-demand features": 0})
    given = {column.name: [_input(each, inputs)[order] for each in column.inputs] for column in columns}

    def compute(rows: NDArray[np.int64], altered: NDArray[np.bool_]) -> Mapping[str, NDArray[np.float64]]:
        return {column.name: _called(column, given[column.name], rows, altered) for column in columns}

    leaks = row_leaks(compute, as_of_us, choose_cuts(as_of_us, _CUTS, seed))
    return LeakReport(first_of_each(leaks), {"on-demand features": len(columns)})


def _called(
    column: ViewFeature, inputs: list[NDArray[np.float64]], rows: NDArray[np.int64], altered: NDArray[np.bool_]
) -> NDArray[np.float64]:
    chosen = [_altered(wanted, each[rows], altered) for wanted, each in zip(column.inputs, inputs, strict=True)]
    with np.errstate(all="ignore"):  # as `feature_matrix` computes them
        found = np.asarray(call_function(column, chosen), np.float64)
    return np.broadcast_to(found, rows.shape) if found.ndim == 0 else found


def _altered(wanted: Input, values: NDArray[np.float64], altered: NDArray[np.bool_]) -> NDArray[np.float64]:
    if wanted.field is None and wanted.feature is None:
        return np.where(altered, values + 3_600_000_001, values)
    return np.where(altered, values * 3 + 17, values)


def _input(wanted: Input, inputs: SampledInputs) -> NDArray[Any]:
    if wanted.field is not None:
        return inputs.request[wanted.field]
    if wanted.feature is not None:
        return inputs.stored[wanted.feature.group.part_name][:, wanted.feature.index]
    return inputs.as_of_us
