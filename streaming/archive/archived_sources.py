"""What the archive stores: the sources of the definitions, and the prediction log where the settings name its topic.

The sources never wait for the log. While its topic does not exist, or its table cannot be written, they are stored
without it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared_features.definitions import Catalogue, EventSource, load_definitions
from shared_features.formats.prediction_log import SOURCE_NAME, prediction_source
from streaming.archive.stored_log import StoredEvents
from streaming.errors import RefusedError
from streaming.job.outage import Outage
from streaming.kafka.brokers.topics import Topic, Topics
from streaming.kafka.optional_topic import OptionalTopic
from streaming.log import get_log
from streaming.settings import StreamingSettings

_LOG = get_log("archive")
_WITHIN_S = 5.0
_SHORT_FIELDS = ("id", "at_us", "digest")
_NO_TOPIC = "waiting for the topic of the prediction log; the other topics are stored"
_NO_TABLE = "leaving out the prediction log; the other topics are stored"


@dataclass(frozen=True)
class Archived:
    """What can be stored now. topics: of all sources of the catalogue. waits: what the log waits for, if it does."""

    catalogue: Catalogue
    topics: dict[str, Topic]
    log_topic: OptionalTopic | None = None
    waits: Outage | None = None

    def look(self) -> None:
        """Call this before each poll. Raises RestartNeeded once the log can be stored, or no longer."""
        if self.log_topic is not None:
            self.log_topic.look()


def archived(settings: StreamingSettings) -> Catalogue:
    """The definitions, and the prediction log among their sources where the settings name its topic."""
    catalogue = load_definitions(settings.definitions)
    if settings.prediction_log_topic is None:
        return catalogue
    log = prediction_source(settings.prediction_log_topic)
    taken = [each.name for each in catalogue.sources if log.name == each.name or log.topic == each.topic]
    if taken:
        raise RefusedError(
            f"Event source {taken[0]!r} has the name or the topic of the prediction log ({log.name!r}, topic "
            f"{log.topic!r}). Set MILLRACE_PREDICTION_LOG_TOPIC to another topic, or rename the source"
        )
    return replace(catalogue, sources=(*catalogue.sources, log))


def counted(settings: StreamingSettings) -> Catalogue:
    """The same for counting. Of the log only the digest is read beside id and time: it stands for all that is long."""
    catalogue = archived(settings)
    return replace(catalogue, sources=tuple(map(_short, catalogue.sources)))


def _short(source: EventSource) -> EventSource:
    if source.name != SOURCE_NAME:
        return source
    return replace(source, fields=tuple(each for each in source.fields if each.name in _SHORT_FIELDS))


def archived_now(settings: StreamingSettings, asked: Topics) -> Archived:
    """Waits for the topics of the definitions, and never for that of the log."""
    catalogue = archived(settings)
    others = tuple(each for each in catalogue.sources if each.name != SOURCE_NAME)
    topics = asked.describe(source.topic for source in others)
    if settings.prediction_log_topic is None:
        return Archived(catalogue, topics)
    log = prediction_source(settings.prediction_log_topic)
    found = asked.existing([log.topic])
    optional = OptionalTopic(Topics(settings, within_s=_WITHIN_S), log.topic, exists=bool(found))
    if (waits := _why_not(settings, log, found)) is not None:
        return Archived(replace(catalogue, sources=others), topics, optional, waits)
    return Archived(catalogue, topics | found, optional)


def _why_not(settings: StreamingSettings, log: EventSource, found: dict[str, Topic]) -> Outage | None:
    """What the log waits for, as `status` shows it; None where it can be stored."""
    try:
        if found:
            topics = {(topic.name, topic.id): len(topic.partitions) for topic in found.values()}
            StoredEvents(settings.lake, log, topics)
            return None
    except RefusedError as error:
        return _waiting(_NO_TABLE, topic=log.topic, reason=str(error))
    return _waiting(_NO_TOPIC, topic=log.topic)


def _waiting(what: str, **why: str) -> Outage:
    outage = Outage(_LOG, what, "storing the prediction log again")  # never said: the process restarts
    outage.failed(**why)
    return outage
