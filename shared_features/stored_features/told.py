"""What a reader of stored features has to tell: a program writes it into its log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Told(Protocol):
    """Of one group. Threads call it."""

    def read(self, shard: int, problem: str | None) -> None:
        """A shard was read, and its meta says something new. problem: why it cannot be used."""

    def unreadable_meta(self, key: bytes, error: str) -> None:
        """The meta under this key is damaged, or of another schema or shard."""

    def unreadable_state(self, key: bytes, meta_key: bytes, error: str) -> None:
        """The state of an entity is damaged; meta_key: of its shard. Called for each read that meets it."""


ToldOf = Callable[[str], Told]
"""What is told of the group with this label."""


class Untold:
    """Tells nobody. A row's problem says the same."""

    def read(self, shard: int, problem: str | None) -> None:
        """See Told."""

    def unreadable_meta(self, key: bytes, error: str) -> None:
        """See Told."""

    def unreadable_state(self, key: bytes, meta_key: bytes, error: str) -> None:
        """See Told."""


def untold(group: str) -> Told:
    """A ToldOf that tells nobody."""
    return Untold()
