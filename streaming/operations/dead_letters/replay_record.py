"""The record of replays: a Delta table, in which an intent is stored before anything is sent.

| step | meaning |
|---|---|
| intended | the letter is about to be sent; `log_offset` is where the log of its partition ended before |
| replayed | the letter is in the log, at `log_offset` |
| not_sent | a later run searched the log from the intent's log end on, and did not find the letter |

The last step of a position counts. If the last step is *intended*, the letter is dangling: it may not be sent again
before the log was searched. Every commit compares the application transaction `replays` and moves it by one, so two
commands at once cannot both continue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Literal

import pyarrow as pa
from deltalake import DeltaTable

from shared_features.formats.offline_tables import OFFSET, PARTITION
from streaming.errors import RefusedError, RestartNeeded
from streaming.lake.handle import DeltaHandle
from streaming.lake.stored_positions import NEVER
from streaming.operations.dead_letters.letter import Place, Position

REPLAYED_TABLE = "replayed_letters"
REPLAYS_APP = "replays"
Step = Literal["intended", "replayed", "not_sent"]
_SCHEMA = pa.schema(
    [
        ("replay", pa.int64()),
        ("topic", pa.string()),
        ("topic_id", pa.string()),
        (PARTITION, pa.int32()),
        (OFFSET, pa.int64()),
        ("step", pa.string()),
        ("log_offset", pa.int64()),
        ("at_us", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Original:
    """The original place of a letter, with the topic's id, because a re-created topic has the same offsets again."""

    topic: str
    topic_id: str
    partition: int
    offset: int

    @property
    def position(self) -> Position:
        return self.topic, self.partition, self.offset

    @property
    def place(self) -> Place:
        return self.position, self.topic_id


@dataclass(frozen=True, slots=True)
class Entry:
    """The last step of a letter."""

    step: Step
    log_offset: int


def last_steps(table: DeltaTable) -> dict[Original, Entry]:
    """The last step of every letter that has one."""
    rows = pa.table(table.scan(columns=_SCHEMA.names)).to_pydict()
    found = {}
    ordered = sorted(zip(*(rows[name] for name in _SCHEMA.names), strict=True), key=itemgetter(0))
    for _, topic, topic_id, partition, offset, step, log_offset, _ in ordered:
        found[Original(topic, topic_id, partition, offset)] = Entry(step, log_offset)
    return found


def look(lake: Path) -> dict[Original, Entry]:
    """The same without creating the table. Empty if nothing was ever replayed."""
    path = lake / REPLAYED_TABLE
    return last_steps(DeltaTable(path)) if DeltaTable.is_deltatable(str(path)) else {}


class ReplayRecord:
    """The table, for a command that replays."""

    def __init__(self, lake: Path) -> None:
        self._handle = DeltaHandle(lake / REPLAYED_TABLE, _SCHEMA)
        self.id = str(self._handle.table.metadata().id)
        """The id of this table, which never changes: the producers that write for it fence each other by this name."""
        self._replays = NEVER
        self.steps: dict[Original, Entry] = {}

    def load(self) -> None:
        """Read the table. Later commits compare what was read here."""
        table = self._handle.refresh()
        self._replays = self._handle.position(REPLAYS_APP)
        self.steps = last_steps(table)

    @property
    def dangling(self) -> dict[Original, int]:
        """For each letter whose fate is unknown: where the log ended before the intent."""
        return {of: entry.log_offset for of, entry in self.steps.items() if entry.step == "intended"}

    def commit(self, step: Step, log_offsets: Mapping[Original, int], at_us: int) -> None:
        """Store one step of some letters. Raises RefusedError if another command has replayed meanwhile."""
        number = self._replays + 1
        columns = {
            "replay": [number] * len(log_offsets),
            "topic": [of.topic for of in log_offsets],
            "topic_id": [of.topic_id for of in log_offsets],
            PARTITION: [of.partition for of in log_offsets],
            OFFSET: [of.offset for of in log_offsets],
            "step": [step] * len(log_offsets),
            "log_offset": list(log_offsets.values()),
            "at_us": [at_us] * len(log_offsets),
        }
        rows = pa.table(columns, schema=_SCHEMA)
        try:
            self._handle.commit(rows, {REPLAYS_APP: self._replays}, {REPLAYS_APP: number})
        except RestartNeeded as error:
            raise RefusedError(
                "Another `dead-letters replay` ran at the same time. Look at `dead-letters list`, then run this again"
            ) from error
        self._replays = number
        self.steps |= {of: Entry(step, offset) for of, offset in log_offsets.items()}


def replayed_as(steps: Mapping[Original, Entry]) -> dict[Place, Position]:
    """The new position of each replayed letter, by its original place."""
    return {
        of.place: (of.topic, of.partition, entry.log_offset) for of, entry in steps.items() if entry.step == "replayed"
    }
