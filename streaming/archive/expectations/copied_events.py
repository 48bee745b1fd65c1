"""Copies: events of a sample that were in it before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_MOST_REMEMBERED = 65_536


class CopiedEvents:
    """Remembers the digests of the last events of a sample: at least half of `most`. A later copy is not found."""

    def __init__(self, most: int = _MOST_REMEMBERED) -> None:
        self._half = most // 2
        self._newer: set[int] = set()
        self._older: set[int] = set()

    def are_copies(self, digests: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """bool[n]: which events came before. digests: uint64[n], of events in the order of the log."""
        return np.fromiter(map(self._is_copy, digests.tolist()), np.bool_, len(digests))

    def _is_copy(self, digest: int) -> bool:
        if digest in self._newer or digest in self._older:
            return True
        self._newer.add(digest)
        if len(self._newer) >= self._half:
            self._older, self._newer = self._newer, set()
        return False
