"""What an audit found: counts, and the first of the records that do not come out again, each with its cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared_features.formats.prediction_log import Hole

CHANGED_DEFINITION, CHANGED_MODEL, CHANGED_CODE = "changed definition", "changed model", "changed code"
ALTERED_RECORD, ALTERED_VALUE = "altered log line", "altered value in Redis"
OTHER_SCHEMA = "log line of another schema"
ALTERED_SCORE, UNREADABLE_SCORE, OTHER_SCORE_SCHEMA = "altered score", "unreadable score", "score of another schema"
SCORED_TWICE, MISSING_EVENT, ALTERED_EVENT = "event scored twice", "missing event", "altered event"
DELETED_EVENTS, ERASED_EVENTS = "deleted events", "erased events"
LOST_EVENTS, UNARCHIVED_EVENTS = "lost events", "events not archived yet"
NO_ARCHIVE = "events that cannot be read"
UNPROVABLE = frozenset({DELETED_EVENTS, ERASED_EVENTS, LOST_EVENTS, UNARCHIVED_EVENTS, NO_ARCHIVE})
"""The lake lacks events that the answer is from. Nothing shows that it was wrong; the other causes are faults."""

CLOCK, STREAM_LAG, LATE_EVENT = "clock", "stream lag", "late event"
"""Why an answer that comes out again is not event-time truth: it lacks events that had happened. No fault of it."""


@dataclass(frozen=True)
class Difference:
    """A record that does not come out again. cause: one of the names above. detail: what was found."""

    id: str
    cause: str
    detail: str


@dataclass
class Audited:
    """most: how many differences are kept. missing: by process, the numbers that no record has, first and last of each.

    predictions: of the records that could be computed again. equal: those with the same features and scores. erased:
    records whose content was erased with an entity, of which nothing can be computed. refused: records of events that
    have a reason instead of a score. unseen: by cause, how many predictions lack an event of event-time truth; None
    where nobody asked. last_events: by partition of the events the last one whose score was audited, of scores.
    """

    most: int = 1_000
    records: int = 0
    erased: int = 0
    refused: int = 0
    predictions: int = 0
    equal: int = 0
    differences: list[Difference] = field(default_factory=list)
    by_cause: Counter[str] = field(default_factory=Counter)
    missing: dict[str, list[Hole]] = field(default_factory=dict)
    unseen: Counter[str] | None = None
    last_events: Mapping[int, int] = field(default_factory=dict)
    waiting: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Of each partition the first score that waits for the archive: its offset, and that of its event."""
    waiting_elsewhere: int = 0
    """How many others wait: of versions of the view that were on another topic, whose events no mark names."""

    @property
    def faults(self) -> int:
        """How many records do not come out again, and should."""
        return sum(count for cause, count in self.by_cause.items() if cause not in UNPROVABLE)

    def differ(self, record: str, cause: str, detail: str) -> None:
        """Count a record that does not come out again. record: its id."""
        self.by_cause[cause] += 1
        if len(self.differences) < self.most:
            self.differences.append(Difference(record, cause, detail))

    def add(self, compared: Audited) -> None:
        """Count what a comparison found, behind what was found before."""
        self.predictions += compared.predictions
        self.equal += compared.equal
        self.by_cause.update(compared.by_cause)
        self.differences.extend(compared.differences[: self.most - len(self.differences)])
        if self.unseen is not None and compared.unseen is not None:
            self.unseen.update(compared.unseen)
