"""The lives of a shard: the vectors that it was read at, in chains along which no offset falls.

The vectors of a shard grow along its life. A shard that was rolled back has several lives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared_features.formats.shard_meta import Partition

Int64 = NDArray[np.int64]
Vector = Mapping[Partition, int]
"""(topic, topic id, partition) -> the last offset that was applied."""


@dataclass(frozen=True)
class Life:
    """members: which of the given vectors, in their order. offsets: int64[members, positions]; -1 where none is."""

    members: Int64
    positions: Sequence[Partition]
    offsets: Int64

    @property
    def last(self) -> Vector:
        """The vector that it ends with."""
        return dict(zip(self.positions, self.offsets[-1].tolist(), strict=True))

    def held(self, topic: str, partition: int) -> Int64:
        """The last offset of a partition at each place. Of a topic that was re-created, the life with the highest."""
        own = [at for at, (name, _, number) in enumerate(self.positions) if (name, number) == (topic, partition)]
        highest: Int64 = self.offsets[:, own].max(axis=1, initial=-1)
        return highest


def lives(vectors: Sequence[Vector]) -> list[Life]:
    """The vectors of one shard, each in one life."""
    positions = sorted({position for vector in vectors for position in vector})
    offsets = np.array([[each.get(position, -1) for position in positions] for each in vectors], np.int64)
    offsets = offsets.reshape(len(vectors), len(positions))
    order = np.argsort(offsets.sum(axis=1), kind="stable")
    if (np.diff(offsets[order], axis=0) >= 0).all():
        return [Life(order, positions, offsets[order])]
    chains: list[list[int]] = []
    for at in order.tolist():
        fitting = next((chain for chain in chains if (offsets[at] >= offsets[chain[-1]]).all()), None)
        if fitting is None:
            chains.append([at])
        else:
            fitting.append(at)
    return [Life(np.array(chain), positions, offsets[chain]) for chain in chains]
