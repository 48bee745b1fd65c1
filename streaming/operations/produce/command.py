"""`python -m streaming produce FILE --source NAME`: check a file against its source, then send its rows."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from confluent_kafka import KafkaException

from shared_features.arguments import did_you_mean
from shared_features.definitions import Catalogue, EventSource, load_definitions
from shared_features.kernel.event_time import to_text, to_us
from streaming.errors import EXIT_OK, EXIT_REFUSED, RefusedError
from streaming.job.clock import system_clock_us
from streaming.kafka.topics import Topics
from streaming.lake.look import LakeLook
from streaming.operations.check.topics import config_findings
from streaming.operations.produce.arrival_order import Outgoing, in_order
from streaming.operations.produce.file_rows import Row, file_rows
from streaming.operations.produce.fit import fit_lines, late_lines, stamp_ms, tried
from streaming.operations.produce.row_encoder import Reading, RowEncoder, key_fields
from streaming.operations.produce.sender import Sender
from streaming.operations.saying import say
from streaming.operations.status.positions import DurablePositions
from streaming.settings import StreamingSettings

SAMPLE = 10_000
_SAY_S = 5.0


@dataclass(frozen=True)
class Feed:
    """One file, as the events of one source. rows: how many of its rows are sent, None for all."""

    path: Path
    encoder: RowEncoder
    sample: list[Row]
    encoding: str
    rows: int | None

    def outgoing(self, number: int, now_us: int) -> Iterator[Outgoing]:
        """Its records. A row whose time cannot be read stays beside the row before it."""
        known_us = next((at for row in self.sample if (at := self.encoder.encode(row)[0]) is not None), now_us)
        for place, row in enumerate(islice(file_rows(self.path, self.encoding), self.rows)):
            at, key, value = self.encoder.encode(row)
            known_us = known_us if at is None else at
            yield known_us, place, number, key, value


def run(settings: StreamingSettings, options: Namespace) -> int:
    """The exit code: 1 if --check-only found rows that would be dead letters."""
    catalogue = load_definitions(settings.definitions)
    _refuse_unknown_fields(catalogue, options)
    feeds = [_feed(catalogue, path, source, options) for path, source in _pairs(options)]
    now_us = system_clock_us()
    refused = 0
    for feed in feeds:
        fit = tried(feed.encoder, feed.sample, settings, now_us)
        say(f"{feed.path.name} as events of {feed.encoder.source.name} (topic {feed.encoder.source.topic})")
        for line in fit_lines(feed.encoder, feed.sample, fit):
            say(line)
        refused += fit.refused.total()
    if options.check_only:
        return EXIT_REFUSED if refused else EXIT_OK
    if refused and not options.yes:
        _ask(refused)
    try:
        _send(settings, feeds, options, now_us)
    except KafkaException as error:
        raise RefusedError(
            f"Kafka at {settings.kafka_bootstrap_servers} cannot be reached ({error.args[0].str()}). "
            "Check KAFKA_BOOTSTRAP_SERVERS, then run this again"
        ) from error
    return EXIT_OK


def _pairs(options: Namespace) -> list[tuple[Path, str]]:
    files, sources = [Path(each) for each in options.files], options.source
    if len(files) == 1:
        return [(files[0], source) for source in sources]
    if len(sources) == 1:
        return [(file, sources[0]) for file in files]
    if len(files) != len(sources):
        raise RefusedError(
            f"{len(files)} files and {len(sources)} sources cannot be paired. Give one --source for each file, in "
            "their order; or one file for several sources; or several files for one source"
        )
    return list(zip(files, sources, strict=True))


def _feed(catalogue: Catalogue, path: Path, name: str, options: Namespace) -> Feed:
    source = catalogue.source(name)
    sample = list(islice(file_rows(path, options.encoding), min(SAMPLE, options.rows or SAMPLE)))
    if not sample:
        raise RefusedError(f"{path.name} has no rows. Nothing was sent")
    encoder = RowEncoder(source, key_fields(catalogue, source), sample, _reading(source, options))
    return Feed(path, encoder, sample, options.encoding, options.rows)


def _refuse_unknown_fields(catalogue: Catalogue, options: Namespace) -> None:
    """Raise RefusedError for a --map of a field that no source has."""
    known = {field.name for name in options.source for field in catalogue.source(name).fields}
    for each in options.map:
        field = each.partition("=")[0].rpartition(".")[2]
        if field not in known:
            raise RefusedError(
                f"--map {each}: no source of --source has the field {field}.{did_you_mean(field, known)} "
                "Write FIELD=COLUMN"
            )


def _reading(source: EventSource, options: Namespace) -> Reading:
    """What the options say about one source: `SOURCE.FIELD=COLUMN` and `SOURCE=COLUMN` are about that one."""
    columns = {}
    for each in options.map:
        field, _, column = each.partition("=")
        of, dot, own = field.rpartition(".")
        if not column or (dot and of not in options.source):
            raise RefusedError(f"--map {each}: write FIELD=COLUMN, or SOURCE.FIELD=COLUMN with a SOURCE of --source")
        if of == source.name or (not of and source.has(own)):
            columns[own] = column
    arrival = None
    for each in options.arrival:
        of, equals, column = each.rpartition("=")
        if of in ("", source.name):
            arrival = column
        if equals and of not in options.source:
            raise RefusedError(f"--arrival {each}: write COLUMN, or SOURCE=COLUMN with a SOURCE of --source")
    try:
        zone = ZoneInfo(options.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise RefusedError(f"--timezone {options.timezone} is unknown. Give one such as Europe/Berlin") from error
    return Reading(columns, zone, options.epoch, arrival, options.move_days)


def _ask(refused: int) -> None:
    text = f"{refused:,} of the first rows would be dead letters (kept, and listed by `dead-letters`)"
    if not sys.stdin.isatty():
        raise RefusedError(f"{text}. Nothing was sent. Correct the file or the source, or add --yes")
    sys.stdout.write(f"{text}. Send them nevertheless? [y/N] ")
    sys.stdout.flush()
    if input().strip().lower() not in ("y", "yes"):
        raise RefusedError("Nothing was sent")


def _send(settings: StreamingSettings, feeds: list[Feed], options: Namespace, now_us: int) -> None:
    simulated = _look_at_topics(settings, feeds)
    if settings.topic_mode == "live" and not options.as_live:
        _refuse_history(settings, feeds, now_us)
    _warn_of_late_history(settings, feeds)
    say("reading the rows in the order in which they became known ...")
    records = in_order(each for number, feed in enumerate(feeds) for each in feed.outgoing(number, now_us))
    sender = Sender(settings, DurablePositions(settings) if simulated else None)
    topics = [feed.encoder.source.topic for feed in feeds]
    began_s = said_s = time.monotonic()
    sent, first_us = 0, None
    for known_us, _, number, key, value in records:
        first_us = known_us if first_us is None else first_us
        due_s = sent / options.rate if options.rate else (known_us - first_us) / 1e6 if options.as_recorded else 0.0
        if (wait_s := began_s + due_s - time.monotonic()) > 0:
            sender.flush()
            time.sleep(wait_s)
        sender.send(topics[number], key, value, stamp_ms(known_us, system_clock_us()))
        sent += 1
        if time.monotonic() - said_s >= _SAY_S:
            said_s = time.monotonic()
            say(f"{sent:,} rows sent, up to {to_text(known_us)}, {sent / (said_s - began_s):,.0f} rows/s")
    sender.flush()
    say(f"{sent:,} rows sent in {time.monotonic() - began_s:.1f} s. Sent again, they count once")
    for feed in feeds:
        for line in late_lines(feed.encoder):
            say(f"{feed.path.name}: {line}")


def _look_at_topics(settings: StreamingSettings, feeds: list[Feed]) -> bool:
    """Whether the brokers are a simulator. Raises RefusedError for a topic that is missing or in another mode."""
    asked = Topics(settings, within_s=5.0)
    names = {feed.encoder.source.topic for feed in feeds}
    if missing := sorted(names - set(asked.describe(names))):
        raise RefusedError(
            f"Topic {', '.join(missing)} does not exist at {settings.kafka_bootstrap_servers}. Create it, then run "
            "this again"
        )
    simulated = False
    for name in sorted(names):
        config = asked.config(name)
        simulated |= config is None
        for each in config_findings(f"topic {name}", settings.topic_mode, config or {}) if config is not None else ():
            if each.stops_run:
                raise RefusedError(str(each))
    return simulated


def _refuse_history(settings: StreamingSettings, feeds: list[Feed], now_us: int) -> None:
    for feed in feeds:
        known = [at for row in feed.sample if (at := feed.encoder.encode(row)[0]) is not None]
        if known and min(known) < now_us - to_us(settings.allowed_lateness):
            raise RefusedError(
                f"{feed.path.name} is history: its rows begin at {to_text(min(known))}. In mode live the brokers stamp "
                "each record, so every row would count as known from now on only, and training would see none of it "
                "in time. Bring history first: run the stream job and this command with MILLRACE_TOPIC_MODE=import "
                f"and MILLRACE_IMPORT_UNTIL={to_text(now_us // 1_000_000 * 1_000_000)} on topics whose "
                "message.timestamp.type is CreateTime. If the rows are to count from now on, add --as-live"
            )


def _warn_of_late_history(settings: StreamingSettings, feeds: list[Feed]) -> None:
    """Say where history comes behind what the archive has closed: it counts from there on, not from its own times."""
    for feed in feeds:
        try:
            watermark_us = LakeLook(settings.lake).watermark_us(feed.encoder.source)
        except OSError:
            return
        known = [at for row in feed.sample if (at := feed.encoder.encode(row)[0]) is not None]
        if watermark_us is not None and known and min(known) < watermark_us:
            say(
                f"{feed.encoder.source.name}: the archive is complete up to {to_text(watermark_us)}. New rows from "
                "before count as known from then on only (rows that were sent before are not affected). To bring the "
                "history of several sources, name all files and sources in one command"
            )
