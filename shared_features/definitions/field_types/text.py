"""Texts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.definitions.field_types.field_type import Bools, FieldType, KeyPart, Storage


@dataclass(frozen=True, slots=True)
class Text(FieldType):
    """A text of at most `max_length` characters. Aggregations see its 52-bit code (`kernel.hashing`)."""

    max_length: int = 256

    storage: ClassVar[Storage] = "text"
    key_part: ClassVar[KeyPart | None] = "text"

    def contradiction(self) -> str | None:
        return None if self.max_length > 0 else f"max_length is {self.max_length}; give 1 or more"

    @property
    def blank(self) -> Any:
        return None

    @property
    def wire(self) -> Any:
        return Annotated[str, Meta(max_length=self.max_length)]

    def column(self, values: Iterable[Any], count: int) -> tuple[NDArray[Any], Bools | None]:
        column = np.empty(count, object)
        column[:] = values if isinstance(values, list) else list(values)
        return column, None

    def spelled_key(self, part: str) -> str | None:
        return part

    @property
    def words(self) -> str:
        return f"Text of at most {counted(self.max_length, 'character')}"

    @property
    def accepts(self) -> str:
        return f"a text of at most {counted(self.max_length, 'character')}"

    @property
    def example(self) -> Any:
        return "example"[: self.max_length]
