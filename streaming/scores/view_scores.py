"""Scores the events of one view: reads their features, runs the model, writes the scores, moves its position."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from shared_features.definitions import FeatureView
from shared_features.errors import OnDemandError
from shared_features.formats.scored_event import ScoredEvent, encode_scored_event
from shared_features.formats.shard_meta import Partition
from streaming.errors import RestartNeeded, StoppedWaiting
from streaming.job.clock import Clock
from streaming.job.outage import Outage
from streaming.job.stopping import wait
from streaming.kafka.records.polled import Polled
from streaming.log import get_log
from streaming.online_store.score_positions import ScorePositions
from streaming.scores.answering_model import AnsweringModel
from streaming.scores.score_metrics import ScoreMetrics
from streaming.scores.score_topic import ScoreTopic
from streaming.scores.scored_rows import refused_rows, scored_rows
from streaming.scores.scoring_model import ScoringModel
from streaming.scores.stored_rows import RowReader
from streaming.scores.unscored_events import UnscoredEvents

_LOG = get_log("scores")
_AT_ONCE = 1_000
_PAUSES_S = (0.005, 0.01, 0.02, 0.05)
_WORTH_TELLING_S = 2.0
_KEEP_EVERY_S = 1.0


class ViewScores:
    """Of one view. scored: per partition the last offset that needs no score any more; it moves on here.

    reader_of: of a view version. meanwhile: called while events wait for their features.
    """

    def __init__(
        self,
        name: str,
        model: AnsweringModel,
        topic: ScoreTopic,
        kept: ScorePositions,
        scored: dict[Partition, int],
        reader_of: Callable[[FeatureView], RowReader],
        metrics: ScoreMetrics,
        clock: Clock,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self._name, self._model, self._topic, self._kept = name, model, topic, kept
        self._scored, self._reader_of, self._metrics, self._clock = scored, reader_of, metrics, clock
        self._meanwhile = meanwhile
        self._kept_scored, self._kept_at_s = dict(scored), time.monotonic()
        self._outage = Outage(_LOG, "waiting for the features of events", "features are up to date again", view=name)

    def take(self, polled: Sequence[Polled]) -> None:
        """Score the events of these polls. Returns when all of them are written.

        Raises RestartNeeded where it is not known what was written; StoppedWaiting.
        """
        some = [each for each in polled if len(each.offsets)]
        events = UnscoredEvents.of(some, self._scored) if some else None
        while events is not None and len(events):
            events = self._score(events)
        for each in polled:
            of = each.topic, each.topic_id, each.partition
            self._scored[of] = max(self._scored.get(of, -1), each.to)
        if self._scored != self._kept_scored and time.monotonic() - self._kept_at_s >= _KEEP_EVERY_S:
            self._keep()

    def close(self) -> None:
        """Keep how far it has come."""
        if self._scored != self._kept_scored:
            self._keep()

    def _score(self, events: UnscoredEvents) -> UnscoredEvents:
        """Score some of the first ones. Returns those that are left."""
        model = self._model.current()
        if model is None:
            raise RestartNeeded(f"view {self._name} has no model any more")
        first, records = self._records(model, events.take(slice(_AT_ONCE)))
        self._topic.write((each.partition, str(each.id).encode(), encode_scored_event(each)) for each in records)
        for number, offset in first.last().items():
            self._scored[model.view.source.topic, first.topic_id, number] = offset
        self._count(first, records)
        self._keep()
        return events.beyond(first)

    def _records(self, model: ScoringModel, events: UnscoredEvents) -> tuple[UnscoredEvents, list[ScoredEvent]]:
        """Wait until some of the events can be scored. Those, and their records."""
        with self._patience() as pause:
            while True:
                try:
                    stored = self._reader_of(model.view).read(events)
                except OnDemandError as error:
                    if len(events) == 1:
                        return events, list(refused_rows(model, events, str(error), self._clock()))
                    events = events.take(slice(len(events) // 2))  # one event fails no other one
                    continue
                chosen = events.before_the_first_without(stored.ready)
                if chosen.any():
                    return events.take(chosen), list(scored_rows(model, events, stored.rows, chosen, self._clock()))
                pause(stored.why)

    @contextmanager
    def _patience(self) -> Iterator[Callable[[str], None]]:
        began_s, tries = time.monotonic(), 0

        def pause(why: str) -> None:
            nonlocal tries
            self._meanwhile()
            if time.monotonic() - began_s > _WORTH_TELLING_S:
                self._outage.failed(why=why)
            if wait(_PAUSES_S[min(tries, len(_PAUSES_S) - 1)]):
                raise StoppedWaiting("asked to stop while events wait for their features; they are read again")
            tries += 1

        yield pause
        self._outage.answered()

    def _count(self, events: UnscoredEvents, records: Sequence[ScoredEvent]) -> None:
        refused = sum(each.refused is not msgspec.UNSET for each in records)
        delay_us = max(0, self._clock() - int(events.batch.record_time_us.max()))
        self._metrics.scored(self._name, len(records) - refused, refused, delay_us)

    def _keep(self) -> None:
        self._kept.write(self._scored)
        self._kept_scored, self._kept_at_s = dict(self._scored), time.monotonic()
