"""The fields of an event: a name, a type with its bounds, and whether it may be missing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features.arguments import Checked
from shared_features.definitions.field_types import FieldType
from shared_features.definitions.field_types.field_type import Exact
from shared_features.errors import DefinitionError


class FieldColumn(NamedTuple):
    """A field's values as a column, as `formats.events` holds it.

    steps: int64[n], or object[n] of str. there: bool[n] of an optional field, None of another. bad: bool[n], which
    values the type refuses; None where it refuses none.
    """

    steps: NDArray[Any]
    there: NDArray[np.bool_] | None
    bad: NDArray[np.bool_] | None


@dataclass(frozen=True, slots=True)
class Field(metaclass=Checked):
    """One field of an event. A field that is not `optional` must be there in every event.

    `description`: what it is, in one sentence. `unit`: what its numbers count, as in "euro". Both document;
    changing them changes nothing that is stored.
    """

    name: str
    type: FieldType
    optional: bool = False
    description: str = field(default="", kw_only=True, compare=False)
    unit: str = field(default="", kw_only=True, compare=False)

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise DefinitionError(f"field {self.name!r}: a field name is a Python identifier; {_renamed(self.name)}")
        if wrong := self.type.contradiction():
            raise DefinitionError(f"field {self.name!r}: {wrong}")

    @property
    def is_text(self) -> bool:
        """Whether a column holds texts; else whole numbers."""
        return self.type.storage == "text"

    @property
    def scale(self) -> int:
        """How many steps make one unit: 100 for two decimals."""
        return int(10**self.type.step_decimals)

    def column(self, values: Iterable[Any], count: int, exact: Exact | None = None) -> FieldColumn:
        """`count` wire values as a column; None is missing, in an optional field.

        exact: see `FieldType.exact_column`; None where the values are all that there is.
        """
        return self.filled_column(*self._filled(values, count), count, exact)

    def filled_column(
        self, values: Iterable[Any], there: NDArray[np.bool_] | None, count: int, exact: Exact | None = None
    ) -> FieldColumn:
        """`column` of values with blanks where they are missing. there: which are not; None: all must be."""
        steps, bad = self.type.exact_column(values, count, exact) if exact else self.type.column(values, count)
        if there is not None and bad is not None:
            steps, bad = np.where(there, steps, 0), bad & there
        return FieldColumn(
            steps, there, bad if bad is not None and np.count_nonzero(bad) else None
        )  # faster than any()

    def steps(self, values: Iterable[Any], count: int) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """`column` without its checks, for values that are known to be good: the steps, and which are there."""
        values, there = self._filled(values, count)
        return self.type.steps(values, count), there

    def _filled(self, values: Iterable[Any], count: int) -> tuple[Iterable[Any], NDArray[np.bool_] | None]:
        """The values with blanks where they are missing, and which are there (None: all must be)."""
        if not self.optional:
            return values, None
        given = values if isinstance(values, list) else list(values)
        there = np.fromiter((value is not None for value in given), np.bool_, count)
        blank = self.type.blank
        return given if blank is None else [blank if value is None else value for value in given], there


def _renamed(name: str) -> str:
    """How to call the field that cannot be called `name`, and how `produce` is told its column.

    >>> _renamed("http.method")
    "rename it, as in 'http_method': `produce` then finds the column"
    """
    spelled = re.sub(r"\W+", "_", name).strip("_")
    if spelled.isidentifier():
        return f"rename it, as in {spelled!r}: `produce` then finds the column"
    field_name = f"field_{spelled}".rstrip("_")
    return f"rename it, as in {field_name!r}, and send it with --map {field_name}={name}"
