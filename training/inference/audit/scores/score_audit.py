"""The audit of the scores of a view's events: each again from the archive, bit for bit, and why it differs.

A score names its event and the state that it was made from. So the fields come from the archive, the stored features
from the events up to the positions of the receipt, and the rest is as for a record of the prediction log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from types import MappingProxyType
from typing import Protocol

from shared_features.definitions import Catalogue, FeatureView
from training.datasets.offline_store import OfflineStore
from training.errors import NotStoredError
from training.inference.audit.audit import AT_ONCE, EVENTS_AT_ONCE
from training.inference.audit.audited_model import AuditedModel
from training.inference.audit.findings import CHANGED_DEFINITION, NO_ARCHIVE, Audited
from training.inference.audit.replay.replay_budget import ReplayBudget
from training.inference.audit.scores.archived_events import ArchivedEvents
from training.inference.audit.scores.read_scores import ReadScore, ScoreReader
from training.inference.audit.scores.score_topic import StoredScore
from training.inference.audit.scores.version_scores import VersionScores
from training.registry.versions import Registry


class Scores(Protocol):
    """Records of a score topic. name: of the topic."""

    @property
    def name(self) -> str: ...
    def batches(self) -> Iterator[list[StoredScore]]:
        """All records, those of a partition in their order."""


def audit_scores(
    store: OfflineStore,
    registry: Registry,
    catalogue: Catalogue,
    view: str,
    scores: Scores,
    at_once: int = AT_ONCE,
    events_at_once: int = EVENTS_AT_ONCE,
    most: int = 1_000,
    *,
    truth: bool = False,
    known: Mapping[int, int] = MappingProxyType({}),
) -> Audited:
    """Compute every score again. view: its name. known: by partition of its events one that an earlier audit found
    scored, so that an event between the two audits that has no score is found. The others are as of `audit`.

    Raises DatasetError where the lake lacks the events of the view or contradicts one of its versions, DefinitionError
    where there is no such view.
    """
    found = Audited(most, unseen=Counter() if truth else None)
    source = catalogue.view(view).source
    archives = {source.name: ArchivedEvents(store, source)}
    reader = ScoreReader(scores.name, found, {f"{source.topic}/{number}": at for number, at in known.items()})
    budget = ReplayBudget(events_at_once)
    with ExitStack() as ends:
        model = cache(lambda name, version: AuditedModel(registry, name, version, ends))

        def of_version(each: FeatureView) -> VersionScores:
            """By the events of its own source, which may be another one than that of the newest version."""
            if each.source.name not in archives:
                archives[each.source.name] = ArchivedEvents(store, each.source)
            events, is_marked = archives[each.source.name], each.source.topic == source.topic
            return VersionScores(store, each, events, model, found, budget, is_marked=is_marked)

        versions = _Versions(catalogue, view, found, of_version)
        waiting = 0
        for records in scores.batches():
            waiting += versions.take(reader.read(records))
            if waiting >= at_once:
                versions.compare()
                waiting = 0
        versions.compare()
    places = {
        f"{each.topic}/{number}": (each, number) for each in reversed(archives.values()) for number in each.ends
    }  # of two sources of one topic that of the newest version
    for name, holes in reader.numbers.missing(reader.doubtful, is_cut=True).items():
        if name in places and (unscored := places[name][0].among(places[name][1], holes)):
            found.missing[name] = unscored
    mine = {f"{source.topic}/{number}": number for number in archives[source.name].ends}
    scored = {mine[name]: last for name, last in reader.numbers.highest.items() if name in mine}
    found.last_events = {**archives[source.name].ends, **scored}
    return found


class _Versions:
    """The scores by the version of the view that they name."""

    def __init__(
        self, catalogue: Catalogue, name: str, found: Audited, new: Callable[[FeatureView], VersionScores]
    ) -> None:
        self._found, self._new, self._name = found, new, name
        self._views = {each.label: each for each in catalogue.views if each.name == name}
        self._of: dict[str, VersionScores] = {}
        self._unreadable: dict[str, str] = {}

    def take(self, some: list[ReadScore]) -> int:
        """Returns how many wait to be compared now that did not before."""
        return sum(
            self._take(label, [each for each in some if each.scored.view == label])
            for label in dict.fromkeys(each.scored.view for each in some)
        )

    def compare(self) -> None:
        for each in self._of.values():
            each.compare()

    def _take(self, label: str, some: list[ReadScore]) -> int:
        if label not in self._views:
            for each in some:
                self._found.differ(each.id, CHANGED_DEFINITION, f"view {self._name} has no version {label} now")
            return 0
        if label not in self._of and not self._begins(self._views[label]):
            for each in some:
                self._found.differ(each.id, NO_ARCHIVE, self._unreadable[label])
            return 0
        return self._of[label].take(some)

    def _begins(self, view: FeatureView) -> bool:
        """Whether the lake has the events of its source."""
        if view.label not in self._unreadable:
            try:
                self._of[view.label] = self._new(view)
            except NotStoredError as error:  # another one is a fault: no mark may pass scores that were not compared
                why = f"view {view.label} was on source {view.source.name!r}, so the score is not compared"
                self._unreadable[view.label] = f"{why}. {error}"
        return view.label in self._of
