"""Erasing dead letters: records that are not events, but may hold data of an entity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from shared_features.formats.offline_tables import DEAD_LETTERS_TABLE, TOPIC_ID
from streaming.kafka.brokers.topics import PartitionKey, Topic
from streaming.kafka.decoders.event_decoder import EventFormat
from streaming.lake.changes import synced_change
from streaming.lake.scan import sql_text
from streaming.lake.stored_positions import stored_offsets
from streaming.operations.dead_letters.letter import Wanted, read_letters
from streaming.operations.erasure.record import LogEnds
from streaming.operations.erasure.subjects.asked_about import AskedAbout
from streaming.operations.erasure.subjects.conditions import at_offsets
from streaming.operations.erasure.subjects.subject import Subject

Log = tuple[str, str | None, int]
"""Topic, its id (None: not stored), partition."""
Letters = Mapping[Log, Sequence[int]]
"""Log -> offsets."""


class DeadLetters:
    """The letters of some subjects, as the lake has them. formats: in which the letters may be written."""

    def __init__(
        self, lake: Path, subjects: Sequence[Subject], log_ends: LogEnds, formats: Sequence[EventFormat]
    ) -> None:
        self._path, self._subjects, self._log_ends = lake / DEAD_LETTERS_TABLE, subjects, log_ends
        self._formats = formats
        self._parts = {subject.parts for subject in subjects}
        self._about = AskedAbout(subjects)

    def find(self, topics: Mapping[str, Topic], others: Sequence[str]) -> Letters:
        """Those whose value, in any of the formats, has a subject's fields.

        topics: where the subjects' events come from now. others: topics of other sources, whose letters are left.
        Letters of any other topic are of one that was given up, and all of them are looked at.
        """
        if not (self._path / "_delta_log").is_dir():
            return {}
        table, found = DeltaTable(self._path), dict[Log, list[int]]()
        held = _held(table, topics)
        for letter in read_letters(table, Wanted(other_than=others)):
            log = letter.topic, letter.topic_id, letter.partition
            if self._is_old(log, letter.offset, topics, held) and self._is_of_a_subject(letter.value):
                found.setdefault(log, []).append(letter.offset)
        return found

    def erase(self, letters: Letters) -> int:
        """Delete letters by their position."""
        return sum(
            synced_change(self._path, partial(_erase, log=log, which=which))
            for log, offsets in letters.items()
            for which in at_offsets(log[2], offsets)
        )

    def _is_old(self, log: Log, offset: int, topics: Mapping[str, Topic], held: Mapping[PartitionKey, int]) -> bool:
        """Below the ends, or from a log that is gone: by its topic's id, or beyond the table's position in this log."""
        topic, topic_id, partition = log
        if topic_id is not None and (topic not in topics or topics[topic].id != topic_id):
            return True
        end = self._log_ends.get(topic, {}).get(partition, 0)
        return offset < end or offset > held.get((topic, partition), -1)

    def _is_of_a_subject(self, value: bytes | None) -> bool:
        found = (each.fields(value) for each in self._formats) if value else ()
        return any(self._is_of(fields) for fields in found)

    def _is_of(self, fields: Mapping[str, Any] | None) -> bool:
        """Of a record of the prediction log, its request tells whose it is."""
        if self._subjects[0].parts_in(fields) in self._parts:  # all are of one kind
            return True
        request = None if fields is None else fields.get("request")
        return isinstance(request, str) and self._about.is_in(request)


def _erase(table: DeltaTable, log: Log, which: str) -> int:
    topic, topic_id, _ = log
    of = [f"topic = {sql_text(topic)}"]
    if TOPIC_ID in pa.schema(table.schema().to_arrow()).names:  # a table of an earlier release lacks it
        of.append(f"{TOPIC_ID} IS NULL" if topic_id is None else f"{TOPIC_ID} = {sql_text(topic_id)}")
    return int(table.delete(" AND ".join([*of, which]))["num_deleted_rows"])


def _held(table: DeltaTable, topics: Mapping[str, Topic]) -> dict[PartitionKey, int]:
    """The table's last offset for each partition of the present topics."""
    return {key: offset for topic in topics.values() for key, offset in stored_offsets(table, topic).items()}
