"""Replaying: each mended letter once, whatever is killed when.

In this order: fence whoever replayed before, look at the record, look up in the log what a killed run left open; then
for some letters at a time store the intent, send them in one transaction, store where they lie now. A run that is
killed before it sends leaves an intent that is not in the log; after it, one that is.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from deltalake import DeltaTable

from shared_features.definitions import load_definitions
from shared_features.formats.offline_tables import offset_app
from streaming.dead_letters.letter import Position
from streaming.dead_letters.mending import Mended
from streaming.dead_letters.replay_record import Entry, Original, ReplayRecord, look
from streaming.dead_letters.resending import Resender, find_sent
from streaming.errors import RefusedError
from streaming.kafka_look import KafkaLook
from streaming.settings import StreamingSettings
from streaming.topics import Topic

LETTERS_AT_ONCE = 1_000
BYTES_AT_ONCE = 8 << 20
_LOG_GONE = "whether a killed replay sent it cannot be known: the log it would lie in was deleted by retention"


@dataclass
class Replayed:
    """What a replay did, or would do: letters sent, found to be sent by a killed run, and left alone with why."""

    sent: list[Position] = field(default_factory=list)
    found: list[Position] = field(default_factory=list)
    left_alone: dict[Position, str] = field(default_factory=dict)
    unresolved: int = 0
    """Letters that a killed run left open, where this is only a look."""


class Originals:
    """Letters as the topics' ids tell them apart; those of a topic that was made anew since are not replayed."""

    def __init__(self, letters: DeltaTable, topics: Mapping[str, Topic]) -> None:
        self._letters, self._topics = letters, topics

    def of(self, position: Position) -> Original | str:
        """The original, or why there is none."""
        topic = self._topics.get(position[0])
        if topic is None:
            return f"topic {position[0]} does not exist"
        if position[1] not in topic.partitions:
            return f"topic {topic.name} has no partition {position[1]}"
        held = self._letters.transaction_version(offset_app(topic.name, topic.id, position[1]))
        if held is None or held < position[2]:
            return f"topic {topic.name} was deleted and made anew since; the letter is not of the one there is now"
        return Original(topic.name, topic.id, *position[1:])


def rehearse(settings: StreamingSettings, letters: DeltaTable, mended: Iterable[Mended]) -> Replayed:
    """What a replay would do. Creates and sends nothing."""
    steps, said = look(settings.lake), Replayed()
    said.unresolved = sum(entry.step == "intended" for entry in steps.values())
    originals = Originals(letters, _topics(KafkaLook(settings), mended_topics(settings)))
    for each in mended:
        if (of := _to_send(originals, each, steps, said)) is not None:
            said.sent.append(of.position)
    return said


def replay(settings: StreamingSettings, letters: DeltaTable, mended: Iterable[Mended]) -> Replayed:
    """Send every letter that is an event now and was not sent before."""
    look_at, said = KafkaLook(settings), Replayed()
    record = ReplayRecord(settings.lake)
    resender = Resender(settings, record.id)
    record.load()  # only now: whoever stored an intent before has sent, or never will
    topics = _topics(look_at, mended_topics(settings) | {of.topic for of in record.dangling})
    unknown = _settle(settings, look_at, record, topics, said)
    originals = Originals(letters, topics)
    for some in _batches(mended):
        batch: dict[Original, Mended] = {}
        for each in some:
            of = _to_send(originals, each, record.steps, said)
            if of is not None and of in unknown:
                said.left_alone[of.position] = _LOG_GONE
            elif of is not None:
                batch[of] = each
        if batch:
            bounds = look_at.bounds(topics.values())
            record.commit("intended", {of: bounds[of.topic, of.partition].high for of in batch}, _now_us())
            sent = resender.send(batch)
            record.commit("replayed", sent, _now_us())
            said.sent += [of.position for of in sent]
    return said


def _settle(
    settings: StreamingSettings,
    look_at: KafkaLook,
    record: ReplayRecord,
    topics: Mapping[str, Topic],
    said: Replayed,
) -> set[Original]:
    """Look up what a killed run left open; returns the letters of which nobody can tell any more."""
    dangling = record.dangling
    if not dangling:
        return set()
    bounds = look_at.bounds(topics.values())

    def gone(of: Original, log_end: int) -> bool:
        topic = topics.get(of.topic)
        return topic is None or topic.id != of.topic_id or bounds[of.topic, of.partition].low > log_end

    unknown = {of for of, log_end in dangling.items() if gone(of, log_end)}
    asked = {of: log_end for of, log_end in dangling.items() if of not in unknown}
    found = find_sent(settings, asked, bounds)
    absent = {of: log_end for of, log_end in asked.items() if of not in found}
    if found:
        record.commit("replayed", found, _now_us())
        said.found += [of.position for of in found]
    if absent:
        record.commit("not_sent", absent, _now_us())
    return unknown


def _to_send(originals: Originals, mended: Mended, steps: Mapping[Original, Entry], said: Replayed) -> Original | None:
    of = originals.of(mended.letter.position)
    if isinstance(of, Original) and of in steps and steps[of].step == "replayed":
        return None
    fault = of if isinstance(of, str) else mended.fault
    if fault is not None:
        said.left_alone[mended.letter.position] = fault
        return None
    return of if isinstance(of, Original) else None


def mended_topics(settings: StreamingSettings) -> set[str]:
    """The topics that the definitions read: letters of others are left alone."""
    return {source.topic for source in load_definitions(settings.definitions).sources}


def _topics(look_at: KafkaLook, names: set[str]) -> dict[str, Topic]:
    topics = look_at.topics(names)
    if not topics:
        raise RefusedError(f"the brokers have none of the topics {sorted(names)}; look at KAFKA_BOOTSTRAP_SERVERS")
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


def _now_us() -> int:
    return time.time_ns() // 1000
