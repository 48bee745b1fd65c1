"""Check of a real redis-server, the simulator and a lake: sound, set up wrongly, and gone."""

from dataclasses import replace
from itertools import pairwise

import pytest
import redis
from deltalake import DeltaTable

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from shared_features.definitions import definition_text
from shared_features.formats.offline_tables import (
    DEAD_LETTERS_TABLE,
    WATERMARK_APP,
    events_table,
)
from shared_features.formats.online_state import definition_key
from streaming.errors import EXIT_OK, EXIT_REFUSED, RefusedError
from streaming.kafka.brokers.topics import Topics
from streaming.lake.events_table import events_schema
from streaming.lake.look import LakeLook
from streaming.online_store.server import StoreServer
from streaming.operations.check.command import check, find, refuse_unsafe
from streaming.operations.status.observer import StatusObserver
from streaming.operations.status.positions import DurablePositions
from tests.streaming.operations.written_stores import (
    GROUP,
    NOW_US,
    SOURCE,
    archive,
    commit_shards,
    event,
    refused,
    settings_for,
    write_table,
)


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


def test_a_broken_view_is_named_by_check_and_the_stream_goes_on(settings, capsys):
    """The stream does not call on-demand functions, so it must not stop for one."""
    broken = settings.model_copy(update={"definitions": "tests.domains.one_broken_view"})
    (told,) = [each for each in find(broken) if each.level == "broken"]
    says = "feature view overheating:v1: on-demand function 'is_hot' raises ValueError"
    assert says in told.text
    assert not told.stops_run
    assert not [each for each in find(broken) if each.stops_run]
    assert check(broken) == EXIT_REFUSED
    assert f"broken   Definitions: {says}" in capsys.readouterr().err
    assert check(broken, refusing_only=True) == EXIT_OK
    logged = capsys.readouterr().err
    assert "continuing in spite of broken definitions" in logged
    assert says in logged


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

    noted(Topics, "bounds", "log")
    noted(StoreServer, "metas", "Redis")
    noted(LakeLook, "offsets", "lake")
    list(find(settings))
    assert {first: second for first, second in pairwise(asked) if first != "log"} == {"Redis": "log", "lake": "log"}


def test_positions_beyond_the_log_and_of_another_topic_are_refused(settings):
    commit_shards(settings, [7])
    assert any("beyond the log's end 3" in each for each in refused(settings))
    commit_shards(settings, [2], topic_id="of-a-topic-that-is-gone")
    assert any("That topic was deleted and re-created; its id is now" in each for each in refused(settings))
    archive(settings, events_at=9, dead_at=2)
    assert any(
        "table events_card_transactions has stored offset 9" in each.replace(":", "") for each in refused(settings)
    )


def test_an_events_table_of_another_topic_of_the_name_is_refused(settings):
    write_table(settings, events_table(SOURCE), events_schema(SOURCE), [event(1)], {WATERMARK_APP: NOW_US})
    (told,) = refused(settings)
    assert told.startswith("table events_card_transactions: holds events of an earlier topic card-transactions")


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
    DurablePositions(settings)()
    assert sorted(settings.lake.rglob("*")) == before
    assert set(client.keys()) == keys
    assert DeltaTable(settings.lake / DEAD_LETTERS_TABLE).version() == 0
    client.close()
