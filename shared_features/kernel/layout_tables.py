"""A layout as arrays: what the compiled loops are driven by instead of by names."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features.kernel.feature_spec import Column, FeatureSpec
from shared_features.kernel.loops.finalize import finalizer_address
from shared_features.kernel.loops.registers import KINDS, Register

UNBOUNDED = 1 << 62
"""The size of a set that keeps everything."""

EVENT = -1
"""The column of the events themselves: never missing, its value is the event time."""

Key = tuple[Register, int, int]


class LayoutTables(NamedTuple):
    """The arrays; a tile's row is the lengths of its sets, then its registers' words, kind after kind.

    Set 0 holds the digests of the tile's events, so its length is the number of events.
    """

    hops: NDArray[np.int64]  # [levels]
    keeps: NDArray[np.int64]  # [levels]
    head_us: np.int64  # events not older than this before the newest one are in no tile
    set_columns: NDArray[np.int64]  # [sets]
    set_sizes: NDArray[np.int64]  # [sets]
    kind_bounds: NDArray[np.int64]  # [kinds + 1] -> registers
    word_bounds: NDArray[np.int64]  # [kinds + 1] -> words of the row
    register_columns: NDArray[np.int64]  # [registers]
    empty_row: NDArray[np.int64]  # [words]
    window_lengths: NDArray[np.int64]  # [windows]
    window_hops: NDArray[np.int64]  # [windows]
    window_bounds: NDArray[np.int64]  # [windows + 1] -> features
    feature_outputs: NDArray[np.int64]  # [features]: column of the result, window after window
    feature_places: NDArray[np.int64]  # [features, most registers]: where in the row its registers are
    feature_scales: NDArray[np.int64]  # [features]: 10**decimals
    finalizers: NDArray[np.int64]  # [features]: addresses of machine code


def layout_tables(
    columns: Sequence[Column],
    features: Sequence[FeatureSpec],
    hops_us: Sequence[int],
    keeps_us: Sequence[int],
    head_us: int,
) -> LayoutTables:
    """The arrays of a layout of these columns and features."""
    registers, sets = _keys(features)
    kind_bounds, word_bounds = [0], [len(sets)]
    for kind in KINDS:
        count = sum(key[0] is kind for key in registers)
        kind_bounds.append(kind_bounds[-1] + count)
        word_bounds.append(word_bounds[-1] + count * KINDS[kind].words)
    places = {key: index for index, key in enumerate(sets)}
    word = len(sets)
    empty = [0] * len(sets)
    for key in registers:
        places[key] = word
        word += KINDS[key[0]].words
        empty += KINDS[key[0]].empty
    windows = sorted({(feature.length_us, feature.hop_us) for feature in features})
    order = sorted(range(len(features)), key=lambda i: (windows.index(_window(features[i])), i))
    per_window = [sum(_window(feature) == window for feature in features) for window in windows]
    return LayoutTables(
        hops=_array(hops_us),
        keeps=_array(keeps_us),
        head_us=np.int64(head_us),
        set_columns=_array([key[1] for key in sets]),
        set_sizes=_array([key[2] for key in sets]),
        kind_bounds=_array(kind_bounds),
        word_bounds=_array(word_bounds),
        register_columns=_array([key[1] for key in registers]),
        empty_row=_array(empty),
        window_lengths=_array([length for length, _ in windows]),
        window_hops=_array([hop for _, hop in windows]),
        window_bounds=_array(np.cumsum([0, *per_window])),
        feature_outputs=_array(order),
        feature_places=_places([features[i] for i in order], places),
        feature_scales=_array([_scale(columns, features[i]) for i in order]),
        finalizers=_array([finalizer_address(type(features[i].aggregation).finalize) for i in order]),
    )


def _keys(features: Sequence[FeatureSpec]) -> tuple[list[Key], list[Key]]:
    """The distinct registers in the order of their words, and the distinct sets, the one of digests first."""
    needed = {key for feature in features for key in _needs(feature)}
    registers = sorted(key for key in needed if key[0] is not Register.DISTINCT)
    sets = sorted(key for key in needed if key[0] is Register.DISTINCT)
    return registers, [(Register.DISTINCT, EVENT, UNBOUNDED), *sets]


def _needs(feature: FeatureSpec) -> list[Key]:
    column = EVENT if feature.column is None else feature.column
    return [
        (register, column, feature.aggregation.set_size if register is Register.DISTINCT else 0)
        for register in feature.aggregation.registers
    ]


def _places(features: Sequence[FeatureSpec], places: dict[Key, int]) -> NDArray[np.int64]:
    found = [[places[key] for key in _needs(feature)] for feature in features]
    most = max(map(len, found))
    return _array([[*each, *[0] * (most - len(each))] for each in found])


def _scale(columns: Sequence[Column], feature: FeatureSpec) -> int:
    return 1 if feature.column is None else 10 ** columns[feature.column].decimals


def _window(feature: FeatureSpec) -> tuple[int, int]:
    return feature.length_us, feature.hop_us


def _array(numbers: object) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)
