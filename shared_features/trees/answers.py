"""What a tree ensemble answers for the sums of its trees: the steps of ONNX Runtime, in its order and in float32.

So that the bits are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from shared_features.trees.flat_trees import Matrix
from shared_features.trees.tree_loops import exponentiate

_ONE = np.float32(1)


def _as_it_is(sums: Matrix) -> Matrix:
    return sums


def _exponentials(values: Matrix) -> Matrix:
    found = np.ascontiguousarray(values, np.float32)
    exponentiate(found.ravel())  # a view: the array is contiguous
    return found


def _logistic(sums: Matrix) -> Matrix:
    found = _ONE / (_ONE + _exponentials(-np.abs(sums)))
    return np.where(sums < 0, _ONE - found, found)


def _softmax(sums: Matrix) -> Matrix:
    found = _exponentials(sums - sums.max(axis=1, keepdims=True))
    whole = found[:, 0].copy()
    for each in range(1, found.shape[1]):  # one after the other, as they are added there
        whole += found[:, each]
    return found / whole[:, None]


def _complement(sums: Matrix) -> Matrix:
    return np.concatenate([_ONE - sums, sums], axis=1)


def _two_sides(sums: Matrix) -> Matrix:
    return _logistic(np.concatenate([-sums, sums], axis=1))


ANSWERS: Mapping[str, Callable[[Matrix], Matrix]] = MappingProxyType(
    {
        "sums": _as_it_is,
        "logistic": _logistic,
        "softmax": _softmax,
        "complement": _complement,
        "two_sides": _two_sides,
    }
)
"""float32[n, targets] -> what is answered. Of one sum for two classes, `complement` and `two_sides` give two."""
