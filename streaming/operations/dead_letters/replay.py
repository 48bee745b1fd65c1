"""Replaying: sends each mended letter once, even if runs are killed.

The order: fence earlier replays, read the record, look up in the log what a killed run left open. Then, for some
letters at a time: store the intent, send the letters in one transaction, store their new positions. A run that is
killed before it sends leaves an intent whose letters are not in the log. A run that is killed later leaves one whose
letters are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from shared_features.definitions import load_definitions
from streaming.errors import RefusedError
from streaming.job.clock import system_clock_us
from streaming.kafka.brokers.topics import Topic, Topics, partitions_of
from streaming.operations.dead_letters.letter import Letter, Place, Position
from streaming.operations.dead_letters.mending import Mended
from streaming.operations.dead_letters.replay_record import Entry, Original, ReplayRecord, look
from streaming.operations.dead_letters.resending import Resender, find_sent
from streaming.settings import StreamingSettings

LETTERS_AT_ONCE = 1_000
BYTES_AT_ONCE = 8 << 20
_LOG_GONE = "it is unknown whether a killed replay sent the letter, because retention has deleted that part of the log"


@dataclass
class Replayed:
    """The result of a replay or rehearsal: letters sent, found to be sent by a killed run, and left alone (and why)."""

    sent: list[Position] = field(default_factory=list)
    found: list[Position] = field(default_factory=list)
    left_alone: dict[Place, str] = field(default_factory=dict)
    unresolved: int = 0
    """In a rehearsal: the number of letters that a killed run left open."""


def original_of(letter: Letter, topics: Mapping[str, Topic]) -> Original | str:
    """The original place of a letter; or why the letter is not replayed (its topic was re-created, for example)."""
    topic = topics.get(letter.topic)
    if topic is None:
        return f"topic {letter.topic} does not exist"
    if letter.topic_id is None:
        return (
            f"it is unknown which topic {letter.topic} it is from: an earlier release stored it without the topic's id"
        )
    if letter.topic_id != topic.id:
        return f"topic {topic.name} was deleted and re-created since; the letter is from the earlier topic"
    return Original(letter.topic, letter.topic_id, letter.partition, letter.offset)


def rehearse(settings: StreamingSettings, mended: Iterable[Mended]) -> Replayed:
    """What a replay would do. Creates nothing and sends nothing."""
    steps, said = look(settings.lake), Replayed()
    said.unresolved = sum(entry.step == "intended" for entry in steps.values())
    topics = _topics(Topics(settings, within_s=5.0), mended_topics(settings))
    for each in mended:
        if (of := _to_send(topics, each, steps, said)) is not None:
            said.sent.append(of.position)
    return said


def replay(settings: StreamingSettings, mended: Iterable[Mended]) -> Replayed:
    """Send every letter that is an acceptable event now and was not sent before."""
    look_at, said = Topics(settings, within_s=5.0), Replayed()
    record = ReplayRecord(settings.lake)
    resender = Resender(settings, record.id)
    record.load()  # after the fencing: a run with a stored intent has sent its letters by now, or never will
    topics = _topics(look_at, mended_topics(settings) | {of.topic for of in record.dangling})
    unknown = _settle(settings, look_at, record, topics, said)
    for some in _batches(mended):
        batch: dict[Original, Mended] = {}
        for each in some:
            of = _to_send(topics, each, record.steps, said)
            if of is not None and of in unknown:
                said.left_alone[of.place] = _LOG_GONE
            elif of is not None:
                batch[of] = each
        if batch:
            bounds = look_at.bounds(partitions_of(topics.values()))
            record.commit("intended", {of: bounds[of.topic, of.partition].high for of in batch}, system_clock_us())
            sent = resender.send(batch)
            record.commit("replayed", sent, system_clock_us())
            said.sent += [of.position for of in sent]
    return said


def _settle(
    settings: StreamingSettings,
    look_at: Topics,
    record: ReplayRecord,
    topics: Mapping[str, Topic],
    said: Replayed,
) -> set[Original]:
    """Look up what a killed run left open. Returns the letters whose fate cannot be known any more."""
    dangling = record.dangling
    if not dangling:
        return set()
    bounds = look_at.bounds(partitions_of(topics.values()))

    def gone(of: Original, log_end: int) -> bool:
        topic = topics.get(of.topic)
        return topic is None or topic.id != of.topic_id or bounds[of.topic, of.partition].low > log_end

    unknown = {of for of, log_end in dangling.items() if gone(of, log_end)}
    asked = {of: log_end for of, log_end in dangling.items() if of not in unknown}
    found = find_sent(settings, asked, bounds)
    absent = {of: log_end for of, log_end in asked.items() if of not in found}
    if found:
        record.commit("replayed", found, system_clock_us())
        said.found += [of.position for of in found]
    if absent:
        record.commit("not_sent", absent, system_clock_us())
    return unknown


def _to_send(
    topics: Mapping[str, Topic], mended: Mended, steps: Mapping[Original, Entry], said: Replayed
) -> Original | None:
    letter = mended.letter
    of = original_of(letter, topics)
    if isinstance(of, Original) and of in steps and steps[of].step == "replayed":
        return None
    if isinstance(of, str):  # a topic that no source reads was not described: the fault of its letters says so
        said.left_alone[letter.place] = mended.fault if mended.fault and letter.topic not in topics else of
        return None
    if mended.fault is not None:
        said.left_alone[letter.place] = mended.fault
        return None
    return of


def mended_topics(settings: StreamingSettings) -> set[str]:
    """The topics that the definitions read. Letters of other topics are left alone."""
    return {source.topic for source in load_definitions(settings.definitions).sources}


def _topics(look_at: Topics, names: set[str]) -> dict[str, Topic]:
    topics = look_at.describe(names)
    if not topics:
        raise RefusedError(f"The brokers have none of the topics {sorted(names)}. Check KAFKA_BOOTSTRAP_SERVERS")
    return topics


def _batches(mended: Iterable[Mended]) -> Iterator[list[Mended]]:
    batch: list[Mended] = []
    size = 0
    for each in mended:
        batch.append(each)
        size += len(each.value or b"")
        if len(batch) >= LETTERS_AT_ONCE or size >= BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
