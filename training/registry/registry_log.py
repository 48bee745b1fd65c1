"""The log of a registry: changes are read without a lock, and made one after the other."""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Callable
from typing import TypeVar

from shared_features.formats.registry_log import LOG_FILE, RegistryChange, decode_log, encode_change
from training.registry.storage.registry_store import Change, RegistryStore

BY_RUN = "by the training run"
"""So begins why a version was published, where a run has trained it."""
T = TypeVar("T")
Append = Callable[[RegistryChange], None]
"""Writes a change and waits until the storage has it."""


def this_user() -> str:
    """Who runs this process, for the log."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return f"uid {os.getuid()}"


def tell_move(change: RegistryChange) -> str:
    """What an alias names before and after, `-` for nothing; empty where no alias moves."""
    after = "-" if change.action == "remove-alias" else change.version
    return f"{change.alias} {change.before or '-'} -> {after}" if change.alias else ""


class RegistryLog:
    """Who changed the registry, when and why."""

    def __init__(self, store: RegistryStore, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock

    def now_us(self) -> int:
        return int(self._clock() * 1e6)

    def changes(self, model: str | None = None) -> list[RegistryChange]:
        """Of all models or of one, the newest last; without lines that are damaged."""
        return [each for each in self._read()[0] if model in (None, each.model)]

    def damaged_lines(self) -> list[int]:
        """Their numbers, from 1 on."""
        return self._read()[1]

    def change(self, step: Callable[[Change, Append], T]) -> T:
        """Do a step that reads the registry, logs what it decides, and does it; see RegistryStore.change."""
        return self._store.change(lambda change: step(change, lambda line: change.append(encode_change(line))))

    def _read(self) -> tuple[list[RegistryChange], list[int]]:
        found = self._store.read(LOG_FILE)
        return ([], []) if found is None else decode_log(found.content, self._store.where(LOG_FILE))
