"""The logs during an erasure: where they end at its beginning, whether every store is beyond, and deleting records."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from shared_features.definitions import EventSource
from shared_features.formats.offline_tables import events_table
from shared_features.formats.prediction_log import prediction_source
from streaming.errors import RefusedError
from streaming.kafka.brokers.client import client_options
from streaming.kafka.brokers.recreated_topic import what_was_recreated
from streaming.kafka.brokers.topics import PartitionKey, Topic, Topics, partitions_of
from streaming.lake.events_table import is_recreated
from streaming.lake.look import LakeLook
from streaming.operations.erasure.record import LogEnds
from streaming.settings import StreamingSettings

_WAIT_S = 0.2
_DELETED_WITHIN_S = 30.0
_CANNOT = (KafkaError._UNSUPPORTED_FEATURE, KafkaError.UNSUPPORTED_VERSION, KafkaError.TOPIC_AUTHORIZATION_FAILED,
           KafkaError.POLICY_VIOLATION)  # fmt: skip


class Logs:
    """The topics of the sources whose events carry the erased entities, and that of the prediction log if it exists."""

    def __init__(self, settings: StreamingSettings, sources: Sequence[EventSource]) -> None:
        self._settings, self._look, self._lake = settings, Topics(settings, within_s=5.0), LakeLook(settings.lake)
        self.topics: dict[str, Topic] = self._look.describe(source.topic for source in sources)
        missing = sorted({source.topic for source in sources} - set(self.topics))
        if missing:
            raise RefusedError(f"The brokers have no topic {', '.join(missing)}. Check KAFKA_BOOTSTRAP_SERVERS")
        if (log := settings.prediction_log_topic) is not None and (found := self._look.existing([log])):
            self.topics |= found
            sources = [*sources, prediction_source(log)]
        self._sources = sources
        for source in sources:
            table, topic = self._lake.table(events_table(source)), self.topics[source.topic]
            if table is not None and is_recreated(table, topic.name, topic.id):
                raise RefusedError(f"Table {events_table(source)} {what_was_recreated(topic.name, topic.id)}")

    def ends(self) -> LogEnds:
        """The offsets at which the logs end now."""
        found: dict[str, dict[int, int]] = {}
        for (topic, partition), bounds in self._look.bounds(partitions_of(self.topics.values())).items():
            found.setdefault(topic, {})[partition] = bounds.high
        return found

    def wait_for_archive(self, ends: LogEnds, deadline: Callable[[], bool]) -> None:
        """Wait until the lake holds everything below the ends. Raises RefusedError if this takes too long."""
        for source in self._sources:
            while behind := self._behind(source, ends):
                if deadline():
                    raise RefusedError(
                        f"The archive is at offset {behind[1]} of {source.topic}, partition {behind[0]}, and has to "
                        f"reach {ends[source.topic][behind[0]] - 1}. Let the archive run, then run this again"
                    )
                time.sleep(_WAIT_S)

    def below(self, ends: LogEnds) -> dict[PartitionKey, int]:
        """The number of offsets of each log below its end. Logs without any are left out."""
        bounds = self._look.bounds(partitions_of(self.topics.values()))
        counts = {at: ends.get(at[0], {}).get(at[1], 0) - bound.low for at, bound in bounds.items()}
        return {at: count for at, count in counts.items() if count > 0}

    def delete(self, ends: LogEnds) -> int:
        """Delete every record below the ends. Returns their number. Raises RefusedError if this is not allowed."""
        counts = self.below(ends)
        if not counts:
            return 0
        wanted = [TopicPartition(topic, partition, ends[topic][partition]) for topic, partition in counts]
        options = {**client_options(self._settings), "error_cb": lambda error: None}
        admin = AdminClient(options)  # kept in a variable: without the client the answers never arrive
        for place, answer in admin.delete_records(wanted, request_timeout=_DELETED_WITHIN_S).items():
            try:
                answer.result(2 * _DELETED_WITHIN_S)
            except KafkaException as error:
                if error.args[0].code() not in _CANNOT:
                    raise
                raise RefusedError(
                    f"The brokers do not delete records of {place.topic} ({error.args[0].str()}). Everything else is "
                    "erased. Allow `Delete` on the topic, or run this again without --with-log"
                ) from error
        return sum(counts.values())

    def kept(self) -> list[str]:
        """How long Kafka keeps the records, one line per topic."""
        lines = []
        for name in sorted(self.topics):
            try:
                config = self._look.config(name)
            except KafkaException:
                config = None
            retention_ms = None if config is None else int(config.get("retention.ms", -1))
            if retention_ms is None:
                until = "until its retention deletes them; the brokers do not tell the retention"
            elif retention_ms < 0:
                until = "for ever: its retention.ms is -1. Lower it, or delete the records with Kafka's own tools"
            else:
                until = f"for at most {retention_ms / 3_600_000:,.1f} more hours"
            lines.append(f"topic {name} still holds the records {until}")
        return lines

    def _behind(self, source: EventSource, ends: LogEnds) -> tuple[int, int] | None:
        held = self._lake.stored_offsets(source, self.topics[source.topic])
        for (topic, partition), offset in held.items():
            if offset + 1 < ends.get(topic, {}).get(partition, 0):
                return partition, offset
        return None


def within(seconds: float) -> Callable[[], bool]:
    """A function that is true after this many seconds."""
    until = time.monotonic() + seconds
    return lambda: time.monotonic() > until
