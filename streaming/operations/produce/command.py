"""`python -m streaming produce FILE --source NAME`: check a file against its source, then send its rows."""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from contextlib import redirect_stdout
from itertools import chain

from confluent_kafka import KafkaException

from shared_features.counted import counted
from shared_features.definitions import load_definitions
from shared_features.kernel.event_time import to_text
from streaming.errors import EXIT_OK, EXIT_REFUSED, RefusedError
from streaming.job.clock import system_clock_us
from streaming.kafka.brokers.topics import Topics
from streaming.operations.check.topics import config_findings
from streaming.operations.produce.feed import Feed, feeds_of
from streaming.operations.produce.history import refuse_history, warn_of_late_history
from streaming.operations.produce.presence import present
from streaming.operations.produce.progress import ProduceProgress
from streaming.operations.produce.rows.fit import Fit, fit_lines, stamp_ms, tried
from streaming.operations.produce.sender import Sender
from streaming.operations.produce.times.arrival_order import in_order
from streaming.operations.produce.times.time_span import read_whole, warn_of_odd_times
from streaming.operations.produce.told import Sent, Told, told_of
from streaming.operations.saying import say
from streaming.operations.status.positions import DurablePositions
from streaming.settings import StreamingSettings


def run(settings: StreamingSettings, options: Namespace) -> int:
    """The exit code: 1 if --check-only found rows that would be dead letters."""
    if not options.json:
        return _run(settings, options)[0]
    with redirect_stdout(sys.stderr):  # what a person reads; a machine reads the document alone
        code, told = _run(settings, options)
    say(json.dumps(told))
    return code


def _run(settings: StreamingSettings, options: Namespace) -> tuple[int, Told]:
    """The exit code, and what was done."""
    feeds = feeds_of(load_definitions(settings.definitions), options)
    now_us = system_clock_us()
    fits = [_look(feed, settings, now_us) for feed in feeds]
    refused = sum(fit.refused.total() for fit in fits)
    if options.check_only:
        read_whole(feeds, now_us)
        warn_of_odd_times(feeds, now_us)
        return EXIT_REFUSED if refused else EXIT_OK, told_of(feeds, fits, options)
    if refused and not options.yes:
        _ask(refused)
    try:
        with present(settings.lake):
            sent = _send(settings, feeds, options, now_us)
    except KafkaException as error:
        raise RefusedError(
            f"Kafka at {settings.kafka_bootstrap_servers} cannot be reached ({error.args[0].str()}). "
            "Check KAFKA_BOOTSTRAP_SERVERS, then run this again"
        ) from error
    return EXIT_OK, told_of(feeds, fits, options, sent)


def say_fit(feed: Feed, settings: StreamingSettings, now_us: int) -> int:
    """Print how the first rows of a feed fit its source. How many of them would be dead letters."""
    return _look(feed, settings, now_us).refused.total()


def _look(feed: Feed, settings: StreamingSettings, now_us: int) -> Fit:
    fit = tried(feed.encoder, feed.sample, settings, now_us)
    say(f"{feed.path.name} as events of {feed.encoder.source.name} (topic {feed.encoder.source.topic})")
    for line in fit_lines(feed.encoder, feed.sample, fit, feed.unsent.lines()):
        say(line)
    if feed.warning:
        say(feed.warning)
    return fit


def _ask(refused: int) -> None:
    letters = "a dead letter" if refused == 1 else "dead letters"
    text = f"{refused:,} of the first rows would be {letters} (kept, and listed by `dead-letters`)"
    if not sys.stdin.isatty():
        raise RefusedError(f"{text}. Nothing was sent. Correct the file or the source, or add --yes")
    sys.stdout.write(f"{text}. Send them nevertheless? [y/N] ")
    sys.stdout.flush()
    if input().strip().lower() not in ("y", "yes"):
        raise RefusedError("Nothing was sent")


def _send(settings: StreamingSettings, feeds: list[Feed], options: Namespace, now_us: int) -> Sent:
    simulated = _look_at_topics(settings, feeds)
    if not options.as_live:
        refuse_history(settings, feeds, now_us)  # at once, where the first rows say it
    sender = Sender(settings, DurablePositions(settings) if simulated else None)
    topics = [feed.encoder.source.topic for feed in feeds]
    with ProduceProgress() as progress:
        rows = chain.from_iterable(feed.outgoing(number, now_us) for number, feed in enumerate(feeds))
        records = in_order(progress.reading(rows))
        first = next(records, None)  # all files are read by now
        if not options.as_live:
            refuse_history(settings, feeds, now_us)
        warn_of_odd_times(feeds, now_us)
        warn_of_late_history(settings, feeds)
        for known_us, _, number, key, value in () if first is None else chain((first,), records):
            due_s = _due_s(options, progress.sent, known_us - (first[0] if first else known_us))
            if (wait_s := due_s - progress.elapsed_s) > 0:
                sender.flush()
                time.sleep(wait_s)
            sender.send(topics[number], key, value, stamp_ms(known_us, system_clock_us()))
            progress.waited_s = sender.waited_s
            progress.sending(known_us)
        sender.flush()
    rows_sent = counted(progress.sent, "row")
    say(f"{rows_sent} sent in {progress.elapsed_s:.1f} s. Sent again{_alike(options)}, they count once")
    if sender.waited_s >= 1.0:
        say(f"{sender.waited_s:.1f} s of this time: waiting for the stream job")
    for feed in feeds:
        for line in feed.unsent.late_lines():
            say(f"{feed.path.name}: {line}")
    return Sent(progress.sent, progress.elapsed_s, sender.waited_s)


def _alike(options: Namespace) -> str:
    """What makes the same events of the rows another time."""
    return f" with --move-to {to_text(options.moved_to_us)}" if options.move_to is not None else ""


def _due_s(options: Namespace, sent: int, since_first_us: int) -> float:
    """When the next row is due, in seconds since the first."""
    if options.rate:
        return float(sent / options.rate)
    return since_first_us / 1e6 if options.as_recorded else 0.0


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
