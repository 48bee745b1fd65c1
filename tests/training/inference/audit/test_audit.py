"""The audit computes what serving answered again: nothing differs by itself, and what somebody changed is named."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.transaction import Transaction

from serving.app import create_app
from serving.prediction_log.log_metrics import LogMetrics
from serving.prediction_log.prediction_log import PredictionLog
from serving.settings import ServingSettings
from shared_features.definitions import load_definitions
from shared_features.formats.audit_mark import AUDIT_MARK, decode_mark
from shared_features.formats.offline_tables import (
    ARRIVAL_TIME,
    ERASURES_APP,
    KEPT_FROM_APP,
    WATERMARK_APP,
    gap_app,
    gaps_app,
    offset_app,
)
from shared_features.formats.online_state import meta_key
from shared_features.formats.prediction_log import LoggedPrediction, decode_record, encode_record, erased, is_erased
from shared_features.formats.receipt import AppliedPosition, decode_receipt
from shared_features.formats.shard_meta import VectorEntry
from shared_features.formats.shard_meta_bytes import encode_meta
from shared_features.kernel.event_time import DAY_US, to_text
from tests.domains.machines import BREAKDOWN, READINGS
from tests.fakes import InMemoryOnlineStore, PushedClock
from tests.serving.asking import PATH
from tests.serving.conftest import asking
from tests.serving.published_models import publish
from tests.serving.stored_states import NAMESPACE, shard_meta, stored_states
from tests.training.lake import PARTITIONS, EventRows, write_events
from tests.training.machine_streams import machine_streams
from training.__main__ import main
from training.datasets.offline_store import OfflineStore
from training.errors import DatasetError
from training.inference.audit.audit import audit
from training.inference.audit.audit_text import audit_lines
from training.inference.audit.findings import (
    ALTERED_RECORD,
    ALTERED_VALUE,
    CHANGED_CODE,
    CHANGED_DEFINITION,
    CHANGED_MODEL,
    CLOCK,
    DELETED_EVENTS,
    ERASED_EVENTS,
    LATE_EVENT,
    LOST_EVENTS,
    OTHER_SCHEMA,
    STREAM_LAG,
    UNARCHIVED_EVENTS,
    Audited,
)
from training.inference.audit.stored_log import StoredLog
from training.registry.versions import Registry

CATALOGUE = load_definitions("tests.domains.machines")
LAST = dict.fromkeys(range(PARTITIONS), 250)
"""The last offset of each partition, of 753 events."""


class Kept:
    """A delivery that keeps what it gets."""

    under_way, is_done = 0, True

    def __init__(self) -> None:
        self.records: list[bytes] = []

    def send(self, key: bytes, record: bytes) -> None:
        self.records.append(record)

    def work(self, within_s: float) -> None:
        pass

    def close(self) -> None:
        pass


@dataclass
class World:
    """A lake with events, a registry with a model, and what was logged of answers from several states of Redis."""

    lake: Path
    registry: Path
    events: EventRows
    logged: list[LoggedPrediction]

    def audit(
        self, logged: list[LoggedPrediction], registry: Path | None = None, lake: Path | None = None, **bounds: Any
    ) -> Audited:
        with TemporaryDirectory() as folder:
            write_log(Path(folder), logged)
            log = StoredLog(OfflineStore(Path(folder)))
            store = OfflineStore(lake or self.lake)
            return audit(store, Registry(registry or self.registry), CATALOGUE, log, **bounds)


def states_at(events: EventRows, vector: dict[int, int]) -> dict[bytes, bytes]:
    """The online store once its shards have applied the events up to these offsets of their partitions."""
    held = np.array([vector[number] for number in range(PARTITIONS)])[events.partition] >= events.offset
    taken = np.flatnonzero(held)
    states = stored_states(BREAKDOWN.groups, [events.batch.take(taken)])
    until_us = int(events.arrival_us[taken].max())
    for group in BREAKDOWN.groups:
        for shard in range(group.shards):
            entries = {
                (READINGS.topic, "topic-id", number): VectorEntry(offset, until_us) for number, offset in vector.items()
            }
            states[meta_key(NAMESPACE, group, shard)] = encode_meta(shard_meta(group, shard, vector=entries))
    return states


def bodies(events: EventRows, at_us: int) -> list[dict[str, Any]]:
    """Requests of every kind: undecided decimals, missing fields, unknown machines, several instances, named events."""
    machines = [f"m{number}" for number in range(8)]
    numbers = cycle((71.35, 71.25, 0.05, -12, 300))
    instances = [
        {"plant": f"plant|{number % 3}", "machine": machine, "celsius": celsius, "firmware": "v1", "humidity": 0.5}
        for number, (machine, celsius) in enumerate(zip(machines, numbers, strict=False))
    ]
    unknown = {"plant": "p", "machine": "never", "celsius": 20.5}
    named = instances[1] | {"at": to_text(at_us - 30_000_000)}
    return [*({"instances": [each]} for each in instances), {"instances": [unknown, named, *instances[:3]]}]


def answers(
    registry: Path, moments: list[tuple[dict[bytes, bytes], int]], events: EventRows, monkeypatch: pytest.MonkeyPatch
) -> list[LoggedPrediction]:
    """What is logged while Redis holds these states, one after another, at these instants."""
    kept, store, clock = Kept(), InMemoryOnlineStore({}), PushedClock(0)
    monkeypatch.setattr(
        "serving.app.open_log", lambda settings, metrics: PredictionLog("p", kept, LogMetrics(metrics.registry))
    )
    given: dict[str, Any] = {
        "definitions": "tests.domains.machines",
        "redis_namespace": NAMESPACE,
        "registry": registry,
    }
    settings = ServingSettings(**given, serving_max_wait_ms=60_000)

    async def ask() -> None:
        store.values = moments[0][0]
        async with asking(create_app(settings, store=store, clock=clock)) as client:
            for store.values, clock.now_us in moments:
                sent = [client.post(PATH, json=body) for body in bodies(events, clock.now_us)]
                for answer in await asyncio.gather(*sent):
                    assert answer.status_code == 200, answer.text

    asyncio.run(ask())
    return [decode_record(each) for each in kept.records]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    events = machine_streams(days=3, per_day=250)["readings"]
    events = EventRows(events.batch.take(np.arange(753)), events.arrival_us[:753])
    write_events(folder / "lake", events, watermark_us=int(events.arrival_us[-1]))
    publish(folder / "registry", BREAKDOWN)
    # In the order of one life, then rolled back, then two lives that hold different events.
    vectors = [
        {0: 60, 1: 60, 2: 60}, {0: 150, 1: 149, 2: 140}, LAST, {0: 200, 1: 200, 2: 200},
        {0: 210, 1: 180, 2: 200}, {0: 180, 1: 210, 2: 200},
    ]  # fmt: skip
    moments = []
    for vector in vectors:
        held = np.array([vector[number] for number in range(PARTITIONS)])[events.partition] >= events.offset
        moments.append((states_at(events, vector), int(events.batch.event_time_us[held].max()) + 60_000_000))
    with pytest.MonkeyPatch.context() as patch:
        logged = answers(folder / "registry", moments, events, patch)
    assert len(logged) == 6 * 9
    return World(folder / "lake", folder / "registry", events, logged)


def resealed(record: LoggedPrediction, **changed: Any) -> LoggedPrediction:
    """The record as a process would have written it."""
    return decode_record(encode_record(msgspec.structs.replace(record, **changed)))


def test_every_prediction_comes_out_again_bit_for_bit_whatever_lives_its_shards_had(world: World) -> None:
    found = world.audit(world.logged)
    assert found.differences == []
    assert (found.records, found.predictions, found.equal, found.missing) == (54, 78, 78, {})
    distinct = {each.features for each in world.logged}
    assert len(distinct) > 30  # the states did differ


def test_however_little_is_in_memory_at_once_the_audit_finds_the_same(world: World) -> None:
    altered = msgspec.structs.replace(world.logged[3], scores="[0.5]")
    found = world.audit(
        [*world.logged, altered, resealed(world.logged[4], model_version=7)], at_once=1, events_at_once=1
    )
    assert (found.equal, found.predictions, found.missing) == (78, 78, {})
    assert found.by_cause == {ALTERED_RECORD: 1, CHANGED_MODEL: 1}


def lacking(world: World, lake: Path, condition: str, **told: int) -> Path:
    """The lake without these events, and with these application transactions."""
    copytree(world.lake, lake)
    table = DeltaTable(str(lake / "events_readings"))
    transactions = [Transaction(app, version) for app, version in told.items()]
    table.delete(condition, commit_properties=CommitProperties(app_transactions=transactions))
    return lake


def test_events_that_retention_deleted_are_the_cause_and_not_an_altered_value(world: World, tmp_path: Path) -> None:
    kept_us = int(world.events.arrival_us[400])
    lake = lacking(world, tmp_path / "lake", f"{ARRIVAL_TIME} < {kept_us}", **{KEPT_FROM_APP: kept_us})
    found = world.audit(world.logged, lake=lake)
    assert set(found.by_cause) == {DELETED_EVENTS}
    assert "reach were deleted by retention" in found.differences[0].detail
    assert found.faults == 0


def test_after_an_erasure_others_whose_windows_held_the_erased_events_are_not_called_altered(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plant of two machines that were erased has fewer hot readings now than it was answered from."""
    whose = "plant = 'plant|1' AND machine IN ('m1', 'm13')"
    lake = lacking(world, tmp_path / "lake", whose, **{ERASURES_APP: 1})
    logged = [erased(each) if '"machine":"m1"' in each.request else each for each in world.logged]
    assert 0 < sum(map(is_erased, logged)) < len(logged)
    found = world.audit(logged, lake=lake)
    assert (set(found.by_cause), found.faults) == ({ERASED_EVENTS}, 0)
    assert found.erased == sum(map(is_erased, logged))
    told = "1 record was erased with an entity" if found.erased == 1 else f"{found.erased} records were erased"
    assert any(line.startswith(told) for line in audit_lines(found, 0))
    without_count = world.audit(logged, lake=lacking(world, tmp_path / "altered", whose))
    assert set(without_count.by_cause) == {ALTERED_VALUE}  # nobody said that anything was erased


def test_an_erasure_does_not_hide_an_altered_value_of_another_group(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Erased events explain what is computed from their group alone."""
    early = int(world.events.arrival_us[0])
    lake = lacking(world, tmp_path / "lake", f"{ARRIVAL_TIME} = {early}", **{ERASURES_APP: 1})
    logged, at = altered_in_redis(world, monkeypatch)
    assert at > early + 2 * DAY_US
    assert set(world.audit(logged, lake=lake).by_cause) == {ALTERED_VALUE}


def test_events_that_were_lost_before_they_were_archived_are_the_cause(world: World, tmp_path: Path) -> None:
    place = READINGS.topic, "topic-id", 1
    gap = {gaps_app(*place): 1, gap_app(*place, 0, "first"): 100, gap_app(*place, 0, "past"): 130}
    condition = "kafka_partition = 1 AND kafka_offset >= 100 AND kafka_offset < 130"
    lake = lacking(world, tmp_path / "lake", condition, **gap)
    found = world.audit(world.logged, lake=lake)
    assert (set(found.by_cause), found.faults) == ({LOST_EVENTS}, 0)
    assert "offsets 100 to 129 of plant.readings/1 were gone before they were archived" in found.differences[0].detail
    untold = world.audit(world.logged, lake=lacking(world, tmp_path / "untold", condition))
    assert (set(untold.by_cause), untold.faults) == ({ALTERED_VALUE}, untold.by_cause.total())


def test_a_record_whose_events_the_archive_does_not_have_yet_waits_for_it(world: World, tmp_path: Path) -> None:
    stored = {offset_app(READINGS.topic, "topic-id", number): 149 for number in range(PARTITIONS)}
    lake = lacking(world, tmp_path / "lake", "kafka_offset >= 150", **stored)
    found = world.audit(world.logged, lake=lake)
    assert (set(found.by_cause), found.faults) == ({UNARCHIVED_EVENTS}, 0)
    assert "is archived up to offset 149, and the answer is from those up to" in found.differences[0].detail


def test_what_event_time_truth_has_more_of_is_named_late_or_lag_or_clock_and_is_not_a_fault(world: World) -> None:
    """Of requests as of the end of the events: by when they came, and how far their shards had come."""
    end_us = int(world.events.arrival_us.max()) + 1
    held = [each for each in world.logged[:8] if '"offset":60' in each.receipt]
    assert len(held) == 8  # all of the first state of Redis, which has not applied what came after it
    instants = msgspec.json.encode([end_us]).decode()

    def found(came_us: int, at_us: int) -> Counter[str]:
        asked = [resealed(each, instants=instants, at_us=at_us, latency_us=at_us - came_us) for each in held]
        audited = world.audit(asked, truth=True)
        assert audited.unseen is not None
        assert len(list(audit_lines(audited, 0))) > 2
        return +audited.unseen

    consumed_us = max(at.consumed_until_us for each in held for at in vector_of(each))
    lag = found(end_us, end_us + 1)
    assert set(lag) == {STREAM_LAG}
    assert found(consumed_us, consumed_us) == {LATE_EVENT: lag[STREAM_LAG]}
    assert found(consumed_us - 1, consumed_us - 1) == {CLOCK: lag[STREAM_LAG]}
    everything = [each for each in world.logged if '"offset":250' in each.receipt]
    now = world.audit(everything, truth=True)
    assert (now.faults, +(now.unseen or Counter())) == (0, Counter())
    assert world.audit(everything).unseen is None


def vector_of(record: LoggedPrediction) -> list[AppliedPosition]:
    return [at for shard in decode_receipt(record.receipt.encode()).shards for at in shard.vector]


def altered_in_redis(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[list[LoggedPrediction], int]:
    """What is logged where a machine has an old state, and when."""
    states = states_at(world.events, LAST)
    earlier = states_at(world.events, {0: 60, 1: 60, 2: 60})
    key = next(key for key in states if b":e:" in key and key.endswith(b"m1") and states[key] != earlier.get(key))
    states[key] = earlier[key]
    at_us = int(world.events.batch.event_time_us.max()) + 60_000_000
    return answers(world.registry, [(states, at_us)], world.events, monkeypatch), at_us


def test_a_value_that_was_altered_in_redis_is_named_with_its_feature(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged, _ = altered_in_redis(world, monkeypatch)
    found = world.audit(logged)
    assert found.faults == found.by_cause.total()
    assert set(found.by_cause) == {ALTERED_VALUE}
    told = {each.id: each.detail for each in found.differences}
    assert len(told) == 2  # the request of this machine, and that of several
    assert all("machine_heat__" in detail or "above_mean_1h" in detail for detail in told.values())
    assert not any("release" in detail for detail in told.values())  # "0.1.0 answered, this is 0.1.0" explained nothing
    assert found.records == 9


@pytest.mark.parametrize(
    "changed",
    [
        {"scores": "[0.5]"},
        {"features": "AACAPw=="},
        {"as_of_us": 5},
        {"request": "{}"},
        {"receipt": "{}"},
        {"caller": "somebody else"},
        {"view": "breakdown:v9"},
        {"id": "p-77"},
        {"instance": "q"},
        {"counter": 10**15},  # the numbers below it were all put into a set
        {"counter": -1},
        {"schema_version": 2},
    ],
)
def test_a_log_line_that_was_altered_is_named(world: World, changed: dict[str, Any]) -> None:
    altered = msgspec.structs.replace(world.logged[3], **changed)
    found = world.audit([*world.logged[:3], altered, *world.logged[4:]])
    (difference,) = found.differences
    cause = OTHER_SCHEMA if "schema_version" in changed else ALTERED_RECORD
    assert (difference.id, difference.cause) == (altered.id, cause)
    assert found.missing == ({"p": [(3, 3)]} if {"counter", "instance"} & set(changed) else {})


@pytest.mark.parametrize("genuine_first", [True, False])
def test_an_altered_copy_of_a_record_is_named_and_hides_neither_it_nor_itself(
    world: World, genuine_first: bool
) -> None:
    altered = msgspec.structs.replace(world.logged[0], scores="[0.5]")
    pair = [world.logged[0], altered] if genuine_first else [altered, world.logged[0]]
    found = world.audit([*pair, world.logged[0]])
    assert (found.records, found.equal) == (2, 1)
    assert found.by_cause == {ALTERED_RECORD: 1}


def test_an_erased_record_is_counted_and_neither_altered_nor_missing(world: World) -> None:
    emptied = [erased(each) if each.counter in (3, 5) else each for each in world.logged]
    found = world.audit(emptied)
    assert (found.erased, found.differences, found.missing) == (2, [], {})
    assert list(audit_lines(found, 5)) == [
        "54 records of the prediction log: 76 of 76 predictions have the same features and scores again, bit for bit",
        "2 records were erased with an entity",
    ]
    found = world.audit([msgspec.structs.replace(world.logged[0], request="")])  # only the request, and not the digest
    assert (found.erased, found.by_cause) == (0, {ALTERED_RECORD: 1})


def test_a_record_of_a_later_release_does_not_end_the_audit_of_the_others(world: World) -> None:
    found = world.audit([resealed(world.logged[0]), msgspec.structs.replace(world.logged[1], schema_version=2)])
    assert (found.equal, found.by_cause) == (1, {OTHER_SCHEMA: 1})
    assert "a later release wrote it, or it was altered" in found.differences[0].detail


def test_a_receipt_that_was_altered_with_its_line_is_named(world: World) -> None:
    """Whoever writes a new digest of the record must know of the receipt's own."""
    receipt = world.logged[0].receipt.replace('"offset":60', '"offset":59')
    found = world.audit([resealed(world.logged[0], receipt=receipt)])
    assert found.by_cause == {ALTERED_RECORD: 1}
    assert "receipt was changed" in found.differences[0].detail


@pytest.mark.parametrize(
    "changed",
    [
        {"request": '{"instances":[{"plant":"p","machine":"m0","celsius":null}]}'},  # nothing stands for it
        {"request": '{"instances":[{"plant":"p"'},
        {"request": '{"instances":[]}{"instances":[]}'},  # read as lines, they would be two requests
        {"instants": "[]"},
        {"features": "!"},
        {"features": "AACAPw=="},
    ],
)
def test_a_record_that_does_not_agree_with_itself_is_named_and_ends_no_audit(
    world: World, changed: dict[str, Any]
) -> None:
    found = world.audit([world.logged[0], resealed(world.logged[3], **changed), world.logged[1]])
    assert (found.equal, found.by_cause) == (2, {ALTERED_RECORD: 1})
    assert found.differences[0].id == world.logged[3].id


def test_a_request_with_spaces_around_it_is_computed_again_as_the_others(world: World) -> None:
    spaced = resealed(world.logged[3], request=f"\n {world.logged[3].request}\n", scores=f" {world.logged[3].scores}")
    found = world.audit([*world.logged[:3], spaced])
    assert (found.equal, found.differences) == (4, [])


def test_a_definition_a_model_or_a_release_that_changed_is_named(world: World, tmp_path: Path) -> None:
    first, second, third, fourth, fifth = islice(world.logged, 5)
    found = world.audit(
        [
            resealed(first, view_fingerprint="0" * 16),
            resealed(second, view="breakdown:v9"),
            resealed(third, model_version=7),
            resealed(fourth, release="0.0.1", scores="[0.5]"),
            fifth,
        ]
    )
    causes = {each.id: each.cause for each in found.differences}
    wanted = CHANGED_DEFINITION, CHANGED_DEFINITION, CHANGED_MODEL, CHANGED_CODE
    assert causes == {each.id: cause for each, cause in zip((first, second, third, fourth), wanted, strict=True)}
    assert found.equal == 1
    publish(tmp_path, BREAKDOWN, 1)
    assert world.audit(world.logged, tmp_path).by_cause == {CHANGED_MODEL: 54}


def test_the_command_says_what_is_missing_and_ends_with_1_where_something_differs(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("DEFINITIONS", "tests.domains.machines"), ("REGISTRY", world.registry), ("LAKE", tmp_path)):
        monkeypatch.setenv(f"MILLRACE_{name}", str(value))
    write_events(tmp_path, world.events, watermark_us=int(world.events.arrival_us[-1]))
    log = [each for each in world.logged if each.counter != 4]
    write_log(tmp_path, [*log, log[0]])  # one came twice
    assert main(["audit"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "53 records of the prediction log: 77 of 77 predictions have the same features and scores again, bit for bit",
        "process p has no record of 1 answer: 4",
    ]
    write_log(tmp_path, [resealed(each, model_version=9) for each in log[:2]])
    assert main(["audit", "--show", "1"]) == 1
    assert "and 1 other; --show N shows more" in capsys.readouterr().out


def test_the_command_marks_what_was_audited_unless_a_record_has_to_wait(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("DEFINITIONS", "tests.domains.machines"), ("REGISTRY", world.registry), ("LAKE", tmp_path)):
        monkeypatch.setenv(f"MILLRACE_{name}", str(value))
    write_events(tmp_path, world.events, watermark_us=int(world.events.arrival_us[-1]))
    write_log(tmp_path, world.logged[:1], {WATERMARK_APP: 1_772_323_200_000_000})
    assert main(["audit"]) == 0
    assert "audited up to 2026-03-01T00:00:00Z: `retain` keeps nothing any more" in capsys.readouterr().out
    assert decode_mark((tmp_path / AUDIT_MARK).read_bytes(), "") == 1_772_323_200_000_000
    write_log(tmp_path, [msgspec.structs.replace(world.logged[1], schema_version=2)], {WATERMARK_APP: 5 * 10**15})
    assert main(["audit"]) == 1
    assert "1 record could not be audited yet: `retain` keeps what the log needs" in capsys.readouterr().out
    assert decode_mark((tmp_path / AUDIT_MARK).read_bytes(), "") == 1_772_323_200_000_000


def write_log(lake: Path, logged: list[LoggedPrediction], told: Mapping[str, int] = MappingProxyType({})) -> None:
    rows = pl.DataFrame([msgspec.structs.asdict(each) for each in logged])
    transactions = CommitProperties(app_transactions=[Transaction(*each) for each in told.items()])
    write_deltalake(lake / "events_prediction_log", rows, mode="overwrite", commit_properties=transactions)


def test_without_a_log_it_says_so(world: World) -> None:
    with pytest.raises(DatasetError, match="no table 'events_prediction_log'"):
        StoredLog(OfflineStore(world.lake))
