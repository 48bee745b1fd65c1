"""What an aggregation is: an algebra, never a name to branch on.

An aggregation says which registers it needs of a tile and how they become a value. A register is prepared from one
event, merged with another of its kind in any order to the same bits, and shared by all aggregations of its column:
count, sum, mean and std of a column over four windows keep one count, one sum and one sum of squares per tile.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from shared_features.arguments import Checked
from shared_features.kernel.loops.registers import Register

Words = NDArray[np.int64]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Aggregation(metaclass=Checked):
    """What the kernel asks of an aggregation. A class of this kind is all there is to it; its fields are parameters."""

    name: ClassVar[str]
    """As derived feature names carry it."""
    wording: ClassVar[str]
    """What it is, for a person: `{column}` is the column, `{event}` and `{events}` what has a value there."""
    unit: ClassVar[str | None] = None
    """What its value counts; None: what the column counts."""
    needs_column: ClassVar[bool] = True
    """Whether it is of a column's values; if not, it may be of the events themselves."""
    of_texts: ClassVar[bool] = False
    """Whether it makes sense of texts, which it sees by their codes; if not, it is of numbers."""
    registers: ClassVar[tuple[Register, ...]]
    """What it needs of a tile."""

    @property
    def set_size(self) -> int:
        """How many elements its sets keep, where it has sets."""
        return 0

    @staticmethod
    @abstractmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        """The value, from the merged registers of a window. Compiled, so plain numbers and `loops` only.

        Register i of `registers` begins at `row[at[i]]`. A set has its number of words there; `kept[2 * at[i]]` is k,
        and where there are k words `kept[2 * at[i] + 1]` is the greatest of them. `scale`: 10**decimals of the column.
        """
