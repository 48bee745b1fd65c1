"""Redis may come back as it was before an erasure: every shard that could then hold an erased event is built anew.

A shard's meta carries how many erasures its groups' events tables have been through, and the archive's own count says
whether the shard is of before.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from importlib.resources import files

import pytest
from deltalake import DeltaTable

from shared_features.definitions import FeatureGroup
from shared_features.formats.offline_tables import ERASURES_APP, events_table
from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta import ShardMeta
from shared_features.formats.shard_meta_bytes import decode_meta, encode_meta
from streaming.bootstrap.archive_coverage import archive_coverage
from streaming.bootstrap.judge import State, judge
from streaming.errors import RefusedError
from streaming.kafka.brokers.topics import Topics
from streaming.lake.events_reader import EventsReader
from streaming.operations.erasure.erasure_counts import ErasureCounts
from streaming.operations.erasure.stores.online_states import OnlineStates
from streaming.operations.erasure.subjects.named import subjects_of
from tests.streaming.operations.erasure.test_command import GONE, STAYS, client_of, commit_shards, state_key, stored
from tests.streaming.operations.stored_world import StoredWorld
from tests.streaming.small_domain import OUTCOMES, PAYER, PAYMENTS, SHOP_RISK, SHOP_USE

__all__ = ["stored"]
ERASE = ("erase", "--entity", "payer", "--key", str(GONE), "--execute")


def shards(world: StoredWorld) -> list[tuple[FeatureGroup, int]]:
    return [(group, number) for group in world.catalogue.groups for number in range(group.shards)]


def place(world: StoredWorld, group: FeatureGroup, number: int) -> bytes:
    return meta_key(world.settings.redis_namespace, group, number)


def meta(world: StoredWorld, group: FeatureGroup, number: int) -> ShardMeta:
    return decode_meta(client_of(world.settings.redis_url).get(place(world, group, number)))


def put(world: StoredWorld, group: FeatureGroup, number: int, **changes: object) -> None:
    changed = replace(meta(world, group, number), **changes)  # type: ignore[arg-type]  # its own fields
    client_of(world.settings.redis_url).set(place(world, group, number), encode_meta(changed))


def erasures(world: StoredWorld, group: FeatureGroup) -> list[int]:
    return [meta(world, group, number).erasures for number in range(group.shards)]


def counted(world: StoredWorld) -> int:
    return DeltaTable(world.lake / events_table(PAYMENTS)).transaction_version(ERASURES_APP) or 0


def to_build(world: StoredWorld) -> set[str]:
    """The groups of whose shards the judge says BUILD; of the others it says that they are live."""
    topics = Topics(world.settings).describe(source.topic for source in world.catalogue.sources)
    found = set()
    for group, number in shards(world):
        tables = [EventsReader(world.lake, source) for source in group.sources]
        for table in tables:
            table.refresh()
        starts = {
            (topic.name, topic.id, partition): 0
            for topic in (topics[source.topic] for source in group.sources)
            for partition in topic.partitions
        }
        verdict = judge(group, meta(world, group, number), archive_coverage(tables, topics), starts)
        assert verdict.state in (State.BUILD, State.LIVE), verdict
        if verdict.state is State.BUILD:
            found.add(group.name)
    return found


def test_redis_as_it_was_before_is_built_anew(stored: StoredWorld) -> None:
    client = client_of(stored.settings.redis_url)
    before = {key: client.get(key) for key in client.scan_iter(f"*{stored.settings.redis_namespace}*")}
    others = [client.get(place(stored, SHOP_RISK, number)) for number in range(SHOP_RISK.shards)]
    assert to_build(stored) == set()
    stored.run(*ERASE)
    assert counted(stored) == 1
    assert erasures(stored, PAYER) == [1] * PAYER.shards
    assert erasures(stored, SHOP_USE) == [1] * SHOP_USE.shards, "it had seen the events, and reads them from Kafka"
    assert [client.get(place(stored, SHOP_RISK, number)) for number in range(SHOP_RISK.shards)] == others
    assert to_build(stored) == set()
    for key, value in before.items():
        client.set(key, value)
    assert client.exists(state_key(stored, GONE))
    assert to_build(stored) == {"payer", "shop_use"}


def test_redis_as_it_was_before_an_earlier_erasure_is_not_taken_for_live_after_a_later_one(stored: StoredWorld) -> None:
    """The later one cannot know what the shard holds of the first entity."""
    client = client_of(stored.settings.redis_url)
    before = {key: client.get(key) for key in client.scan_iter(f"*{stored.settings.redis_namespace}*")}
    stored.run(*ERASE)
    for key, value in before.items():
        client.set(key, value)
    stored.run("erase", "--entity", "payer", "--key", str(STAYS), "--execute")
    assert not client.exists(state_key(stored, STAYS))
    assert to_build(stored) == {"payer", "shop_use"}


def test_a_state_whose_events_are_gone_already_counts_too(stored: StoredWorld) -> None:
    DeltaTable(stored.lake / events_table(PAYMENTS)).delete()
    stored.run(*ERASE)
    assert counted(stored) == 1
    assert erasures(stored, PAYER) == [1] * PAYER.shards


def test_an_entity_that_is_nowhere_disturbs_nobody(stored: StoredWorld) -> None:
    before = [meta(stored, *each).commit_id for each in shards(stored) if each[0] != PAYER]
    stored.run("erase", "--entity", "payer", "--key", "123", "--execute")
    assert counted(stored) == 0
    assert [meta(stored, *each).commit_id for each in shards(stored) if each[0] != PAYER] == before
    assert to_build(stored) == set()


def test_shards_that_are_built_or_absent_are_left_alone(stored: StoredWorld) -> None:
    at = subjects_of(stored.catalogue, "payer", str(GONE))[0].shard(PAYER)
    behind, absent, damaged = (number for number in range(PAYER.shards) if number != at)
    put(stored, PAYER, behind, behind=True, vector={})
    client = client_of(stored.settings.redis_url)
    client.delete(place(stored, PAYER, absent))
    client.set(place(stored, PAYER, damaged), b"of another schema")
    left = [client.get(place(stored, PAYER, number)) for number in (behind, absent, damaged)]
    stored.run(*ERASE)
    assert [client.get(place(stored, PAYER, number)) for number in (behind, absent, damaged)] == left
    assert meta(stored, PAYER, at).erasures == 1


def test_a_shard_that_was_built_before_its_turn_is_as_it_has_to_be(stored: StoredWorld) -> None:
    commit_shards(stored)
    put(stored, SHOP_USE, 1, erasures=1)
    built = meta(stored, SHOP_USE, 1)
    stored.run(*ERASE)
    assert meta(stored, SHOP_USE, 1) == built
    assert to_build(stored) == set()


def test_killed_between_two_shards_it_goes_on_with_the_count_that_it_began(stored: StoredWorld) -> None:
    script = """
import os, signal
from streaming.operations.erasure.stores.online_states import OnlineStates
whole, done = OnlineStates._erase_shard, []
def some(self, *arguments):
    if len(done) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(whole(self, *arguments))
    return done[-1]
OnlineStates._erase_shard = some
"""
    child = stored.started(*ERASE, script=script)
    out, errors = child.communicate(timeout=60)
    assert child.returncode == -9, out + errors
    assert sorted(erasures(stored, PAYER)) == [0, 0, 1, 1]
    assert to_build(stored) == {"payer", "shop_use"}, "harmless: they are built of tables without the events"
    stored.run(*ERASE)
    assert counted(stored) == 1
    assert erasures(stored, PAYER) == [1] * PAYER.shards
    assert to_build(stored) == set()
    assert not list((stored.lake / ".erasing").iterdir())


def test_killed_before_it_kept_the_count_it_counts_again_and_what_it_does_not_know_is_built(
    stored: StoredWorld,
) -> None:
    script = "import os, signal\nimport streaming.operations.erasure.erasure as c\n"
    script += "c.ErasureCounts.keep = lambda *a: os.kill(os.getpid(), signal.SIGKILL)"
    child = stored.started(*ERASE, script=script)
    out, errors = child.communicate(timeout=60)
    assert child.returncode == -9, out + errors
    assert counted(stored) == 1
    put(stored, SHOP_USE, 2, erasures=1)  # has been built meanwhile
    stored.run(*ERASE)
    assert counted(stored) == 2
    assert erasures(stored, PAYER) == [0] * PAYER.shards
    assert erasures(stored, SHOP_USE) == [0, 0, 2, 0]
    assert to_build(stored) == {"payer", "shop_use"}


def test_commits_that_come_between_are_met_by_trying_again(stored: StoredWorld) -> None:
    """`online` commits the same shards all the time, and no commit of it is undone."""
    client, groups = client_of(stored.settings.redis_url), (PAYER, SHOP_USE)
    swap = client.register_script(files("streaming.operations.erasure.stores").joinpath("erase.lua").read_text())
    stop, committed = threading.Event(), dict.fromkeys(shards(stored), 0)

    def online() -> None:
        while not stop.is_set():
            for group, number in committed:
                had = meta(stored, group, number)
                new = replace(had, commit_id=secrets.token_bytes(16), committed_at_us=had.committed_at_us + 1)
                taken = swap(keys=[place(stored, group, number)], args=[had.commit_id, encode_meta(new)])
                committed[group, number] += taken == 0

    running = threading.Thread(target=online)
    running.start()
    try:
        stored.run(*ERASE)
    finally:
        stop.set()
        running.join()
    assert all(committed.values())
    assert all(meta(stored, *each).committed_at_us == 1 + count for each, count in committed.items())
    for group in groups:
        assert erasures(stored, group) == [1] * group.shards


def test_a_shard_that_never_holds_still_is_refused_in_time(stored: StoredWorld) -> None:
    online = OnlineStates(stored.settings)
    whole = online._erase  # what the store does, after somebody's commit has come between

    def late(keys: list[bytes], args: list[bytes]) -> object:
        number = next(each for each in range(PAYER.shards) if place(stored, PAYER, each) == keys[0])
        put(stored, PAYER, number, commit_id=secrets.token_bytes(16))
        return whole(keys=keys, args=args)

    online._erase = late  # type: ignore[assignment]  # as it is called
    tries = iter([False, False, True])
    with pytest.raises(RefusedError, match="payer:v1:0 cannot be changed: other programs committed during each of"):
        online.erase(PAYER, [], {}, lambda: next(tries), (0, 1))
    assert erasures(stored, PAYER) == [0] * PAYER.shards


def test_the_count_of_a_group_is_the_sum_over_its_sources() -> None:
    erasure_counts = ErasureCounts({PAYMENTS.name: (3, 5), OUTCOMES.name: (10, 10)})
    assert erasure_counts.of(PAYER) == (3, 5)
    assert erasure_counts.of(SHOP_USE) == (13, 15)
    assert erasure_counts.of(SHOP_RISK) == (10, 10)
