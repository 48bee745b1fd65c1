"""Whether two answers are the same, bit for bit."""

from __future__ import annotations

import numpy as np

from shared_features.trees.flat_trees import Matrix


def same_bits(ours: Matrix, theirs: Matrix) -> bool:
    """Whether two arrays of float32 have the same shape, and the same bits or NaN in the same places."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return False
    same = np.ascontiguousarray(ours).view(np.uint32) == np.ascontiguousarray(theirs).view(np.uint32)
    return bool((same | np.isnan(ours) & np.isnan(theirs)).all())
