"""What writes a registry, wherever it lies: folders that appear whole, and changes that nobody else's come between."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from shared_features.registry_storage.reader import RegistryReader, Stored
from training.errors import OvertakenError

T = TypeVar("T")
STALE_S = 24 * 3600.0
"""A publisher is done by then. What a killed one left is removed after that time."""
_TRIES, _LONGEST_WAIT_S = 50, 0.5


class NewVersion(Protocol):
    """The files of a version that nobody sees yet."""

    def number(self, lowest: Callable[[], int]) -> int:
        """The number under which it can appear: that which it has already, or a free one, from the lowest on."""

    def appear(self, manifest: bytes) -> bool:
        """Let it be seen, whole and at once, by its manifest; False where another took the number."""


class Change(Protocol):
    """One change of a registry: its line of the log, and then what it does.

    Raises OvertakenError where another process was quicker.
    """

    def append(self, line: bytes) -> None:
        """Write a line of the log, and wait until the storage has it."""

    def replace(self, key: str, content: bytes, known: Stored | None) -> None:
        """Write a small file in one step; known: what it held when it was read, None: nothing."""

    def remove(self, key: str, known: Stored) -> None:
        """Let a small file hold nothing: it is removed, or empty. known: what it held when it was read."""

    def remove_version(self, model: str, version: int) -> None:
        """Remove the files of a version; a reader sees it whole or not at all."""


class RegistryStore(RegistryReader, Protocol):
    """A registry that can be written. Several processes may do so at once."""

    def new_version(self, model: str, files: Mapping[str, bytes]) -> AbstractContextManager[NewVersion]:
        """Files of a version but for its manifest. What does not appear is removed at the end."""

    def change(self, step: Callable[[Change], T]) -> T:
        """Do a step that reads the registry, logs a line and changes it accordingly.

        No other change of the registry comes between. Where that can only be known afterwards, the step is done again
        from its start, until it was alone.
        """


def until_alone(attempt: Callable[[], T]) -> T:
    """Try it again where it was overtaken, each time a little later. Raises OvertakenError after many tries."""
    for number in range(_TRIES):
        try:
            return attempt()
        except OvertakenError:
            time.sleep(random.uniform(0, min(_LONGEST_WAIT_S, 0.01 * 2 ** min(number, 10))))
    return attempt()
