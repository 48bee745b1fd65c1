"""Stored positions: the application transactions of a Delta table, one number under each application id."""

from __future__ import annotations

from typing import Protocol

from shared_features.formats.offline_tables import offset_app
from streaming.kafka.topics import PartitionKey, Topic

NEVER = -1
"""The position before the first one. A table may hold it, too: then it was begun, and has nothing yet."""


class OpenedTable(Protocol):
    """A DeltaTable as of the version at which it was opened or last updated."""

    def transaction_version(self, app_id: str) -> int | None:
        """The version of an application id."""


def known_position(table: OpenedTable | None, app: str) -> int | None:
    """The position that a table holds under an application id. None where none was written, not even NEVER."""
    return None if table is None else table.transaction_version(app)


def stored_position(table: OpenedTable | None, app: str) -> int:
    """The position that a table holds under an application id. NEVER also where none was written."""
    position = known_position(table, app)
    return NEVER if position is None else position  # 0 is falsy: never write `or`


def stored_offsets(table: OpenedTable | None, topic: Topic) -> dict[PartitionKey, int]:
    """The last offset that a table holds of each partition of a topic."""
    return {
        (topic.name, number): stored_position(table, offset_app(topic.name, topic.id, number))
        for number in topic.partitions
    }
