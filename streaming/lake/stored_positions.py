"""Stored positions: the application transactions of a Delta table, one number under each application id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from shared_features.formats.offline_tables import offset_app
from streaming.kafka.brokers.topics import PartitionKey, Topic

NEVER = -1
"""The position before the first one. A table may hold it, too: then it was begun, and has nothing yet."""


class OpenedTable(Protocol):
    """A DeltaTable as of the version at which it was opened or last updated."""

    def transaction_version(self, app_id: str) -> int | None:
        """The version of an application id."""

    def version(self) -> int:
        """The number of its last commit."""


def known_position(table: OpenedTable | None, app: str) -> int | None:
    """The position that a table holds under an application id. None where none was written, not even NEVER."""
    return None if table is None else table.transaction_version(app)


def stored_position(table: OpenedTable | None, app: str) -> int:
    """The position that a table holds under an application id. NEVER also where none was written."""
    position = known_position(table, app)
    return NEVER if position is None else position  # 0 is falsy: never write `or`


class KnownPositions:
    """Positions of an opened table, each read once per version: the library reads the log again for every one.

    So the cost of a commit, or of a look at a table that has not moved, does not follow the length of the log.
    """

    def __init__(self) -> None:
        self._of: tuple[OpenedTable, int] | None = None
        self._known: dict[str, int] = {}

    def position(self, table: OpenedTable, app: str) -> int:
        """The position under an application id, NEVER if there is none."""
        if self._of is None or self._of[0] is not table or self._of[1] != table.version():
            self._of, self._known = (table, table.version()), {}
        if app not in self._known:
            self._known[app] = stored_position(table, app)
        return self._known[app]

    def wrote(self, table: OpenedTable, before: int, positions: Mapping[str, int]) -> None:
        """A commit through the table wrote positions. `before`: the version on which it was to follow.

        If it followed on that version, nobody else has committed, and all other positions are as they were.
        """
        if self._of is not None and self._of[0] is table and self._of[1] == before and table.version() == before + 1:
            self._of = table, before + 1
            self._known.update(positions)


def stored_offsets(table: OpenedTable | None, topic: Topic) -> dict[PartitionKey, int]:
    """The last offset that a table holds of each partition of a topic."""
    return {
        (topic.name, number): stored_position(table, offset_app(topic.name, topic.id, number))
        for number in topic.partitions
    }
