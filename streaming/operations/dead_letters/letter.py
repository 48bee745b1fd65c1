"""A dead letter as stored in the lake, and as a line of JSON that a person can edit."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from shared_features.formats.offline_tables import (
    ARRIVAL_TIME,
    DEAD_LETTER_COLUMNS,
    DEAD_LETTERS_TABLE,
    OFFSET,
    PARTITION,
    TOPIC_ID,
)
from streaming.errors import RefusedError
from streaming.lake.scan import sql_text
from streaming.operations.saying import instant

Position = tuple[str, int, int]
"""Topic, partition, offset."""
Place = tuple[Position, str | None]
"""A position and its topic's id (None: not known). A re-created topic has the same positions again."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that is not an acceptable event. `record_time_us` is -1 if its stamp may not be used.

    topic_id: None in a row of an earlier release, which did not store the id.
    """

    topic: str
    partition: int
    offset: int
    record_time_us: int
    arrival_us: int
    reason: str
    key: bytes | None
    value: bytes | None
    topic_id: str | None = None

    @property
    def position(self) -> Position:
        return self.topic, self.partition, self.offset

    @property
    def place(self) -> Place:
        return self.position, self.topic_id


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters to read; by default all. reason: a regular expression that matches the reason.

    at: partition and offset of a single letter. other_than: topics to leave out.
    """

    topic: str | None = None
    reason: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    at: tuple[int, int] | None = None
    other_than: Sequence[str] = ()

    def predicate(self) -> str | None:
        parts = [f"topic = {sql_text(self.topic)}"] if self.topic is not None else []
        parts += [f"topic NOT IN ({', '.join(map(sql_text, sorted(self.other_than)))})"] if self.other_than else []
        parts += [f"{ARRIVAL_TIME} >= {self.since_us}"] if self.since_us is not None else []
        parts += [f"{ARRIVAL_TIME} < {self.until_us}"] if self.until_us is not None else []
        parts += [f"{PARTITION} = {self.at[0]} AND {OFFSET} = {self.at[1]}"] if self.at is not None else []
        return " AND ".join(parts) or None


def open_letters(lake: Path) -> DeltaTable:
    """The newest version of the table. Raises RefusedError if there is no table."""
    path = lake / DEAD_LETTERS_TABLE
    if not DeltaTable.is_deltatable(str(path)):
        raise RefusedError(
            f"The lake {lake} has no table {DEAD_LETTERS_TABLE}. The archive creates the table at its first start. "
            "Check that MILLRACE_LAKE names the right lake"
        )
    return DeltaTable(path)


def read_letters(table: DeltaTable, wanted: Wanted = Wanted()) -> Iterator[Letter]:
    """The wanted letters, with some thousands in memory at a time."""
    try:
        pattern = None if wanted.reason is None else re.compile(wanted.reason)
    except re.error as error:
        raise RefusedError(f"--reason {wanted.reason!r} is not a regular expression: {error}") from error
    there = pa.schema(table.schema().to_arrow()).names
    names = [name for name in DEAD_LETTER_COLUMNS if name in there]  # a table of an earlier release lacks the last ones
    for batch in pa.RecordBatchReader.from_stream(table.scan(columns=names, predicate=wanted.predicate())):
        for row in zip(*(batch.column(name).to_pylist() for name in names), strict=True):
            letter = Letter(*row)
            if pattern is None or pattern.search(letter.reason):
                yield letter


def to_json(letter: Letter, replayed_as: Position | None = None) -> str:
    """One line of JSON. Bytes are text if they are UTF-8, else base64 under `..._base64`."""
    plain: dict[str, Any] = {
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        TOPIC_ID: letter.topic_id,
        "record_time": instant(letter.record_time_us),
        "arrival_time": instant(letter.arrival_us),
        "reason": letter.reason,
        **_bytes("key", letter.key),
        **_bytes("value", letter.value),
        "replayed_as": None if replayed_as is None else ":".join(map(str, replayed_as)),
    }
    return json.dumps(plain, ensure_ascii=False)


def from_json(line: str, where: str) -> tuple[Place, bytes | None]:
    """The place and the (edited) value of a line that `to_json` wrote. A RefusedError names `where`."""
    try:
        plain: Mapping[str, Any] = json.loads(line)
        topic_id = None if plain[TOPIC_ID] is None else str(plain[TOPIC_ID])
        place = (str(plain["topic"]), int(plain["partition"]), int(plain["offset"])), topic_id
        if plain.get("value_base64") is not None:
            return place, base64.b64decode(plain["value_base64"], validate=True)
        value = plain["value"]
        return place, None if value is None else str(value).encode()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(
            f"{where} is not a line of `dead-letters list --json` ({type(error).__name__}: {error}). Edit only values"
        ) from error


def _bytes(name: str, content: bytes | None) -> dict[str, str | None]:
    try:
        return {name: None if content is None else content.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(content or b"").decode()}
