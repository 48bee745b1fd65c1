"""What Redis holds is a function of which events came: not of batches, restarts, repeats or the size of the cache."""

import random
import time
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import redis
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared_features.definitions import definition_text
from shared_features.formats.entity_state import decode_states, owners_of
from shared_features.formats.online_state import definition_key, meta_key
from shared_features.formats.shard_meta_bytes import encode_meta
from shared_features.kernel.event_time import SECOND_US
from shared_features.kernel.tile_state import TileState
from streaming.errors import RefusedError, RestartNeeded, StoppedWaiting
from streaming.kafka.records.polled import Polled
from streaming.online.absent_shard import AbsentShard
from streaming.online.missing_records import MissingRecords
from streaming.online.shard import Shard
from streaming.online_store.shard_store import expiry_ms, shard_label
from streaming.online_store.shared_link import Lane
from streaming.online_store.stored_vectors import smallest_positions, stored_metas
from streaming.settings import load_settings
from tests.depth import searched
from tests.streaming.kafka_log import TOPIC_ID
from tests.streaming.online.shards import (
    Shards,
    begin,
    oracle_values,
    stored_meta,
    stored_states,
    stored_values,
    wanted_states,
)
from tests.streaming.online.some_log import T0_US, a_log
from tests.streaming.small_domain import PAYER, PAYMENTS, SHOP_USE

GROUPS = (PAYER, SHOP_USE)


def cuts(log, r, most):
    """The log in batches: any cut per partition, partitions in any order."""
    at = dict.fromkeys(log.all(), -1)
    while behind := [key for key in at if at[key] < len(log.of(key)) - 1]:
        key = r.choice(behind)
        to = min(at[key] + r.randint(1, most), len(log.of(key)) - 1)
        yield log.poll(key, at[key], to)
        at[key] = to


def everything(log):
    return [log.poll(key, -1) for key in log.all()]


@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 4), st.integers(1, 100))
@hypothesis_settings(max_examples=searched(quick=6, deep=15))
def test_states_equal_the_kernels_whatever_the_batches(redis_server, seed, most, restarts, cached):
    settings = load_settings(
        redis_url=redis_server.url, redis_namespace=f"p{uuid4().hex[:8]}", cached_entities=cached, idle_commit=1e-6
    )
    log, r = a_log(seed), random.Random(seed)
    batches = list(cuts(log, r, most))
    shards = Shards(settings, GROUPS)
    for index, batch in enumerate(batches):
        shards.write(batch)
        if r.random() < restarts / len(batches):  # a fresh owner reads from where the store says, and repeats a little
            shards = Shards(settings, GROUPS)
            shards.write(*batches[: index + 1])
    shards.close()
    with redis.Redis.from_url(redis_server.url) as client:
        for group in GROUPS:
            assert stored_states(client, settings, group) == wanted_states(group, log)


def test_values_read_from_redis_equal_the_oracle(client, settings):
    log = a_log(7, 300)
    shards = Shards(settings, GROUPS)
    shards.write(*everything(log))
    shards.close()
    newest_us = max(record.time_us for key in log.all() for record in log.of(key))
    for group in GROUPS:
        states = stored_states(client, settings, group)
        assert len(states) >= 3
        for as_of_us in (newest_us + 6 * SECOND_US + 1, newest_us + 25 * SECOND_US, newest_us + 500 * SECOND_US):
            wanted = oracle_values(group, log, as_of_us)
            for text, found in stored_values(group, states, as_of_us).items():
                np.testing.assert_array_equal(found, wanted[text])


def test_the_vector_moves_over_dead_letters_marks_and_strangers(client, settings):
    log = a_log()
    shards = Shards(settings, GROUPS)
    shards.write(*everything(log))
    last = len(log.of(("outcomes", 0))) - 1
    shards.write(log.poll(("outcomes", 0), last, last, idle_us=T0_US + 10_000 * SECOND_US))
    shards.close()
    for number in range(SHOP_USE.shards):
        meta = stored_meta(client, settings, SHOP_USE, number)
        assert {(topic, part): position.offset for (topic, _, part), position in meta.vector.items()} == {
            (key[0], key[1]): len(log.of(key)) - 1 for key in log.all()
        }
        assert meta.vector["outcomes", TOPIC_ID, 0].consumed_until_us == T0_US + 10_000 * SECOND_US
    positions = smallest_positions(GROUPS, stored_metas(settings, GROUPS))
    assert positions["payments", TOPIC_ID, 1] == len(log.of(("payments", 1))) - 1


def test_what_a_shard_has_had_is_skipped_not_applied_again(client, settings):
    log = a_log()
    shards = Shards(settings, (PAYER,))
    shards.write(log.poll(("payments", 0), -1, 12))
    shards.write(log.poll(("payments", 0), 7, 9), log.poll(("payments", 0), 5))  # wholly, then partly
    shards.close()
    once = Shards(settings.model_copy(update={"redis_namespace": f"{settings.redis_namespace}-once"}), (PAYER,))
    once.write(log.poll(("payments", 0), -1))
    once.close()
    for outcome in ("applied", "duplicate", "too_old"):
        labels = {"group": "payer:v1", "source": "payments", "outcome": outcome}
        counted = [
            each.metrics.registry.get_sample_value("streaming_group_events_total", labels) for each in (shards, once)
        ]
        assert counted[0] == counted[1]


def test_a_partition_that_one_shard_does_not_know_is_read_from_its_beginning(client, settings):
    log = a_log()
    shards = Shards(settings, (PAYER,))
    shards.write(log.poll(("payments", 0), -1))
    shards.close()
    client.delete(meta_key(settings.redis_namespace, PAYER, 2))
    assert list(smallest_positions((PAYER,), stored_metas(settings, (PAYER,)))) == [("payments", TOPIC_ID, 0)]
    begin(settings, (PAYER,))  # now it is there, and has had nothing
    assert smallest_positions((PAYER,), stored_metas(settings, (PAYER,))) == {}


def test_states_expire_after_twice_what_can_be_read_of_them(client, settings):
    shards = Shards(settings, (PAYER,))
    shards.write(a_log().poll(("payments", 0), -1))
    shards.close()
    (key, *_) = client.scan_iter(match=f"{{{settings.redis_namespace}:*:e:*")
    assert expiry_ms(PAYER) == 2 * (60 + 10 + 6 + 4) * 1000  # window, hop, tolerated future, head
    assert expiry_ms(PAYER) - 60_000 < client.pttl(key) <= expiry_ms(PAYER)
    assert client.pttl(meta_key(settings.redis_namespace, PAYER, 0)) == -1


def test_a_gap_between_batches_is_refused(settings):
    log = a_log()
    shards = Shards(settings, (PAYER,))
    shards.write(log.poll(("payments", 0), -1, 3))
    with pytest.raises(RestartNeeded, match="offsets 4 to 5 of payments, partition 0 never arrived"):
        shards.write(log.poll(("payments", 0), 5, 8))


def test_a_second_owner_makes_the_first_one_start_anew(client, settings):
    log = a_log()
    first = Shards(settings, (PAYER,))
    first.write(log.poll(("payments", 0), -1, 3))
    second = Shards(settings, (PAYER,))
    second.write(log.poll(("payments", 0), -1), log.poll(("payments", 1), -1))
    second.close()
    for store in first.stores:
        store.settle()  # what it had begun was done before the second one came
    with pytest.raises(RestartNeeded, match="another process has committed, or Redis was rolled back"):
        first.write(log.poll(("payments", 0), 3), log.poll(("payments", 1), -1))
    log.partitions["outcomes"] = 0
    assert stored_states(client, settings, PAYER) == wanted_states(PAYER, log)


def test_a_commit_that_comes_late_changes_nothing(client, settings):
    """The call of a process that died, delivered after its successor went on."""
    log = a_log()
    shards = Shards(settings, (PAYER,))
    shards.write(log.poll(("payments", 0), -1, 3))
    late = next(store._under_way.packed for store in shards.stores if store._under_way is not None)
    shards.write(*everything(log)[1:])
    shards.close()
    before = {key: client.get(key) for key in client.scan_iter(match=f"{{{settings.redis_namespace}:*")}
    connection = client.connection_pool.get_connection()
    connection.send_packed_command(late)
    assert connection.read_response() == 0
    client.connection_pool.release(connection)
    assert {key: client.get(key) for key in client.scan_iter(match=f"{{{settings.redis_namespace}:*")} == before


@pytest.mark.parametrize("written", [True, False])
def test_a_commit_without_an_answer_is_settled_by_the_stored_id(client, settings, monkeypatch, written):
    """The connection breaks after Redis has written, or before it has seen the call: both end written."""
    log = a_log()
    shards = Shards(settings, (PAYER,))
    shards.write(log.poll(("payments", 0), -1, 3))
    stores = shards.stores
    for store in stores:
        store.settle()
    before = {store: store._commit_id for store in stores}
    if not written:
        for store in stores:
            monkeypatch.setattr(store, "_send", lambda commit: None)
    shards.write(log.poll(("payments", 0), 3))
    monkeypatch.undo()
    if written:
        with redis.Redis.from_url(settings.redis_url) as another:
            under_way = [store for store in stores if store._under_way is not None]
            while any(another.getrange(store._meta_key, 0, 15) == store._commit_id for store in under_way):
                time.sleep(0.02)  # Redis is at it
    for store in stores:
        assert isinstance(store._link, Lane)
        store._link._shared.close()
    shards.close()
    log.partitions = {"payments": 1}
    assert any(store._commit_id != before[store] for store in stores)
    assert stored_states(client, settings, PAYER) == wanted_states(PAYER, log)


def test_an_entity_is_loaded_only_under_the_expected_commit_id(client, settings):
    """Load under another owner's id, cut Redis back to mine, commit: the directed schedule that rule 9 is for."""
    log = a_log(3, 200)
    shards = Shards(settings, (PAYER,))
    shards.write(log.poll(("payments", 0), -1, 10))
    shards.close()
    mine = Shards(settings, (PAYER,))
    other = Shards(settings, (PAYER,))
    other.write(log.poll(("payments", 0), 10), log.poll(("payments", 1), -1))
    other.close()
    with pytest.raises(RestartNeeded):
        mine.write(log.poll(("payments", 0), 10))


def test_another_definition_under_the_same_version_is_refused(client, settings):
    shards = Shards(settings, (PAYER,))
    shards.write(a_log().poll(("payments", 0), -1))
    shards.close()
    meta = stored_meta(client, settings, PAYER, 1)
    other = encode_meta(replace(meta, fingerprint="0" * 16))
    client.set(meta_key(settings.redis_namespace, PAYER, 1), other)
    with pytest.raises(RefusedError, match=r"payer:v1: its definition has changed .* raise its version to 2"):
        Shards(settings, (PAYER,))
    before = replace(PAYER, aggregates=PAYER.aggregates[:1])
    client.set(definition_key(settings.redis_namespace, PAYER), definition_text(before))
    with pytest.raises(
        RefusedError, match=r"aggregates: sum of amount over 1 min was added; .* put what was added into"
    ):
        Shards(settings, (PAYER,))


def test_a_state_of_another_build_counts_as_missing(client, settings):
    log = a_log()
    shards = Shards(settings, (PAYER,))
    shards.write(log.poll(("payments", 1), -1))
    shards.close()
    for number in range(PAYER.shards):
        client.delete(meta_key(settings.redis_namespace, PAYER, number))
    shards = Shards(settings, (PAYER,))
    shards.write(log.poll(("payments", 0), -1))
    shards.close()
    log.partitions = {"payments": 1}
    wanted = wanted_states(PAYER, log)
    found = stored_states(client, settings, PAYER)
    assert {text: found[text] for text in wanted} == wanted


def gap(log, first, past):
    return Polled("payments", TOPIC_ID, 0, PAYMENTS, first - 1, past - 1, log.poll(("payments", 0), -1, -1).events,
                  np.empty(0, np.int64), gap=(first, past))  # fmt: skip


def test_a_gap_that_the_archive_recorded_is_named_in_the_meta(client, settings, monkeypatch):
    log = a_log()
    monkeypatch.setattr(MissingRecords, "_archived", lambda *_: (9, [(2, 5), (5, 8)]))
    shards = Shards(settings, (PAYER,))
    shards.write(log.poll(("payments", 0), -1, 3), gap(log, 4, 8), log.poll(("payments", 0), 7))
    shards.close()
    assert stored_meta(client, settings, PAYER, 0).gaps == ((("payments", TOPIC_ID, 0), 4, 8),)


def test_records_that_were_deleted_before_they_were_applied_are_not_passed_over_in_silence():
    archived: list[tuple[int, list[tuple[int, int]]]] = [(3, [])]
    slept: list[float] = []

    class Missing(MissingRecords):
        def _archived(self, of):
            return archived[-1]

    def sleep(seconds):
        slept.append(seconds)
        return len(slept) > 2

    missing = Missing(Path("lake"), (PAYMENTS,), sleep)
    partition = ("payments", TOPIC_ID, 0)
    with pytest.raises(StoppedWaiting):
        missing(partition, 4, 8)  # the archive has not come so far: only it decides
    archived.append((9, [(4, 7)]))
    with pytest.raises(RestartNeeded, match="offsets 4 to 7 were deleted"):
        missing(partition, 4, 8)
    archived.append((9, [(5, 8), (2, 5)]))
    missing(partition, 4, 8)


DAMAGES = {
    "build id": lambda state: state[:1] + bytes([state[1] ^ 1]) + state[2:],
    "a bit": lambda state: state[:-1] + bytes([state[-1] ^ 4]),
    "empty": lambda state: b"",
    "a hash": None,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_nothing_is_built_on_a_damaged_state_and_the_shard_is_rebuilt(client, settings, damage):
    """The process restarts once. Then the shard is behind, the others go on, and the damaged bytes are gone."""
    log = a_log(3)
    whole = Shards(settings, GROUPS)
    whole.write(*everything(log))
    whole.close()
    key = min(client.scan_iter(match=f"{{{settings.redis_namespace}:{PAYER.label}:*}}:e:*"))
    number, state = int(key.partition(b"}")[0].rpartition(b":")[2]), client.get(key)
    client.delete(key)
    if damage is None:
        client.hset(key, "field", "value")
    else:
        client.set(key, damage(state))
    before = {each: client.get(each) for each in client.scan_iter(match="*:e:*") if each != key}
    label = shard_label(PAYER, number)
    again = Shards(settings, GROUPS)
    shard = again.of[label]
    assert isinstance(shard, Shard)
    with pytest.raises(RestartNeeded, match=f"shard {label}: 1 states cannot be read"):
        shard._load([int(key.rpartition(b":")[2])])
    meta = stored_meta(client, settings, PAYER, number)
    assert meta.behind
    assert meta.vector == {}
    assert {each: client.get(each) for each in before} == before
    built = TileState(PAYER.layout)
    assert decode_states(built, built.add(1), [client.get(key)], meta.build_id, owners_of([key])).tolist() == [True]
    after = Shards(settings, GROUPS)
    assert isinstance(after.of[label], AbsentShard)
    after.write(*everything(log))
    after.close()
