"""`check`: everything that makes a run unsafe, with what to do. `run` refuses to start with the worst findings."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping

from confluent_kafka import KafkaException

from shared_features.definitions import Catalogue, check_functions, load_definitions
from shared_features.errors import OnDemandError
from streaming.errors import EXIT_OK, EXIT_REFUSED, RefusedError
from streaming.kafka.topics import Bounds, PartitionKey, Topic, Topics, partitions_of
from streaming.log import get_log, set_up_log
from streaming.online_store.server import StoreServer
from streaming.operations.check.finding import Finding
from streaming.operations.check.stores import check_lake, check_redis
from streaming.operations.check.topics import check_config, missing_topics
from streaming.settings import StreamingSettings


def find(settings: StreamingSettings) -> Iterator[Finding]:
    """Look at Kafka, Redis and the lake once. Changes nothing. Takes seconds if one of them is unavailable."""
    catalogue = load_definitions(settings.definitions)
    yield from broken_views(catalogue)
    names = {source.topic for source in catalogue.sources}
    kafka = Topics(settings, within_s=5.0)
    topics: dict[str, Topic] = {}

    def bounds() -> Mapping[PartitionKey, Bounds]:
        """Called after a store was read, so that the stored positions of a running job lie within these bounds."""
        try:
            return kafka.bounds(partitions_of(topics.values())) if topics else {}
        except KafkaException:
            return {}

    try:
        topics = kafka.describe(names)
        yield from missing_topics(names, topics)
        yield from check_config(kafka, settings, topics.values())
    except KafkaException as error:
        text = f"cannot be reached at {settings.kafka_bootstrap_servers} ({error.args[0].str()})"
        yield Finding("away", "Kafka", f"{text}. Check KAFKA_BOOTSTRAP_SERVERS. A running dataflow waits for Kafka")
    redis = StoreServer(settings, within_s=3.0)
    try:
        yield from check_redis(redis, catalogue.groups, topics, bounds)
    finally:
        redis.close()
    yield from check_lake(settings.lake, catalogue, topics, bounds)


def broken_views(catalogue: Catalogue) -> Iterator[Finding]:
    """The views whose on-demand functions cannot work. The stream runs without them, training and serving do not."""
    for view in catalogue.views:
        try:
            check_functions(view)
        except OnDemandError as error:
            yield Finding(
                "broken", "Definitions", f"{error}. Training and serving refuse this view; streaming continues"
            )


def check(settings: StreamingSettings, *, refusing_only: bool = False) -> int:
    """Print the findings. Returns 1 if something is refused or could not be checked; warnings alone give 0."""
    findings = list(dict.fromkeys(find(settings)))
    if refusing_only:
        set_up_log(settings, command="check")
        _log_broken(findings)
        findings = [each for each in findings if each.stops_run]
    for each in findings:
        sys.stderr.write(f"{each.level:8} {each}\n")
    bad = sum(each.level != "warning" for each in findings)
    if not refusing_only:
        warnings = len(findings) - bad
        verdict = "safe to run" if not bad else f"{bad} to correct before it is safe to run"
        sys.stdout.write(f"{verdict}{f', {warnings} warnings' if warnings else ''}\n")
    return EXIT_REFUSED if bad else EXIT_OK


def refuse_unsafe(settings: StreamingSettings) -> None:
    """Raise RefusedError with everything that makes a run unsafe. A run waits for servers that are unavailable."""
    findings = list(dict.fromkeys(find(settings)))
    _log_broken(findings)
    if refused := [str(each) for each in findings if each.stops_run]:
        raise RefusedError("; ".join(refused))


def _log_broken(findings: Iterable[Finding]) -> None:
    for each in findings:
        if each.level == "broken":
            get_log("check").error("continuing in spite of broken definitions", reason=each.text)
