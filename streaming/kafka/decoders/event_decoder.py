"""The interface of a decoder and its result.

Every value comes out once: as a row of the columns, or as a fault. A faulty value never affects its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import EventSource


@dataclass(frozen=True)
class Fault:
    """Why one value is not an event: its index among the values, and a reason with the path of the field."""

    index: int
    reason: str


@dataclass(frozen=True)
class DecodedColumns:
    """The values that hold an event (`rows`: their indices), in columns of `formats.events`; the rest are faults.

    faults: by ascending index.
    """

    rows: NDArray[np.int64]
    columns: dict[str, NDArray[Any]]
    valid: dict[str, NDArray[np.bool_]]
    faults: list[Fault]


class EventDecoder(Protocol):
    """Decodes the values of one source's records."""

    def decode(self, values: Sequence[bytes | None]) -> DecodedColumns:
        """Columns of the values that hold an event, and a fault for each other value. None is a tombstone."""


@dataclass(frozen=True)
class EventFormat:
    """The format in which producers write events. A source names its format (`EventSource.format`).

    decoder: builds the decoder of a source. fields: the fields that a value carries, by name, whether or not they make
    an event; None where the value is not of this format. Erasure looks for an entity there. encode: the value of an
    event's fields, for `produce`; None where it cannot send files in this format.
    """

    decoder: Callable[[EventSource], EventDecoder]
    fields: Callable[[bytes], Mapping[str, Any] | None]
    encode: Callable[[Mapping[str, Any]], bytes] | None = None
