"""The audit of the prediction log: features and scores of every record again, bit for bit, and why they differ.

A record has a digest, so an altered one is known before anything that it says is believed. The log is read some
records at a time, and so many predictions are computed together, while the next are read, so memory does not grow
with the log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import Catalogue
from shared_features.formats.prediction_log import SCHEMA_VERSION, LoggedPrediction, is_altered
from training.datasets.offline_store import OfflineStore
from training.inference.audit.answer_numbers import AnswerNumbers
from training.inference.audit.audited_model import AuditedModel
from training.inference.audit.comparisons import Comparisons
from training.inference.audit.findings import ALTERED_RECORD, CHANGED_DEFINITION, OTHER_SCHEMA, Audited
from training.inference.audit.log_batches.logged_batch import LoggedBatch
from training.inference.audit.log_batches.read_ahead import read_ahead
from training.inference.audit.log_batches.read_batch import BatchReader, ReadBatch, ViewRecords
from training.inference.audit.replay.replay_budget import ReplayBudget
from training.inference.audit.stored_log import Numbers
from training.inference.audit.view_audit import ViewAudit
from training.inference.batch_scorer import cores
from training.registry.versions import Registry

AT_ONCE = 150_000
EVENTS_AT_ONCE = 2_000_000
_BATCHES_AHEAD = 12
"""Of the log: about so many that a comparison finds the next records read."""
Bools = NDArray[np.bool_]


class Log(Protocol):
    """Records of the prediction log."""

    @property
    def is_cut(self) -> bool:
        """Whether its first records were deleted by retention: then the first numbers of a process may be absent."""

    def batches(self) -> Iterator[LoggedBatch]:
        """All records, in the same order each time."""

    def numbered(self, numbers: Numbers) -> Iterator[LoggedPrediction]:
        """Those with these numbers alone."""


def audit(
    store: OfflineStore,
    registry: Registry,
    catalogue: Catalogue,
    log: Log,
    at_once: int = AT_ONCE,
    events_at_once: int = EVENTS_AT_ONCE,
    most: int = 1_000,
    threads: int | None = None,
    *,
    truth: bool = False,
) -> Audited:
    """Compute every record again.

    at_once: how many predictions are computed together; up to as many wait meanwhile. events_at_once: how many events
    are in memory for them, where no entity alone has more. most: how many differences are kept, of those that are
    counted. threads: how many read the log ahead; None takes one for each core, and 0 does one thing at a time. truth:
    also count which predictions lack events of event-time truth, and why. Raises DatasetError where the lake lacks the
    events of a view.
    """
    found = Audited(most, unseen=Counter() if truth else None)
    with ExitStack() as ends, Comparisons(found, aside=threads != 0) as comparisons:
        views = _Views(store, registry, catalogue, found, ReplayBudget(events_at_once), ends)
        waiting, reader = 0, BatchReader(catalogue)
        ahead = read_ahead(reader.read, log.batches(), _BATCHES_AHEAD, cores() if threads is None else threads)
        for read, first in _each_once(log, ends.enter_context(closing(ahead)), reader, found):
            waiting += views.take(read, first)
            if waiting >= at_once:
                comparisons.begin(views.hand_over())
                waiting = 0
        comparisons.begin(views.hand_over())
        comparisons.end()
    return found


def _each_once(
    log: Log, batches: Iterable[ReadBatch], reader: BatchReader, found: Audited
) -> Iterator[tuple[ReadBatch, Bools]]:
    """Records with those that are to be compared: as they were written, and each once. A number that comes again is
    looked at once more at the end.
    """
    numbers, doubtful, again = AnswerNumbers(), AnswerNumbers(), dict[str, set[int]]()
    for read in batches:
        faulty = _as_written(read.batch, found, doubtful)
        processes, counters = read.batch.shared("instance"), read.batch.integers("counter")
        first = np.zeros(len(read.batch), np.bool_)
        for place, process in enumerate(processes.texts):
            own = np.flatnonzero((processes.of == place) & ~faulty)
            first[own] = numbers.add(process, counters[own])
            if len(repeated := own[~first[own]]):
                again.setdefault(process, set()).update(counters[repeated].tolist())
        yield read, _with_content(read.batch, first, found)
    if again:
        others = reader.read(LoggedBatch.of(_others(log, again)))
        yield others, _with_content(others.batch, ~others.batch.faulty, found)
    found.missing = numbers.missing(doubtful, is_cut=log.is_cut)


def _with_content(batch: LoggedBatch, records: Bools, found: Audited) -> Bools:
    there = records & ~batch.erased
    found.records += int(records.sum())
    found.erased += int(records.sum() - there.sum())
    return there


def _others(log: Log, again: Numbers) -> list[LoggedPrediction]:
    """The records that have a number of another one and say something else: a copy says the same."""
    first = dict[tuple[str, int], LoggedPrediction]()
    others = dict[LoggedPrediction, None]()
    for record in log.numbered(again):
        if not _fault(record) and first.setdefault((record.instance, record.counter), record) != record:
            others[record] = None
    return list(others)


def _as_written(batch: LoggedBatch, found: Audited, doubtful: AnswerNumbers) -> Bools:
    """Which records are not. Before anything that a record says is believed. doubtful: gets their numbers."""
    for row in np.flatnonzero(batch.faulty).tolist():
        record = batch.record(row)
        cause, detail = _fault(record) or (ALTERED_RECORD, "it lacks a value")
        found.differ(record.id, cause, detail)
        doubtful.add(record.instance, np.array([record.counter]))
    found.records += int(batch.faulty.sum())
    return batch.faulty


def _fault(record: LoggedPrediction) -> tuple[str, str] | None:
    """Cause and detail."""
    if record.schema_version != SCHEMA_VERSION:
        detail = f"it has schema {record.schema_version}, and this release knows {SCHEMA_VERSION}"
        return OTHER_SCHEMA, f"{detail}: a later release wrote it, or it was altered"
    if is_altered(record):
        return ALTERED_RECORD, "its digest is that of another record"
    return None


class _Views:
    """The audits of all views that the records name."""

    def __init__(
        self,
        store: OfflineStore,
        registry: Registry,
        catalogue: Catalogue,
        found: Audited,
        budget: ReplayBudget,
        ends: ExitStack,
    ) -> None:
        self._store, self._catalogue, self._found, self._budget = store, catalogue, found, budget
        self._audits: dict[str, ViewAudit] = {}
        self._model = cache(lambda name, version: AuditedModel(registry, name, version, ends))

    def take(self, read: ReadBatch, chosen: Bools) -> int:
        """chosen: which records. Returns how many predictions wait to be compared now that did not before."""
        return sum(self._take(read.batch, each, chosen) for each in read.views)

    def hand_over(self) -> Callable[[Audited], None]:
        """What compares all that was taken, once."""
        taken = [(each, each.hand_over()) for each in self._audits.values()]

        def compare(found: Audited) -> None:
            for view, rows in taken:
                view.compare(rows, found)

        return compare

    def _take(self, batch: LoggedBatch, records: ViewRecords, chosen: Bools) -> int:
        if records.unknown:
            for row in records.at[chosen[records.at]].tolist():
                self._found.differ(batch.id(row), CHANGED_DEFINITION, records.unknown)
            return 0
        if records.label not in self._audits:
            view = self._catalogue.view(records.label)
            self._audits[records.label] = ViewAudit(self._store, view, self._model, self._found, self._budget)
        return self._audits[records.label].take(batch, records, chosen)
