"""The audit of scores of one version of a view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView
from shared_features.formats.entity_keys import entity_keys, key_texts
from shared_features.formats.scored_event import Outcome, ScoredEvent
from shared_features.kernel.event_time import to_text
from training.datasets.offline_store import OfflineStore
from training.inference.audit.audited_model import AuditedModel
from training.inference.audit.findings import (
    ALTERED_EVENT,
    ALTERED_SCORE,
    CHANGED_DEFINITION,
    UNARCHIVED_EVENTS,
    Audited,
)
from training.inference.audit.replay.replay_budget import ReplayBudget
from training.inference.audit.scores.archived_events import ArchivedEvents, FoundEvents
from training.inference.audit.scores.read_scores import ReadScore
from training.inference.audit.scores.score_rows import ScoreRows, all_scores, given, score_rows
from training.inference.audit.view_audit import ViewAudit


class VersionScores:
    """Takes scores, and compares them when it is told to."""

    def __init__(
        self,
        store: OfflineStore,
        view: FeatureView,
        events: ArchivedEvents,
        model: Callable[[str, int], AuditedModel],
        found: Audited,
        budget: ReplayBudget,
        *,
        is_marked: bool,
    ) -> None:
        """events: of the view's source. is_marked: whether a mark names them."""
        self._view, self._events, self._model, self._found, self._is_marked = view, events, model, found, is_marked
        self._audit = ViewAudit(store, view, model, found, budget)
        self._entities = {group.entity.name: group.entity for group in view.groups}
        self._waiting: list[ScoreRows] = []
        self._changed = cache(self._made_by_others)

    def take(self, some: list[ReadScore]) -> int:
        """Keep scores, or say why they cannot be compared. Returns how many are kept."""
        whole = [each for each in some if not self._differs(each)]
        rows = score_rows(whole, list(self._entities), len(self._view.columns), self._found)
        if rows is None:
            return 0
        self._waiting.append(rows)
        return len(rows.rows)

    def compare(self) -> None:
        """Everything that was taken."""
        if not self._waiting:
            return
        scores, self._waiting = all_scores(self._waiting), []
        events = self._events.at(scores.partition, scores.offset)
        same = self._same(scores, events)
        rows = scores.rows.of(same)
        mine = same[events.there]
        names = [field.name for field in self._view.request_fields]
        columns = {name: events.columns[name][mine] for name in names}
        valid = {name: events.valid[name][mine] for name in names if name in events.valid}
        places = np.flatnonzero(same)
        for number in self._audit.compare([replace(rows, columns=columns, valid=valid)], self._found):
            self._waits(scores, int(places[number]))

    def _differs(self, read: ReadScore) -> bool:
        scored = read.scored
        fault = self._changed(
            scored.view_fingerprint, scored.model, scored.model_version, scored.model_digest, scored.topic
        ) or self._contradiction(scored)
        if fault is not None:
            self._found.differ(read.id, *fault)
        return fault is not None

    def _made_by_others(
        self, fingerprint: str, model: str, version: int, digest: str, topic: str
    ) -> tuple[str, str] | None:
        if topic != self._view.source.topic:
            return CHANGED_DEFINITION, f"it is of topic {topic}, and the view reads {self._view.source.topic} now"
        cause, detail = self._audit.changed(_Made(fingerprint, model, version, digest))
        return (cause, detail) if detail else None

    def _contradiction(self, scored: ScoredEvent) -> tuple[str, str] | None:
        """Where the parts of what the model said do not belong together."""
        said = Outcome(scored.score, scored.decision, scored.value, scored.class_, scored.probabilities)
        gave = given(scored)
        if gave is None:
            return ALTERED_SCORE, "it has neither a score nor a reason why there is none"
        try:
            outcome = self._model(scored.model, scored.model_version).outcome(gave)
        except (TypeError, ValueError):  # of another task
            outcome = None
        return None if said == outcome else (ALTERED_SCORE, "its score and what is decided by it are not of one answer")

    def _same(self, scores: ScoreRows, events: FoundEvents) -> NDArray[np.bool_]:
        """bool[n]: whose event is in the archive, and is the one that was scored."""
        source, same = self._view.source, events.there.copy()
        for at in np.flatnonzero(~events.there).tolist():
            place = source.topic, scores.topic_ids[at], int(scores.partition[at])
            cause, detail = self._events.why_absent(place, int(scores.offset[at]))
            self._found.differ(_id(scores, at), cause, detail)
            if cause == UNARCHIVED_EVENTS:
                self._waits(scores, at)
        for row in np.flatnonzero(self._others(scores, events)).tolist():
            at = int(np.flatnonzero(events.there)[row])
            same[at] = False
            was = f"{scores.event_ids[at]} of {to_text(int(scores.rows.as_of_us[at]))}"
            detail = f"event {was} was scored, and the archive has {self._named(events, row)}, or one of other entities"
            self._found.differ(_id(scores, at), ALTERED_EVENT, detail)
        return same

    def _waits(self, scores: ScoreRows, at: int) -> None:
        """A score can be compared when the archive has come further."""
        if not self._is_marked:
            self._found.waiting_elsewhere += 1
            return
        number, found = int(scores.partition[at]), (int(scores.own_offset[at]), int(scores.offset[at]))
        self._found.waiting[number] = min(found, self._found.waiting.get(number, found))

    def _others(self, scores: ScoreRows, events: FoundEvents) -> NDArray[np.bool_]:
        """bool of each event that was found: whether its id, its time or its entities are those of another one."""
        there, source = np.flatnonzero(events.there), self._view.source
        ids = events.columns[source.event_id].tolist()
        differ: NDArray[np.bool_] = events.columns[source.event_time] != scores.rows.as_of_us[there]
        differ |= _unlike(ids, scores.event_ids, there)
        for name, entity in self._entities.items():
            differ |= _unlike(key_texts(entity_keys(entity, source, events.columns)), scores.entities[name], there)
        return differ

    def _named(self, events: FoundEvents, row: int) -> str:
        source = self._view.source
        return f"{events.columns[source.event_id][row]} of {to_text(int(events.columns[source.event_time][row]))}"


class _Made(msgspec.Struct, frozen=True):
    """What a score was made by."""

    view_fingerprint: str
    model: str
    model_version: int
    model_digest: str


def _id(scores: ScoreRows, at: int) -> str:
    return scores.rows.records[at].id


def _unlike(stored: Sequence[Any], scored: Sequence[Any], there: NDArray[np.int64]) -> NDArray[np.bool_]:
    """bool of each that was found. scored: of all."""
    return np.fromiter(
        (each != scored[at] for each, at in zip(stored, there.tolist(), strict=True)), np.bool_, len(there)
    )
