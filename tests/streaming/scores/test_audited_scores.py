"""The audit computes what the stream job scored again, bit for bit, and names what somebody changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree
from typing import Any

import msgspec
import numpy as np
import pytest
from confluent_kafka import Producer
from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import Transaction
from numpy.typing import NDArray

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.ports import free_port
from deploy.embedded.redis_server import RedisServer
from shared_features.definitions import Catalogue, Decimal, EventSource, Field, load_definitions
from shared_features.definitions.changes.definition_texts import source_text
from shared_features.formats.offline_tables import (
    DEFINITION,
    ERASURES_APP,
    KEPT_FROM_APP,
    gap_app,
    gaps_app,
    offset_app,
)
from shared_features.formats.score_audit_mark import (
    decode_score_audit_mark,
    encode_score_audit_mark,
    score_audit_mark_file,
)
from shared_features.formats.scored_event import decode_as_written, encode_scored_event
from streaming.kafka.brokers.topics import id_in_embedded_log
from tests.domains.machines import BREAKDOWN, READINGS
from tests.serving.published_models import publish
from tests.serving.stored_states import event_batch, stored_states
from tests.streaming.scores.conftest import World
from tests.streaming.scores.scored_world import ALL, DEFINITIONS, LOG, ScoredWorld, readings
from tests.training.lake import EventRows, write_events
from training.__main__ import main
from training.datasets.offline_store import OfflineStore
from training.errors import DatasetError, TrainingError
from training.inference.audit.audit_text import audit_lines
from training.inference.audit.findings import (
    ALTERED_EVENT,
    ALTERED_SCORE,
    ALTERED_VALUE,
    CHANGED_CODE,
    CHANGED_DEFINITION,
    CHANGED_MODEL,
    DELETED_EVENTS,
    ERASED_EVENTS,
    LOST_EVENTS,
    MISSING_EVENT,
    NO_ARCHIVE,
    OTHER_SCORE_SCHEMA,
    SCORED_TWICE,
    UNARCHIVED_EVENTS,
    UNREADABLE_SCORE,
    Audited,
)
from training.inference.audit.scores.score_audit import audit_scores
from training.inference.audit.scores.score_topic import ScoreTopic, StoredScore, topic_of
from training.registry.versions import Registry
from training.settings import TrainingSettings

COUNT = 60
TOPIC_ID = id_in_embedded_log(LOG, READINGS.topic)
PLACE = READINGS.topic, TOPIC_ID, 0


@dataclass(frozen=True)
class OfOnePartition(EventRows):
    """As the log of the world has them."""

    @property
    def partition(self) -> NDArray[np.int32]:
        return np.zeros(len(self.batch), np.int32)

    @property
    def offset(self) -> NDArray[np.int64]:
        return np.arange(len(self.batch))


@dataclass(frozen=True)
class Given:
    """Records as a topic would give them."""

    records: Sequence[StoredScore]
    name: str = "scores"

    def batches(self) -> Iterator[list[StoredScore]]:
        yield from ([each] for each in self.records[:2])
        yield list(self.records[2:])


@dataclass(frozen=True)
class Scored:
    """A world whose events are all scored, a lake that has them, and the records of the scores."""

    made: ScoredWorld
    lake: Path
    records: list[StoredScore]

    def settings(self, **other: Any) -> TrainingSettings:
        return settings_of(self.made, self.lake, **other)

    def audit(self, records: Sequence[StoredScore], **other: Any) -> Audited:
        registry = Registry(other.pop("registry", self.made.registry))
        store = OfflineStore(other.pop("lake", self.lake))
        catalogue = other.pop("catalogue", load_definitions(DEFINITIONS))
        return audit_scores(store, registry, catalogue, BREAKDOWN.name, Given(records), **other)

    def one(self, at: int, change: Callable[[bytes], bytes | None]) -> list[StoredScore]:
        """All records, one of which is changed."""
        return [each._replace(value=change(each.value or b"")) if row == at else each for row, each in self.all]

    @property
    def all(self) -> Iterator[tuple[int, StoredScore]]:
        return enumerate(self.records)


def settings_of(made: ScoredWorld, lake: Path, **other: Any) -> TrainingSettings:
    given: dict[str, Any] = {
        "kafka_bootstrap_servers": made.kafka.bootstrap_servers,
        "lake": lake,
        "registry": made.registry,
        "definitions": DEFINITIONS,
        "score_topics": {BREAKDOWN.name: made.topic},
    }
    return TrainingSettings(**(given | other))


def in_environment(monkeypatch: pytest.MonkeyPatch, settings: TrainingSettings) -> None:
    """For the command."""
    given = settings.model_dump(include={"kafka_bootstrap_servers", "lake", "registry", "definitions", "score_topics"})
    for name, value in given.items():
        text = msgspec.json.encode(value).decode() if isinstance(value, dict) else str(value)
        monkeypatch.setenv(f"MILLRACE_{name.upper()}", text)


def archive(lake: Path, events: Sequence[dict[str, Any]], source: EventSource = READINGS) -> None:
    batch = event_batch(source, events)
    write_events(lake, OfOnePartition(batch, batch.event_time_us))


def stored(made: ScoredWorld, lake: Path) -> list[StoredScore]:
    with ScoreTopic(settings_of(made, lake), made.topic) as topic:
        return [each for some in topic.batches() for each in some]


def resealed(**changed: Any) -> Callable[[bytes], bytes]:
    """A change by somebody who writes a digest that fits."""
    return lambda value: encode_scored_event(msgspec.structs.replace(decode_as_written(value), **changed))


@pytest.fixture(scope="module")
def scored(
    scores_kafka: KafkaSimulator,
    redis_server: RedisServer,
    model_of_noise: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Scored:
    folder = tmp_path_factory.mktemp("scored")
    copytree(model_of_noise, folder / "registry")
    events = readings(COUNT)
    made = ScoredWorld(scores_kafka, redis_server, folder / "registry", "audited", (events, ()))
    made.open().take([made.polled(0, -1, COUNT - 1)])
    archive(folder / "lake", events)
    return Scored(made, folder / "lake", stored(made, folder / "lake"))


def lacking(scored: Scored, lake: Path, condition: str = "", told: dict[str, int] | None = None) -> Path:
    """A copy of the lake without some events, which says why."""
    copytree(scored.lake, lake)
    table = DeltaTable(lake / "events_readings")
    properties = CommitProperties(app_transactions=[Transaction(*each) for each in (told or {}).items()])
    table.delete(condition or "kafka_offset < 0 AND kafka_offset >= 0", commit_properties=properties)
    if told and not condition:  # a delete of nothing commits nothing
        table.update(updates={"kafka_offset": "kafka_offset"}, commit_properties=properties)
    return lake


def test_scores_of_the_stream_come_out_of_an_audit_bit_for_bit(scored: Scored) -> None:
    found = scored.audit(scored.records, truth=True)
    assert (found.records, found.equal, found.differences, found.missing) == (COUNT, COUNT, [], {})
    assert "60 records of the scores of breakdown: 60 of 60 predictions have" in next(
        audit_lines(found, 5, "breakdown")
    )
    few_at_once = scored.audit(scored.records, at_once=1, events_at_once=1)
    assert (few_at_once.equal, few_at_once.differences) == (COUNT, [])


def test_the_command_finds_a_score_that_was_altered_in_the_topic(
    scores_kafka: KafkaSimulator,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    events = readings(12)
    made = world(events, ())
    made.open().take([made.polled(0, -1, 11)])
    archive(tmp_path / "lake", events)
    in_environment(monkeypatch, settings_of(made, tmp_path / "lake"))
    capsys.readouterr()
    assert main(["audit", "--scores"]) == 0
    equal = "12 of 12 predictions have the same features and scores again, bit for bit"
    first, *others = capsys.readouterr().out.splitlines()
    assert first == f"12 records of the scores of breakdown: {equal}"
    mark_file = tmp_path / "lake" / score_audit_mark_file(BREAKDOWN.name)
    mark = decode_score_audit_mark(mark_file.read_bytes(), "")
    assert (mark.topic, mark.events) == (made.topic, {0: 11})
    assert others == [
        f"audited up to these offsets of {made.topic}: 0: {mark.scores[0]}, 1: 0; `retain` keeps what later scores need"
    ]
    value = stored(made, tmp_path / "lake")[3].value or b""
    producer = Producer({"bootstrap.servers": scores_kafka.bootstrap_servers})
    producer.produce(made.topic, value.replace(b'"score":0.', b'"score":0.1'), b"r3", 0)
    producer.produce(made.topic, b"no record at all", b"r3", 0)
    assert producer.flush(60) == 0
    assert main(["audit", "--scores", "--view", "breakdown"]) == 1
    said = capsys.readouterr().out
    assert f"14 records of the scores of breakdown: {equal}" in said
    assert f"event r3  {ALTERED_SCORE}: its digest is that of another record" in said
    assert f"{UNREADABLE_SCORE}: it cannot be read: JSON is malformed" in said
    later = decode_score_audit_mark(mark_file.read_bytes(), "")
    assert (later.scores[0], later.events) == (mark.scores[0] + 2, {0: 11})
    producer.produce(made.topic, resealed(schema_version=2)(value), b"r3", 0)
    assert producer.flush(60) == 0
    assert main(["audit", "--scores", "--new"]) == 1
    said = capsys.readouterr().out
    assert "1 record of the scores of breakdown: 0 of 0 predictions" in said
    assert "1 score could not be audited yet: the mark stays where it was; audit again" in said
    assert decode_score_audit_mark(mark_file.read_bytes(), "") == later
    mark_file.write_bytes(encode_score_audit_mark(msgspec.structs.replace(later, scores={0: 99})))
    assert main(["audit", "--scores", "--new"]) != 0
    assert "audited up to offset 99 of partition 0, and the partition is shorter" in capsys.readouterr().err


def test_an_audit_of_what_is_new_finds_an_event_without_a_score_behind_the_audit_before(scored: Scored) -> None:
    new = scored.records[40:]
    found = scored.audit(new, known={0: 37})
    assert (found.equal, found.missing) == (20, {"plant.readings/0": [(38, 39)]})
    assert found.last_events == {0: COUNT - 1}
    assert scored.audit([], known={0: 59}).last_events == {0: COUNT - 1}
    assert scored.audit(new[:5]).last_events == {0: 44}


def test_an_audit_of_what_is_new_begins_at_the_mark(scored: Scored) -> None:
    at = scored.records[30].offset
    with ScoreTopic(scored.settings(), "audited", {0: at}) as topic:
        assert [each for some in topic.batches() for each in some] == scored.records[30:]
        end = topic.read_to
    with ScoreTopic(scored.settings(), "audited", end) as topic:
        assert list(topic.batches()) == []
        assert topic.read_to == end


def test_a_score_from_a_value_that_was_altered_in_redis_is_named(world: World, tmp_path: Path) -> None:
    events = readings(30)
    made = world(events, ())
    made.client.mset(stored_states(BREAKDOWN.groups, [event_batch(READINGS, events[:20])]))
    made.applied(ALL)
    made.open().take([made.polled(0, -1, 29)])
    archive(tmp_path / "lake", events)
    found = Scored(made, tmp_path / "lake", []).audit(stored(made, tmp_path / "lake"))
    assert set(found.by_cause) == {ALTERED_VALUE}
    assert found.faults == 30 - found.equal > 0
    assert "and the events give" in found.differences[0].detail


def test_events_that_were_refused_are_counted_and_have_no_score_to_compare(world: World, tmp_path: Path) -> None:
    events = readings(12, late=3)
    made = world(events, ())
    made.open().take([made.polled(0, -1, 11)])
    archive(tmp_path / "lake", events)
    found = Scored(made, tmp_path / "lake", []).audit(stored(made, tmp_path / "lake"))
    assert (found.records, found.refused, found.equal, found.differences) == (12, 3, 9, [])
    assert "3 events without a score: the record says why it was refused" in audit_lines(found, 5, BREAKDOWN.name)


@pytest.mark.parametrize(
    ("change", "cause", "detail"),
    [
        (lambda value: value.replace(b'"decision":', b'"decision": '), ALTERED_SCORE, "digest is that of another"),
        (lambda value: None, UNREADABLE_SCORE, "it cannot be read"),
        (lambda value: value[:-1], UNREADABLE_SCORE, "it cannot be read"),
        (resealed(schema_version=2), OTHER_SCORE_SCHEMA, "it has schema 2"),
        (resealed(partition=1), ALTERED_SCORE, "it lies in partition 0, and its event in 1"),
        (resealed(score=0.5, decision=True), CHANGED_CODE, "the scores are others"),
        (resealed(decision=None), UNREADABLE_SCORE, "it cannot be read"),
        (resealed(score=msgspec.UNSET, decision=msgspec.UNSET), ALTERED_SCORE, "neither a score nor a reason"),
        (resealed(score=msgspec.UNSET, decision=msgspec.UNSET, value=0.5), ALTERED_SCORE, "are not of one answer"),
        (resealed(features="!"), ALTERED_SCORE, "its features are not one row of"),
        (resealed(features="AACAPw=="), ALTERED_SCORE, "its features are not one row of"),
        (resealed(features=""), ALTERED_SCORE, "its features are not one row of"),
        (resealed(view_fingerprint="0"), CHANGED_DEFINITION, "had the fingerprint 0"),
        (resealed(view="breakdown:v9"), CHANGED_DEFINITION, "view breakdown has no version breakdown:v9 now"),
        (resealed(topic="plant.others"), CHANGED_DEFINITION, "it is of topic plant.others"),
        (resealed(model_version=7), CHANGED_MODEL, ""),
        (resealed(model_digest="0"), CHANGED_MODEL, "the one that answered had 0"),
        (resealed(id="r9999"), ALTERED_EVENT, "event r9999 of"),
        (resealed(entities={"machine": "north|other", "plant": "north"}), ALTERED_EVENT, "one of other entities"),
        (resealed(as_of_us=5), ALTERED_EVENT, "of 1970-01-01T00:00:00.000005Z was scored"),
        (resealed(offset=COUNT), MISSING_EVENT, "has no event at plant.readings/0 offset 60"),
        (resealed(offset=3), SCORED_TWICE, "plant.readings/0 offset 3 has an earlier score"),
        (resealed(release="0.0.1", score=0.5, decision=True), CHANGED_CODE, "release 0.0.1 answered"),
    ],
)
def test_a_score_that_was_changed_is_named(
    scored: Scored, change: Callable[[bytes], bytes | None], cause: str, detail: str
) -> None:
    found = scored.audit(scored.one(7, change))
    assert (found.records, found.equal, found.by_cause) == (COUNT, COUNT - 1, {cause: 1})
    (difference,) = found.differences
    assert difference.id.startswith("scores/0 offset ")
    assert detail in difference.detail


def test_a_receipt_that_was_altered_with_its_line_is_named(scored: Scored) -> None:
    def changed(value: bytes) -> bytes:
        altered = bytes(decode_as_written(value).receipt).replace(b'"offset":1000000', b'"offset":5')  # type: ignore[arg-type]
        return resealed(receipt=msgspec.Raw(altered))(value)

    found = scored.audit(scored.one(7, changed))
    assert found.by_cause == {ALTERED_SCORE: 1}
    assert "A receipt was changed" in found.differences[0].detail


def test_a_record_of_a_release_that_wrote_no_digest_is_compared_too(scored: Scored) -> None:
    def old(value: bytes) -> bytes:
        return value[: value.index(b',"release":')] + b"}"

    found = scored.audit(scored.one(7, old))
    assert (found.equal, found.differences) == (COUNT, [])
    mine, other = (decode_as_written(scored.records[at].value or b"").features.encode() for at in (7, 8))
    found = scored.audit(scored.one(7, lambda value: old(value).replace(mine, other)))
    assert found.by_cause == {CHANGED_CODE: 1}


def test_events_without_a_score_and_scores_that_came_twice_are_told(scored: Scored) -> None:
    found = scored.audit([*scored.records[5:20], *scored.records[22:], scored.records[30]])
    assert found.missing == {"plant.readings/0": [(20, 21)]}
    assert found.by_cause == {SCORED_TWICE: 1}
    assert "2 events of plant.readings/0 without a record of a score: 20 to 21" in audit_lines(found, 5, "breakdown")


def test_an_offset_without_an_event_needs_no_score(scored: Scored, tmp_path: Path) -> None:
    """Dead letters and markers of transactions have offsets, too."""
    lake = lacking(scored, tmp_path / "lake", "kafka_offset = 58", {ERASURES_APP: 1})
    found = scored.audit([*scored.records[:20], *scored.records[21:58], scored.records[59]], lake=lake)
    assert found.missing == {"plant.readings/0": [(20, 20)]}


@pytest.mark.parametrize(
    ("told", "cause", "detail"),
    [
        ({}, MISSING_EVENT, "does not say that one was deleted, lost or erased"),
        ({KEPT_FROM_APP: 5}, DELETED_EVENTS, "retention has deleted plant.readings/0 offset 0"),
        ({ERASURES_APP: 1}, ERASED_EVENTS, "has no event, and events of the topic were erased"),
        (
            {gaps_app(*PLACE): 1, gap_app(*PLACE, 0, "first"): 0, gap_app(*PLACE, 0, "past"): 1},
            LOST_EVENTS,
            "was gone before it was archived",
        ),
    ],
)
def test_why_an_event_is_not_in_the_archive_is_named(
    scored: Scored, tmp_path: Path, told: dict[str, int], cause: str, detail: str
) -> None:
    found = scored.audit(scored.records[:1], lake=lacking(scored, tmp_path / "lake", "kafka_offset = 0", told))
    assert found.by_cause == {cause: 1}
    assert detail in found.differences[0].detail
    assert bool(found.faults) == (cause == MISSING_EVENT)


def test_an_event_that_is_not_archived_yet_is_no_fault(scored: Scored, tmp_path: Path) -> None:
    lake = lacking(scored, tmp_path / "lake", "kafka_offset >= 50", {offset_app(*PLACE): 49})
    found = scored.audit(scored.records, lake=lake)
    assert (set(found.by_cause), found.faults) == ({UNARCHIVED_EVENTS}, 0)
    assert "archived up to offset 49, and the event has 50" in found.differences[0].detail
    ((_, (_, event)),) = found.waiting.items()
    assert event <= 50, "a mark stands before the first that waits, also for an event that its receipt names"
    assert found.equal >= event, "all before it came out equal"


def test_the_scores_that_wait_for_the_archive_are_audited_the_next_time(
    scored: Scored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a topic that is never idle the newest ones always wait: the mark never moved."""
    lake = lacking(scored, tmp_path / "lake", "kafka_offset >= 50", {offset_app(*PLACE): 49})
    in_environment(monkeypatch, settings_of(scored.made, lake))
    assert main(["audit", "--scores"]) == 0
    said = capsys.readouterr().out
    assert "scores must wait for the archive" in said
    mark = decode_score_audit_mark((lake / score_audit_mark_file(BREAKDOWN.name)).read_bytes(), "")
    done = mark.events[0] + 1
    assert mark.scores[0] == scored.records[done].offset
    shutil.rmtree(lake / "events_readings")
    copytree(scored.lake / "events_readings", lake / "events_readings")
    assert main(["audit", "--scores", "--new"]) == 0
    left = COUNT - done
    assert f"{left} records of the scores of breakdown: {left} of {left} predictions" in capsys.readouterr().out


OLD_SOURCE = replace(READINGS, name="old_readings", topic="plant.old_readings")
OLD_PLACE = OLD_SOURCE.topic, TOPIC_ID, 0


@pytest.fixture
def moved(scored: Scored) -> tuple[Catalogue, list[StoredScore]]:
    """The first version of the view is on another source than the newest one. The first 30 scores are by it."""
    catalogue = load_definitions(DEFINITIONS)
    old, new = replace(BREAKDOWN, source=OLD_SOURCE, labels=None), replace(BREAKDOWN, version=2)
    by_old = resealed(topic=OLD_SOURCE.topic, view_fingerprint=old.fingerprint)
    by_new = resealed(view=new.label, view_fingerprint=new.fingerprint)
    records = [
        each._replace(value=(by_old if row < 30 else by_new)(each.value or b""))
        for row, each in enumerate(scored.records)
    ]
    return replace(catalogue, views=(old, new)), records


def test_scores_of_a_version_that_was_on_another_source_are_audited_by_its_events(
    scored: Scored, moved: tuple[Catalogue, list[StoredScore]], tmp_path: Path
) -> None:
    """They were taken for scores of the newest source's events at the same offsets, whatever these were."""
    catalogue, records = moved
    lake = lacking(scored, tmp_path / "lake")
    archive(lake, readings(COUNT)[:40], OLD_SOURCE)
    found = scored.audit(records, lake=lake, catalogue=catalogue)
    assert (found.equal, found.differences, found.missing) == (COUNT, [], {})
    assert found.last_events == {0: COUNT - 1}
    less = scored.audit([*records[:10], *records[12:]], lake=lake, catalogue=catalogue)
    assert less.missing == {"plant.old_readings/0": [(10, 11)]}
    other = tmp_path / "other"
    copytree(scored.lake, other)
    archive(other, readings(COUNT)[1:41], OLD_SOURCE)
    found = scored.audit(records, lake=other, catalogue=catalogue)
    assert (found.equal, found.by_cause) == (30, {ALTERED_EVENT: 30}), "its own source has other events there"


def test_scores_of_a_source_that_the_lake_does_not_have_are_counted_and_are_no_fault(
    scored: Scored, moved: tuple[Catalogue, list[StoredScore]]
) -> None:
    catalogue, records = moved
    found = scored.audit(records, catalogue=catalogue)
    assert (found.records, found.equal, found.by_cause, found.faults) == (COUNT, 30, {NO_ARCHIVE: 30}, 0)
    said = "view breakdown:v1 was on source 'old_readings', so the score is not compared. "
    assert found.differences[0].detail.startswith(said)
    assert "no table 'events_old_readings'" in found.differences[0].detail
    assert f"{NO_ARCHIVE}: 30 records (no fault is shown" in "\n".join(audit_lines(found, 5, BREAKDOWN.name))


def test_events_of_an_older_version_by_another_definition_end_the_audit(
    scored: Scored, moved: tuple[Catalogue, list[StoredScore]], tmp_path: Path
) -> None:
    """They counted as events that the lake does not have: no fault, and the mark passed scores that nobody compared."""
    catalogue, records = moved
    lake = lacking(scored, tmp_path / "lake")
    archive(lake, readings(COUNT)[:40], OLD_SOURCE)
    other = replace(OLD_SOURCE, fields=tuple(map(_in_hundredths, OLD_SOURCE.fields)))
    DeltaTable(lake / "events_old_readings").alter.set_table_properties(
        {DEFINITION: source_text(other)}, raise_if_not_exists=False
    )
    with pytest.raises(DatasetError, match="'events_old_readings' holds events by another definition"):
        scored.audit(records, lake=lake, catalogue=catalogue)


def _in_hundredths(field: Field) -> Field:
    return replace(field, type=Decimal(decimals=2, low=-80, high=500)) if field.name == "celsius" else field


def test_no_mark_passes_scores_of_another_source_that_wait_for_its_archive(
    scored: Scored, moved: tuple[Catalogue, list[StoredScore]], tmp_path: Path
) -> None:
    """A mark names events of the newest source alone."""
    catalogue, records = moved
    lake = lacking(scored, tmp_path / "lake")
    archive(lake, readings(COUNT)[:20], OLD_SOURCE)
    properties = CommitProperties(app_transactions=[Transaction(offset_app(*OLD_PLACE), 19)])
    DeltaTable(lake / "events_old_readings").update(
        updates={"kafka_offset": "kafka_offset"}, commit_properties=properties
    )
    found = scored.audit(records, lake=lake, catalogue=catalogue)
    assert (found.equal, found.by_cause, found.waiting, found.waiting_elsewhere) == (
        50, {UNARCHIVED_EVENTS: 10}, {}, 10
    )  # fmt: skip


def test_a_model_that_was_published_again_is_named(scored: Scored, tmp_path: Path) -> None:
    publish(tmp_path, BREAKDOWN, 1)
    assert scored.audit(scored.records, registry=tmp_path).by_cause == {CHANGED_MODEL: COUNT}


def test_a_lake_without_the_events_is_refused(scored: Scored, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no table 'events_readings'"):
        scored.audit(scored.records, lake=tmp_path)


@pytest.mark.parametrize(
    ("changed", "view", "said"),
    [
        ({"score_topics": {}}, None, "MILLRACE_SCORE_TOPICS is empty"),
        ({"score_topics": {}}, "breakdown", "MILLRACE_SCORE_TOPICS is empty"),
        ({"score_topics": {"a": "1", "b": "2"}}, None, "names a, b. Choose one by --view"),
        ({}, "breakdwn", "no topic for view 'breakdwn'. It has breakdown. Did you mean 'breakdown'?"),
    ],
)
def test_a_view_that_is_not_scored_is_refused(
    scored: Scored, changed: dict[str, Any], view: str | None, said: str
) -> None:
    with pytest.raises(TrainingError) as error:
        topic_of(scored.settings(**changed), view)
    assert said in str(error.value)


def test_a_topic_that_is_missing_or_empty_and_brokers_that_do_not_answer_are_told(scored: Scored) -> None:
    with pytest.raises(TrainingError, match=r"has no topic nowhere .*Correct MILLRACE_SCORE_TOPICS"):
        ScoreTopic(scored.settings(), "nowhere")
    scored.made.kafka.create_topic("empty-scores", 2)
    with pytest.raises(TrainingError, match="Topic empty-scores has no scores"):
        ScoreTopic(scored.settings(), "empty-scores")
    nobody = f"127.0.0.1:{free_port()}"
    with pytest.raises(TrainingError, match=rf"Kafka at {nobody} does not answer .*Start it"):
        ScoreTopic(scored.settings(kafka_bootstrap_servers=nobody), "audited", answer_s=0.2)


def test_the_log_is_audited_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--new"]) != 0
    assert "audit a view's scores: --scores" in capsys.readouterr().err
