"""A field type: what a producer writes, how it becomes a column, how it is stored, and what people read about it.

Inside Millrace every number of an event is a whole number of steps. Whole numbers are what makes sums independent of
the order in which they are taken. A new type is a frozen dataclass that derives from `FieldType`; nothing else knows
the types one by one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from shared_features.arguments import Checked
from shared_features.kernel.feature_spec import MAX_VALUE

MAX_MAGNITUDE = MAX_VALUE
"""Largest magnitude of a value, in steps: exact in a float64, and 2**23 squares of it fit 128 bits."""

Storage = Literal["integer", "boolean", "text"]
"""How a value is stored: a whole number, true or false, or a text. Each store has one type for each of them."""

KeyPart = Literal["number", "text"]
Exact = Callable[[int], Any]
"""From the index of a wire value to the value as `exact_wire`, decoded again from the producer's bytes."""
Bools = NDArray[np.bool_]


class FieldType(metaclass=Checked):
    """What the values of a field are.

    A *wire value* is what a decoder makes of a producer's bytes, as `wire` says. A *step* is what stands in a column:
    int64, or str where `storage` is "text".
    """

    __slots__ = ()

    storage: ClassVar[Storage] = "integer"
    is_instant: ClassVar[bool] = False
    """Whether a step is microseconds since the epoch, so that the field can be an event time."""
    key_part: ClassVar[KeyPart | None] = None
    """As what a key of an entity can be given by hand; None where it cannot. A sole "number" stays a number in keys."""
    step_options: ClassVar[tuple[str, ...]] = ()
    """The options that decide what a step means. Changing another one leaves stored values as they are."""

    @property
    def step_decimals(self) -> int:
        """10 ** step_decimals steps make one unit of the field."""
        return 0

    @property
    def blank(self) -> Any:
        """A wire value whose step is 0 (a text: None). It stands where an optional field is missing."""
        return 0

    def is_like(self, other: FieldType) -> bool:
        """Whether equal steps of both types mean equal values, so that one can be looked for among the other."""
        return type(self) is type(other) and all(
            getattr(self, option) == getattr(other, option) for option in self.step_options
        )

    def contradiction(self) -> str | None:
        """Why no field can be of this type; None where it can."""
        return None

    @property
    @abstractmethod
    def wire(self) -> Any:
        """The type of a wire value, as msgspec decodes it: int (of 64 bits), float, bool, str, datetime..."""

    @property
    def bounded(self) -> Any:
        """`wire` with the bounds that a JSON schema can say."""
        return self.wire

    @property
    def schema_says_all(self) -> bool:
        """Whether `bounded` refuses every wire value that `column` calls bad."""
        return True

    @abstractmethod
    def column(self, values: Iterable[Any], count: int) -> tuple[NDArray[Any], Bools | None]:
        """The steps of `count` wire values, and which of the values are bad (None: none can be)."""

    def steps(self, values: Iterable[Any], count: int) -> NDArray[Any]:
        """`column` without its checks, for values that are known to be good, and exact where they were unsure."""
        return self.column(values, count)[0]

    @property
    def exact_wire(self) -> Any:
        """The type of a wire value that keeps all digits that a producer wrote; None where `wire` keeps them."""
        return None

    def unsure(self, values: Sequence[Any]) -> list[int]:
        """Which wire values (None: missing) do not decide their step. Those need their `exact_wire` value."""
        return []

    def exact_column(self, values: Iterable[Any], count: int, exact: Exact) -> tuple[NDArray[Any], Bools | None]:
        """`column`, for a decoder that still has the producer's bytes. `exact` is asked for few values: it is slow."""
        return self.column(values, count)

    def refusal(self, value: Any) -> str:
        """Why a wire value is bad, as in "out of bounds 0 to 9: 12"."""
        raise TypeError(f"{type(self).__name__} calls {value!r} bad and does not say why; give it a `refusal`")

    @property
    def limits(self) -> str:
        """What a bad value is not, as the end of "expected ..."."""
        return self.accepts

    def in_another_unit(self, step: int) -> str | None:
        """Of a step that cannot be meant: what it is if the producer took another unit, as in "in seconds it is ...".

        None where no other unit makes sense of it.
        """
        return None

    def spelled_key(self, part: str) -> str | None:
        """A part of a key in the one spelling that stores have; None where no value of the type is meant."""
        return None

    @property
    @abstractmethod
    def words(self) -> str:
        """The type, as in "Whole number, 0 to 100"."""

    @property
    @abstractmethod
    def accepts(self) -> str:
        """What to write, as the end of "write ..."."""

    @property
    @abstractmethod
    def example(self) -> Any:
        """A wire value that is accepted, as JSON has it."""


def bounds_contradiction(low: float, high: float, decimals: int) -> str | None:
    """What is wrong with the bounds of a number of so many decimals; None where nothing is."""
    if not low <= high:
        return f"low {low} is above high {high}; swap them"
    if max(abs(low), abs(high)) * 10**decimals > MAX_MAGNITUDE:
        return (
            f"bounds {low} to {high} at {decimals} decimals exceed {MAX_MAGNITUDE} steps; "
            "narrow the bounds or keep fewer decimals"
        )
    return None
