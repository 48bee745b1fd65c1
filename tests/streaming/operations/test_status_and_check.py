"""Status and check against a real redis-server, the simulator and a lake: running, not running, and gone."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise

import pyarrow as pa
import pytest
import redis
from confluent_kafka import Producer
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.transaction import Transaction

from deploy.embedded.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from shared_features.definitions import definition_text, load_definitions
from shared_features.formats.offline_tables import (
    ARRIVAL_TIME,
    DEAD_LETTERS_TABLE,
    WATERMARK_APP,
    events_table,
    offset_app,
    partitions_app,
)
from shared_features.formats.online_state import definition_key, meta_key
from shared_features.formats.shard_meta import ShardMeta, VectorEntry, encode_meta
from streaming.errors import RefusedError
from streaming.kafka.look import KafkaLook
from streaming.lake.events_table import events_schema
from streaming.lake.look import LakeLook
from streaming.online_store.look import RedisLook
from streaming.operations.check.command import find, refuse_unsafe
from streaming.operations.status.answer import status_json
from streaming.operations.status.observer import StatusObserver
from streaming.operations.status.positions import durable_positions
from streaming.operations.status.table import status_table
from streaming.settings import StreamingSettings
from tests.streaming.processes import ROOT

CATALOGUE = load_definitions("shared_features.feature_views")
SOURCE = CATALOGUE.source("card_transactions")
GROUP = CATALOGUE.group("customer_spend:v1")
TOPICS = {source.topic: 2 for source in CATALOGUE.sources}
NOW_US = 1_800_000_000_000_000


@pytest.fixture(scope="module")
def servers():
    with ExitStack() as stack:
        yield stack.enter_context(KafkaSimulator(TOPICS)), stack.enter_context(RedisServer())


@pytest.fixture
def settings(servers, tmp_path, request):
    """A namespace and a lake of the test's own; three records in each partition of each topic."""
    simulator, _ = servers
    producer = Producer({"bootstrap.servers": simulator.bootstrap_servers})
    look = KafkaLook(settings_for(servers, tmp_path, "x"))
    if not any(each.high for each in look.bounds(look.topics(TOPICS).values()).values()):
        for topic, count in TOPICS.items():
            for number in range(3 * count):
                producer.produce(topic, b"{}", partition=number % count, timestamp=NOW_US // 1000)
        producer.flush(10)
    (tmp_path / "lake").mkdir()
    return settings_for(servers, tmp_path, f"test{abs(hash(request.node.name))}")


def settings_for(servers, folder, namespace, **others):
    simulator, server = servers
    return StreamingSettings(
        **{
            "kafka_bootstrap_servers": simulator.bootstrap_servers,
            "redis_url": server.url,
            "redis_namespace": namespace,
            "lake": folder / "lake",
            "topic_mode": "embedded",
            **others,
        }
    )


def topic_of(settings):
    return KafkaLook(settings).topics([SOURCE.topic])[SOURCE.topic]


def commit_shards(settings, offsets, *, topic_id=None, fingerprint=GROUP.fingerprint):
    """Write the meta of every shard of the group; `offsets` per shard, the same in both partitions."""
    client = redis.Redis.from_url(settings.redis_url)
    for number, offset in enumerate(offsets):
        vector = {
            (SOURCE.topic, topic_id or topic_of(settings).id, partition): VectorEntry(offset, NOW_US - 5_000_000)
            for partition in range(2)
        }
        meta = ShardMeta(os.urandom(16), 1, False, fingerprint, NOW_US - 1_000_000, vector)
        client.set(meta_key(settings.redis_namespace, GROUP, number), encode_meta(meta))
    client.close()


def write_table(settings, name, schema, rows, versions):
    write_deltalake(
        settings.lake / name,
        pa.Table.from_pylist(rows, schema=schema),
        commit_properties=CommitProperties(
            app_transactions=[Transaction(app_id=app, version=version) for app, version in versions.items()]
        ),
    )


def event(number, lateness_us=0):
    time_us = NOW_US - lateness_us
    row = {"transaction_id": number, "event_time": time_us, "customer_id": 1, "terminal_id": 2, "amount": 1_000}
    place = {"kafka_partition": 0, "kafka_offset": 0, "record_time_us": NOW_US, "arrival_date": "2027-01-15"}
    return {**row, **place, ARRIVAL_TIME: NOW_US}


def archive(settings, events_at, dead_at):
    topic = topic_of(settings)
    at = {offset_app(topic.name, topic.id, number): events_at for number in range(2)}
    rows = [event(1), event(1), event(2, 3_600_000_000), event(3)]
    stored = {**at, partitions_app(topic.name, topic.id): 2, WATERMARK_APP: NOW_US}
    write_table(settings, events_table(SOURCE), events_schema(SOURCE), rows, stored)
    dead = pa.schema([("topic", pa.string()), ("reason", pa.string())])
    positions = dict.fromkeys(at, dead_at)
    write_table(settings, DEAD_LETTERS_TABLE, dead, [{"topic": SOURCE.topic, "reason": "no JSON"}], positions)


def refused(settings):
    return [str(each) for each in find(settings) if each.level == "refused"]


def test_before_the_first_run_nothing_is_known_and_nothing_fails(settings):
    settings.lake.rmdir()
    status = StatusObserver(settings).observe()
    assert set(status.away) == {"lake"}
    assert status.groups[0].freshness_s is None
    assert status_table(status)
    assert {sink: set(found.values()) for sink, found in durable_positions(settings).items()} == {
        "online": {-1},
        "archive": {-1},
    }


def test_the_durable_position_is_the_smallest_of_all_shards_and_of_both_tables(settings):
    commit_shards(settings, [2, 1, 2, 2])
    archive(settings, events_at=2, dead_at=0)
    assert durable_positions(settings)["archive"][SOURCE.topic, 0] == 0
    assert durable_positions(settings)["online"][SOURCE.topic, 0] == -1, "another group reads the topic and has nothing"


def test_status_counts_what_the_stores_hold(settings):
    commit_shards(settings, [2, 1, 2, 2])
    archive(settings, events_at=1, dead_at=1)
    status = StatusObserver(settings, clock_us=lambda: NOW_US).observe()
    assert status.away == {}
    source = next(each for each in status.sources if each.source == SOURCE.name)
    assert (source.events, source.late, source.duplicates, source.dead_letters) == (4, 1, 1, 1)
    assert source.watermark_us == NOW_US
    assert [(each.log_start, each.log_end, each.sinks["archive"]) for each in source.partitions] == [(0, 3, 1)] * 2
    assert source.partitions[0].lag("archive") == 1
    group = next(each for each in status.groups if each.group == GROUP.label)
    assert ([each.state for each in group.shards], group.lag) == (["live"] * 4, 2)
    assert (group.freshness_s, group.committed_age_s) == (5.0, 1.0)
    assert status_json(status)["sources"][1]["partitions"][0]["lag"] == {"online": 3, "archive": 1}
    table = status_table(status)
    assert GROUP.label in table
    assert "5.0 s" in table


def test_each_part_that_is_away_is_said_and_takes_nothing_from_the_others(settings):
    commit_shards(settings, [2, 2, 2, 2])
    archive(settings, events_at=2, dead_at=2)
    gone = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    status = StatusObserver(gone).observe()
    assert set(status.away) == {"Redis"}
    assert status.sources[1].events == 4
    assert status.sources[1].partitions[0].sinks == {"online": None, "archive": 2}
    assert durable_positions(gone)["online"][SOURCE.topic, 0] == -1


def test_the_command_line_says_what_is_away_and_never_shows_a_traceback(tmp_path):
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "MILLRACE_LAKE": str(tmp_path / "none"),
    }
    said = {}
    for arguments, code in ((["status", "--json"], 0), (["check"], 1)):
        command = [sys.executable, "-m", "streaming", *arguments]
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False
        )
        assert ended.returncode == code, ended.stderr
        assert "Traceback" not in ended.stderr
        said[arguments[0]] = ended
    assert set(json.loads(said["status"].stdout)["away"]) == {"Kafka", "Redis", "lake"}
    assert "away     Kafka: cannot be reached at 127.0.0.1:1" in said["check"].stderr


def test_a_sound_embedded_set_up_is_safe(settings):
    commit_shards(settings, [2, 2, 2, 2])
    archive(settings, events_at=2, dead_at=2)
    assert [str(each) for each in find(settings)] == []
    refuse_unsafe(settings)


def test_a_redis_that_evicts_is_refused(settings):
    client = redis.Redis.from_url(settings.redis_url)
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert any("noeviction" in each for each in refused(settings))
        with pytest.raises(RefusedError, match="allkeys-lru"):
            refuse_unsafe(settings)
    finally:
        client.config_set("maxmemory-policy", "noeviction")
        client.close()


def test_a_redis_that_keeps_nothing_is_a_warning(settings):
    client = redis.Redis.from_url(settings.redis_url)
    client.config_set("appendonly", "no")
    try:
        assert [each.level for each in find(settings) if each.about == "Redis"] == ["warning"]
    finally:
        client.config_set("appendonly", "yes")
        client.close()


def test_a_group_whose_meaning_changed_is_refused(settings):
    commit_shards(settings, [2], fingerprint="0123456789abcdef")
    assert any("Raise its version to 2" in each for each in refused(settings))


def test_what_changed_in_a_group_is_named(settings):
    commit_shards(settings, [2], fingerprint="0123456789abcdef")
    before = replace(GROUP, shards=GROUP.shards + 1)
    client = redis.Redis.from_url(settings.redis_url)
    client.set(definition_key(settings.redis_namespace, GROUP), definition_text(before))
    client.close()
    assert any(f"shards: {before.shards} -> {GROUP.shards}. Raise" in each for each in refused(settings))


def test_a_log_that_grows_while_it_looks_refuses_nothing(settings, monkeypatch):
    """Another instance stores further records between the looks: its positions lie in logs that grew before."""
    asked = []

    def noted(of, name, what):
        question = getattr(of, name)

        def ask(*given):
            asked.append(what)
            return question(*given)

        monkeypatch.setattr(of, name, ask)

    noted(KafkaLook, "bounds", "log")
    noted(RedisLook, "metas", "Redis")
    noted(LakeLook, "offsets", "lake")
    list(find(settings))
    assert {first: second for first, second in pairwise(asked) if first != "log"} == {"Redis": "log", "lake": "log"}


def test_positions_beyond_the_log_and_of_another_topic_are_refused(settings):
    commit_shards(settings, [7])
    assert any("beyond the log's end 3" in each for each in refused(settings))
    commit_shards(settings, [2], topic_id="of-a-topic-that-is-gone")
    assert any("it was deleted and made anew. Restore" in each for each in refused(settings))
    archive(settings, events_at=9, dead_at=2)
    assert any(
        "table events_card_transactions has stored offset 9" in each.replace(":", "") for each in refused(settings)
    )


def test_an_events_table_of_another_topic_of_the_name_is_refused(settings):
    write_table(settings, events_table(SOURCE), events_schema(SOURCE), [event(1)], {WATERMARK_APP: NOW_US})
    (told,) = refused(settings)
    assert told.startswith("table events_card_transactions: holds events of another topic card-transactions")


def test_a_lake_that_is_a_file_is_refused(settings):
    settings.lake.rmdir()
    settings.lake.write_text("")
    assert any("MILLRACE_LAKE" in each for each in refused(settings))


def test_a_torn_last_commit_is_refused(settings):
    archive(settings, events_at=2, dead_at=2)
    log = settings.lake / DEAD_LETTERS_TABLE / "_delta_log" / f"{0:020}.json"
    log.write_text(log.read_text()[:-40])
    assert any("torn" in each for each in refused(settings))


def test_the_simulator_is_only_for_the_embedded_mode(servers, settings, tmp_path):
    live = settings_for(servers, tmp_path, settings.redis_namespace, topic_mode="live")
    assert any("MILLRACE_TOPIC_MODE=embedded" in each for each in refused(live))


def test_a_missing_topic_is_refused_by_check_and_waited_for_by_run(tmp_path, servers):
    with KafkaSimulator({SOURCE.topic: 1}) as simulator:
        lacking = settings_for((simulator, servers[1]), tmp_path, "lacking")
        assert any("topic card-labels: does not exist" in each for each in refused(lacking))
        refuse_unsafe(lacking)


def test_a_look_changes_nothing(settings):
    archive(settings, events_at=2, dead_at=2)
    before = sorted(settings.lake.rglob("*"))
    client = redis.Redis.from_url(settings.redis_url)
    keys = set(client.keys())
    list(find(settings))
    StatusObserver(settings).observe()
    durable_positions(settings)
    assert sorted(settings.lake.rglob("*")) == before
    assert set(client.keys()) == keys
    assert DeltaTable(settings.lake / DEAD_LETTERS_TABLE).version() == 0
    client.close()
