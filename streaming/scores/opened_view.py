"""Opens a view for scoring: its model, its topic, and the event from which it continues."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from shared_features.arguments import did_you_mean
from shared_features.definitions import Catalogue, FeatureView
from shared_features.formats.scored_event import ScoredEvent
from shared_features.formats.shard_meta import Partition
from shared_features.registry_storage.registry_mirror import mirror_of
from streaming.errors import RefusedError
from streaming.job.clock import system_clock_us
from streaming.kafka.brokers.topics import Topic, Topics
from streaming.log import get_log
from streaming.online_store.link import RedisLink
from streaming.online_store.score_positions import ScorePositions
from streaming.scores.answering_model import AnsweringModel
from streaming.scores.score_metrics import ScoreMetrics
from streaming.scores.score_topic import ScoreTopic
from streaming.scores.stored_rows import RowReader
from streaming.scores.view_scores import ViewScores
from streaming.settings import StreamingSettings

_LOG = get_log("scores")
_LEFT_ALONE_S = 30.0
"""Scoring waits while storage is asked, so storage that does not answer is asked seldom."""


def _nothing() -> None:
    """A folder needs no copy."""


class ScoredView:
    """A view that the settings name. Its model may be missing yet."""

    def __init__(self, settings: StreamingSettings, name: str, versions: tuple[FeatureView, ...]) -> None:
        self._settings, self.name, self.source = settings, name, versions[-1].source
        self._link = RedisLink(settings)
        self._scored: dict[Partition, int] = {}
        self._readers: dict[str, RowReader] = {}
        folder, fetch, model = settings.registry, _nothing, settings.answering_models.get(name, name)
        if not isinstance(folder, Path):
            mirror = mirror_of(
                folder, settings.registry_cache, settings.model_alias, _LOG.warning, _LOG.info, _LEFT_ALONE_S
            )
            folder, fetch = mirror.folder, partial(mirror.fetch, model)
        self.model = AnsweringModel(
            versions,
            folder / model,
            settings.model_alias,
            settings.model_poll_s,
            lambda view: self._reader_of(view).lacks(self._scored),
            fetch=fetch,
        )

    @property
    def positions(self) -> Mapping[Partition, int]:
        """Per partition the last offset that needs no score any more. Known once it is open."""
        return MappingProxyType(self._scored)

    def _reader_of(self, view: FeatureView) -> RowReader:
        if view.label not in self._readers:
            self._readers[view.label] = RowReader(view, self._settings.redis_namespace, self._link)
        return self._readers[view.label]

    def open(self, metrics: ScoreMetrics, meanwhile: Callable[[], None]) -> ViewScores:
        """Fence earlier writers, and find the positions. Waits for Kafka and Redis."""
        if (model := self.model.current()) is not None:
            self._reader_of(model.view).warm_up()
        topics = Topics(self._settings)
        events = topics.describe([self.source.topic])[self.source.topic]
        topic = ScoreTopic(self._settings, self.name, events.partitions)
        kept = ScorePositions(self._link, self._settings.redis_namespace, self.name)
        self._scored.update(_positions(self.name, events, topic.written(), kept.read()))
        if not self._scored:
            ends = topics.bounds((events.name, number) for number in events.partitions)
            self._scored.update({(name, events.id, at): log.high - 1 for (name, at), log in ends.items()})
            _LOG.info("scoring what arrives from now on", view=self.name, topic=topic.name)
        kept.write(self._scored)
        return ViewScores(
            self.name, self.model, topic, kept, self._scored, self._reader_of, metrics, system_clock_us, meanwhile
        )


def scored_views(settings: StreamingSettings, catalogue: Catalogue) -> list[ScoredView]:
    """Those that the settings name. Raises RefusedError where a name or a topic cannot be right."""
    versions: dict[str, list[FeatureView]] = {}
    for view in sorted(catalogue.views, key=lambda each: each.version):
        versions.setdefault(view.name, []).append(view)
    for name, topic in settings.score_topics.items():
        if name not in versions:
            raise RefusedError(
                f"MILLRACE_SCORE_TOPICS names view {name!r}, and the definitions have {', '.join(sorted(versions))}."
                f"{did_you_mean(name, versions)} Correct the name"
            )
        if topic in {source.topic for source in catalogue.sources} or topic == settings.prediction_log_topic:
            raise RefusedError(
                f"MILLRACE_SCORE_TOPICS writes the scores of view {name} to topic {topic!r}, which has other records. "
                "Name a topic of its own"
            )
    if len(set(settings.score_topics.values())) < len(settings.score_topics):
        raise RefusedError("MILLRACE_SCORE_TOPICS names one topic for two views. Name a topic for each view")
    return [ScoredView(settings, name, tuple(versions[name])) for name in sorted(settings.score_topics)]


def _positions(
    view: str, events: Topic, written: Mapping[int, ScoredEvent], kept: Mapping[Partition, int]
) -> dict[Partition, int]:
    """The larger one of what the scores say and of what was kept. Partitions without either are scored whole."""
    found = dict(kept)
    for last in written.values():
        of = last.topic, last.topic_id, last.partition
        found[of] = max(last.offset, found.get(of, -1))
    for topic, topic_id, _ in found:
        if (topic, topic_id) != (events.name, events.id):
            raise RefusedError(
                f"The scores of view {view} are of topic {topic} with id {topic_id}, and its events come from "
                f"{events.name} with id {events.id}. The topic was re-created, or the view has another source. Name "
                "another topic for the scores in MILLRACE_SCORE_TOPICS, and delete the key that keeps their positions"
            )
    return found
