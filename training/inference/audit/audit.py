"""The audit of the prediction log: features and scores of every record again, bit for bit, and why they differ.

A record has a digest, so an altered one is known before anything that it says is believed. The log is read some
records at a time, and so many predictions are computed together, so memory does not grow with the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from typing import Protocol

from shared_features.definitions import Catalogue
from shared_features.errors import DefinitionError
from shared_features.formats.prediction_log import SCHEMA_VERSION, LoggedPrediction, is_altered, is_erased
from training.datasets.offline_store import OfflineStore
from training.inference.audit.answer_numbers import AnswerNumbers
from training.inference.audit.audited_model import AuditedModel
from training.inference.audit.findings import ALTERED_RECORD, CHANGED_DEFINITION, OTHER_SCHEMA, Audited
from training.inference.audit.stored_log import Numbers
from training.inference.audit.view_audit import ViewAudit
from training.registry.versions import Registry

AT_ONCE = 100_000
EVENTS_AT_ONCE = 2_000_000


class Log(Protocol):
    """Records of the prediction log."""

    def records(self, numbered: Numbers | None = None) -> Iterator[Sequence[LoggedPrediction]]:
        """All records, or those with these numbers alone; in the same order each time."""


def audit(
    store: OfflineStore,
    registry: Registry,
    catalogue: Catalogue,
    log: Log,
    at_once: int = AT_ONCE,
    events_at_once: int = EVENTS_AT_ONCE,
    most: int = 1_000,
) -> Audited:
    """Compute every record again.

    at_once: how many predictions are computed together. events_at_once: how many events are in memory for them, where
    no entity alone has more. most: how many differences are kept, of those that are counted. Raises DatasetError where
    the lake lacks the events of a view.
    """
    found = Audited(most)
    with ExitStack() as ends:
        views = _Views(store, registry, catalogue, found, events_at_once, ends)
        waiting = 0
        for records in _each_once(log, found):
            waiting += views.take(records)
            if waiting >= at_once:
                views.compare()
                waiting = 0
        views.compare()
    return found


def _each_once(log: Log, found: Audited) -> Iterator[Sequence[LoggedPrediction]]:
    """The records that are as they were written. A number that comes again is looked at once more at the end."""
    numbers, doubtful, again = AnswerNumbers(), AnswerNumbers(), dict[str, set[int]]()
    for records in log.records():
        genuine = _as_written(records, found, doubtful)
        came_first = numbers.add([(each.instance, each.counter) for each in genuine])
        for record, first in zip(genuine, came_first, strict=True):
            if not first:
                again.setdefault(record.instance, set()).add(record.counter)
        chosen = [record for record, first in zip(genuine, came_first, strict=True) if first]
        yield _with_content(chosen, found)
    if again:
        yield _with_content(_others(log, again), found)
    found.missing = numbers.missing(doubtful)


def _with_content(records: Sequence[LoggedPrediction], found: Audited) -> Sequence[LoggedPrediction]:
    there = [each for each in records if not is_erased(each)]
    found.records += len(records)
    found.erased += len(records) - len(there)
    return there


def _others(log: Log, again: Numbers) -> list[LoggedPrediction]:
    """The records that have a number of another one and say something else: a copy says the same."""
    first = dict[tuple[str, int], LoggedPrediction]()
    others = dict[LoggedPrediction, None]()
    for records in log.records(again):
        for record in records:
            number = record.instance, record.counter
            known = record.counter in again.get(record.instance, ()) and not _fault(record)
            if known and first.setdefault(number, record) != record:
                others[record] = None
    return list(others)


def _as_written(records: Iterable[LoggedPrediction], found: Audited, doubtful: AnswerNumbers) -> list[LoggedPrediction]:
    """Before anything that a record says is believed. doubtful: gets the numbers of the others."""
    genuine, faulty = list[LoggedPrediction](), list[LoggedPrediction]()
    for record in records:
        if fault := _fault(record):
            found.differ(record.id, *fault)
            faulty.append(record)
        else:
            genuine.append(record)
    found.records += len(faulty)
    doubtful.add([(each.instance, each.counter) for each in faulty])
    return genuine


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
        events_at_once: int,
        ends: ExitStack,
    ) -> None:
        self._store, self._catalogue, self._found, self._events_at_once = store, catalogue, found, events_at_once
        self._audits: dict[str, ViewAudit] = {}
        self._model = cache(lambda name, version: AuditedModel(registry, name, version, ends))

    def take(self, records: Iterable[LoggedPrediction]) -> int:
        """Returns how many predictions wait to be compared now that did not before."""
        by_view: dict[str, list[LoggedPrediction]] = {}
        for each in records:
            by_view.setdefault(each.view, []).append(each)
        return sum(self._take(view, some) for view, some in by_view.items())

    def compare(self) -> None:
        for each in self._audits.values():
            each.compare()

    def _take(self, label: str, records: Sequence[LoggedPrediction]) -> int:
        try:
            view = self._catalogue.view(label)
        except DefinitionError as error:
            for each in records:
                self._found.differ(each.id, CHANGED_DEFINITION, str(error))
            return 0
        if label not in self._audits:
            self._audits[label] = ViewAudit(self._store, view, self._model, self._found, self._events_at_once)
        return self._audits[label].take(records)
