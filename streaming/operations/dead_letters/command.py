"""`python -m streaming dead-letters list | show | replay`."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from confluent_kafka import KafkaException

from shared_features.counted import counted
from shared_features.definitions import load_definitions
from streaming.errors import EXIT_OK, EXIT_REFUSED, RefusedError
from streaming.operations.dead_letters import listing
from streaming.operations.dead_letters.letter import (
    Letter,
    Place,
    Position,
    Wanted,
    open_letters,
    read_letters,
    to_json,
)
from streaming.operations.dead_letters.mending import Mend, TrialReader, as_it_is, by_function, by_hand
from streaming.operations.dead_letters.replay import Replayed, rehearse, replay
from streaming.operations.dead_letters.replay_record import look, replayed_as
from streaming.operations.saying import say
from streaming.settings import StreamingSettings

_SHOWN = 20


def run(settings: StreamingSettings, options: Namespace) -> int:
    """The exit code: 1 if letters of --from were left alone or do not exist."""
    if options.action == "list":
        return _list(settings, options)
    if options.action == "show":
        return _show(settings, options.position, options.raw)
    try:
        return _replay(settings, options)
    except KafkaException as error:
        raise RefusedError(
            f"Kafka cannot be reached ({error.args[0].str()}). Run this again when Kafka is available"
        ) from error


def _list(settings: StreamingSettings, options: Namespace) -> int:
    table, again = open_letters(settings.lake), replayed_as(look(settings.lake))

    def found() -> Iterable[Letter]:
        letters = read_letters(table, _wanted(options))
        return (each for each in letters if not options.open or each.place not in again)

    counts = listing.count_kinds(found()) if options.counts or not options.json else Counter[tuple[str, str]]()
    if options.counts:
        for (topic, kind), number in counts.most_common() if options.json else ():
            say(json.dumps({"topic": topic, "reason": kind, "letters": number}, ensure_ascii=False))
        for line in () if options.json else listing.count_lines(counts):
            say(line)
        return EXIT_OK
    limit = options.limit if options.limit is not None else None if options.json else _SHOWN
    if options.json:
        for letter in islice(found(), limit):
            say(to_json(letter, again.get(letter.place)))
        return EXIT_OK
    for line in listing.count_lines(counts):
        say(line)
    total = counts.total()
    say(counted(total, "dead letter") + (f"; the first {limit:,}:" if limit is not None and 0 < limit < total else ""))
    for letter in islice(found(), limit):
        say(listing.line(letter, again.get(letter.place)))
    return EXIT_OK


def _show(settings: StreamingSettings, position: Position, raw: bool) -> int:
    topic, partition, offset = position
    found = list(read_letters(open_letters(settings.lake), Wanted(topic=topic, at=(partition, offset))))
    if not found:
        raise RefusedError(f"There is no dead letter at {topic}:{partition}:{offset}. Look at `dead-letters list`")
    if raw:
        sys.stdout.buffer.write(max(found, key=lambda letter: letter.arrival_us).value or b"")
        return EXIT_OK
    again = replayed_as(look(settings.lake))
    for letter in found:
        say("\n".join(listing.whole(letter, again.get(letter.place))))
    return EXIT_OK


def _replay(settings: StreamingSettings, options: Namespace) -> int:
    letters: Iterable[Letter] = read_letters(open_letters(settings.lake), _wanted(options))
    mend: Mend = as_it_is
    chosen: set[Place] | None = None
    if options.edited is not None:
        mend, edited = by_hand(Path(options.edited))
        letters, chosen = (each for each in letters if each.place in edited), edited
    elif options.mend is not None:
        mend = by_function(options.mend)
    judge = TrialReader(settings, load_definitions(settings.definitions).sources)
    seen: set[Place] = set()
    mended = judge.tried(_noted(letters, seen), mend)
    said = replay(settings, mended) if options.execute else rehearse(settings, mended)
    missing = sorted(position for position, _ in (chosen or set()) - seen)
    _say(said, missing, executed=options.execute)
    return EXIT_REFUSED if missing or (chosen and said.left_alone) else EXIT_OK


def _noted(letters: Iterable[Letter], seen: set[Place]) -> Iterable[Letter]:
    for letter in letters:
        seen.add(letter.place)
        yield letter


def _say(said: Replayed, missing: list[Position], *, executed: bool) -> None:
    for (position, _), fault in said.left_alone.items():
        say(f"left alone  {':'.join(map(str, position))}  {fault}")
    for position in missing:
        say(f"missing     {':'.join(map(str, position))}  there is no such dead letter")
    if said.found:
        say(f"{len(said.found):,} letters were sent by a replay that was killed; this is recorded now")
    if said.unresolved:
        say(f"a replay of {said.unresolved:,} letters was killed; --execute first looks up which of them were sent")
    verb = "replayed" if executed else "would be replayed"
    say(f"{len(said.sent):,} letters {verb}, {len(said.left_alone):,} left alone")
    if not executed and (said.sent or said.unresolved):
        say("nothing is sent yet; add --execute")


def _wanted(options: Namespace) -> Wanted:
    return Wanted(options.topic, options.reason, options.since, options.until)
