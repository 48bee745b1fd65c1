"""From request fields and stored feature values to the float32 matrix a model sees, for serving and training alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import EventSource, FeatureView, Input, ViewFeature, call_function
from shared_features.kernel.hashing import text_codes
from shared_features.kernel.vocabulary import Vocabulary

Floats = NDArray[np.float64]


def request_floats(
    source: EventSource, columns: Mapping[str, NDArray[Any]], valid: Mapping[str, NDArray[np.bool_]]
) -> dict[str, Floats]:
    """Event columns (see `formats.events`) as float64 in the field's own unit: a text as its code, missing as NaN."""
    floats: dict[str, Floats] = {}
    for name, column in columns.items():
        field = source.field(name)
        steps = text_codes(column.tolist()) if field.is_text else column
        floats[name] = np.asarray(steps, np.float64) / field.scale
        if name in valid:
            floats[name] = np.where(valid[name], floats[name], np.nan)
    return floats


def feature_matrix(
    view: FeatureView,
    request: Mapping[str, Floats],
    as_of_us: NDArray[np.int64],
    stored: Mapping[str, Floats],
) -> NDArray[np.float32]:
    """float32[n, features] in the view's order.

    request: field name -> float64[n]. as_of_us: int64[n]. stored: part name of a group -> float64[n, features of
    the part] as the kernel reads them. On-demand functions see float64; the model sees their float32.
    Categories are NaN: `place_categories` fills them for a model. Raises OnDemandError when a function raises.
    """
    matrix = np.empty((len(as_of_us), len(view.columns)), np.float32)
    with np.errstate(all="ignore"):  # 0/0 and overflow are NaN and infinity by rule, not a warning
        for run in view.stored_runs:
            floats = stored[run.group.part_name]
            matrix[:, run.first : run.stop] = floats[:, run.start : run.start + run.stop - run.first]
        for index, column in view.computed:
            if column.category is not None:
                matrix[:, index] = np.nan
                continue
            inputs = [_values(each, request, as_of_us, stored) for each in column.inputs]
            matrix[:, index] = column_values(column, inputs)
    return matrix


def column_values(column: ViewFeature, inputs: Sequence[NDArray[Any]]) -> Any:
    """What a column is for the values of its inputs, as float64. Raises OnDemandError when its function raises."""
    return inputs[0] if column.function is None else call_function(column, inputs)


def category_codes(view: FeatureView, request: Mapping[str, Floats], stored: Mapping[str, Floats]) -> Floats:
    """float64[n, categories]: of each category of the view, in order: a text as its code, a number as itself.

    Missing is NaN. A column of the matrix cannot hold it: of the 52 bits of a text's code, a float32 has 24.
    """
    nothing = np.empty(0, np.int64)
    columns = [_values(each.inputs[0], request, nothing, stored) for _, each in view.categories]
    return np.stack(columns, axis=1) if columns else np.empty((0, 0))


def place_categories(
    matrix: NDArray[np.float32], codes: Floats, vocabularies: Sequence[tuple[int, Vocabulary]]
) -> NDArray[np.float32]:
    """The matrix as a model sees it: in the column of each category the place of its value.

    codes: `category_codes`. vocabularies: column of the matrix and vocabulary of each category, in the same order.
    """
    if not vocabularies:
        return matrix
    whole = matrix.copy()
    for at, (column, vocabulary) in enumerate(vocabularies):
        whole[:, column] = vocabulary.places(codes[:, at])
    return whole


def _values(
    wanted: Input, request: Mapping[str, Floats], as_of_us: NDArray[np.int64], stored: Mapping[str, Floats]
) -> NDArray[Any]:
    if wanted.field is not None:
        return request[wanted.field]
    if wanted.feature is not None:
        return stored[wanted.feature.group.part_name][:, wanted.feature.index]
    return as_of_us
