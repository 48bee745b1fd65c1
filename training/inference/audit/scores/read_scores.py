"""Records of a score topic that can be compared; of each other one, why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from msgspec import UNSET

from shared_features.errors import FormatVersionError
from shared_features.formats.scored_event import SCHEMA_VERSION, ScoredEvent, decode_as_written, is_altered_line
from training.inference.audit.answer_numbers import AnswerNumbers
from training.inference.audit.findings import ALTERED_SCORE, OTHER_SCORE_SCHEMA, SCORED_TWICE, UNREADABLE_SCORE, Audited
from training.inference.audit.scores.score_topic import StoredScore


class ReadScore(NamedTuple):
    """id: where it lies, and its event. offset: its own in the topic."""

    id: str
    scored: ScoredEvent
    offset: int


class ScoreReader:
    """Of one topic. It remembers which events were scored."""

    def __init__(self, topic: str, found: Audited, known: Mapping[str, int] = MappingProxyType({})) -> None:
        """found: is told of every record, and of those that cannot be compared.

        known: by the text of a partition an event that an earlier audit found scored.
        """
        self._topic, self._found = topic, found
        self.numbers, self.doubtful = AnswerNumbers(), AnswerNumbers()
        """Offsets of events by the text of their partition: scored, and named by an altered record."""
        for name, offset in known.items():
            self.numbers.add(name, np.array([offset]))

    def read(self, records: Iterable[StoredScore]) -> list[ReadScore]:
        """Those that are as they were written, each event once, with what the model said."""
        whole = [read for each in records if (read := self._whole(each))]
        once = self._each_once(whole)
        scored = [each for each in once if each.scored.refused is UNSET]
        self._found.refused += len(once) - len(scored)
        return scored

    def _whole(self, record: StoredScore) -> ReadScore | None:
        self._found.records += 1
        place = f"{self._topic}/{record.partition} offset {record.offset}"
        try:
            scored = decode_as_written(record.value or b"")
        except FormatVersionError as error:
            self._found.differ(place, UNREADABLE_SCORE, str(error))
            return None
        read = ReadScore(f"{place}, event {scored.id}", scored, record.offset)
        if fault := _fault(record, scored):
            self._found.differ(read.id, *fault)
            self.doubtful.add(events_of(scored), np.array([scored.offset]))
            return None
        return read

    def _each_once(self, some: list[ReadScore]) -> list[ReadScore]:
        offsets = np.array([each.scored.offset for each in some], np.int64)
        names = [events_of(each.scored) for each in some]
        first = np.ones(len(some), np.bool_)
        for name in dict.fromkeys(names):
            own = np.flatnonzero([each == name for each in names])
            first[own] = self.numbers.add(name, offsets[own])
        for at in np.flatnonzero(~first).tolist():
            self._found.differ(some[at].id, SCORED_TWICE, f"{names[at]} offset {offsets[at]} has an earlier score")
        return [some[at] for at in np.flatnonzero(first).tolist()]


def events_of(scored: ScoredEvent) -> str:
    """The partition that its event lies in: topic/partition."""
    return f"{scored.topic}/{scored.partition}"


def _fault(record: StoredScore, scored: ScoredEvent) -> tuple[str, str] | None:
    """Cause and detail."""
    if scored.schema_version != SCHEMA_VERSION:
        detail = f"it has schema {scored.schema_version}, and this release knows {SCHEMA_VERSION}"
        return OTHER_SCORE_SCHEMA, f"{detail}: a later release wrote it, or it was altered"
    if scored.digest and is_altered_line(record.value or b""):
        return ALTERED_SCORE, "its digest is that of another record"
    if scored.partition != record.partition:
        return ALTERED_SCORE, f"it lies in partition {record.partition}, and its event in {scored.partition}"
    return None
