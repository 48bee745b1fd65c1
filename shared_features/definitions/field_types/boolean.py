"""True or false."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions.field_types.field_type import Bools, FieldType, Storage


@dataclass(frozen=True, slots=True)
class Boolean(FieldType):
    """True or false; aggregated as 1 and 0."""

    storage: ClassVar[Storage] = "boolean"

    @property
    def wire(self) -> Any:
        return bool

    def column(self, values: Iterable[Any], count: int) -> tuple[NDArray[np.int64], Bools | None]:
        return np.fromiter(values, np.int64, count), None

    @property
    def words(self) -> str:
        return "True or false"

    @property
    def accepts(self) -> str:
        return "true or false"

    @property
    def example(self) -> Any:
        return True
