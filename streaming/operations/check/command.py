"""`check`: everything that makes a run unsafe, with what to do. `run` refuses to start with the worst findings."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException

from shared_features.counted import counted
from shared_features.definitions import Catalogue, load_definitions
from streaming.errors import EXIT_OK, EXIT_REFUSED, RefusedError
from streaming.job.clock import system_clock_us
from streaming.kafka.brokers.topics import Bounds, PartitionKey, Topic, Topics, partitions_of
from streaming.log import get_log, set_up_log
from streaming.online_store.server import StoreServer
from streaming.operations.check.definitions import broken_views, definitions_line, unread_groups
from streaming.operations.check.finding import Finding
from streaming.operations.check.kept_definitions import refused_edits
from streaming.operations.check.stores import check_lake, check_redis
from streaming.operations.check.topics import check_config, missing_log, missing_scores, missing_topics
from streaming.settings import StreamingSettings

if TYPE_CHECKING:
    from streaming.operations.produce.feed import Feed


def find(settings: StreamingSettings) -> Iterator[Finding]:
    """Look at Kafka, Redis and the lake once. Changes nothing. Takes seconds if one of them is unavailable."""
    catalogue = load_definitions(settings.definitions)
    yield from broken_views(catalogue)
    yield from unread_groups(catalogue)
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
        if (log := settings.prediction_log_topic) is not None:
            yield from missing_log(log, kafka.existing([log]))
        if settings.score_topics:
            yield from missing_scores(settings.score_topics, kafka.existing(settings.score_topics.values()))
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


def run(settings: StreamingSettings, options: Namespace) -> int:
    """The exit code: 1 if something must be corrected, or could not be checked."""
    if options.definitions:
        settings = settings.model_copy(update={"definitions": options.definitions})
    if options.refusing_only:
        return check(settings, refusing_only=True)
    catalogue = load_definitions(settings.definitions)
    _say(definitions_line(catalogue))
    rejected = _look_at_files(settings, catalogue, options)
    if options.definitions_only:
        kept = refused_edits(options.kept_definitions, catalogue) if options.kept_definitions else ()
        findings = [*kept, *broken_views(catalogue), *unread_groups(catalogue)]
        return _verdict(findings, rejected, "no fault in the definitions")
    return _verdict(list(find(settings)), rejected, "safe to run")


def _look_at_files(settings: StreamingSettings, catalogue: Catalogue, options: Namespace) -> int:
    """Print how files fit and what entities take. How many of the first rows would be dead letters."""
    if bool(options.files) != bool(options.source):
        raise RefusedError("--data and --source belong together: a file, and the event source that takes its rows")
    # Only here: it loads what reads files, which a running job needs not
    from streaming.operations.produce.command import say_fit
    from streaming.operations.produce.feed import feeds_of

    feeds, now_us = feeds_of(catalogue, options) if options.files else [], system_clock_us()
    rejected = sum(say_fit(feed, settings, now_us) for feed in feeds)
    if options.measure or options.entities or options.events_per_day:
        _measure(settings, catalogue, options, feeds)
    elif feeds:
        _say("--measure says what its entities take in Redis, and what an event costs")
    return rejected


def _measure(settings: StreamingSettings, catalogue: Catalogue, options: Namespace, feeds: list[Feed]) -> None:
    # Only here: they load what computes
    from shared_features.compilation.compilation import compiled_once
    from streaming.operations.check.estimate import RATES, Asked, estimate_lines

    asked = Asked(dict(options.entities), options.events_per_day or RATES)
    with compiled_once(_say):
        for line in estimate_lines(settings, catalogue, asked, feeds):
            _say(line)


def check(settings: StreamingSettings, *, refusing_only: bool = False) -> int:
    """Print the findings. Returns 1 if something is refused or could not be checked; warnings alone give 0."""
    findings = list(dict.fromkeys(find(settings)))
    if refusing_only:
        set_up_log(settings, command="check")
        _log_broken(findings)
        findings = [each for each in findings if each.stops_run]
        return _verdict(findings, 0, "")
    return _verdict(findings, 0, "safe to run")


def _verdict(findings: Iterable[Finding], rejected: int, well: str) -> int:
    """Print the findings, and the verdict unless it is empty. The exit code."""
    told = list(dict.fromkeys(findings))
    for each in told:
        sys.stderr.write(f"{each.level:8} {each}\n")
    bad = sum(each.level != "warning" for each in told)
    warnings = len(told) - bad
    if well:
        letters = "a dead letter" if rejected == 1 else "dead letters"
        dead = f"; {rejected:,} of the first rows would be {letters}" if rejected else ""
        verdict = f"{bad} to correct before it is safe to run" if bad else well if not rejected else "definitions work"
        warned = f", {counted(warnings, 'warning')}" if warnings else ""
        _say(f"{verdict}{warned}{dead}")
    return EXIT_REFUSED if bad or rejected else EXIT_OK


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


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
