"""A person is the value of a field of the events: an erasure finds that person under every name that groups give."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from shared_features.definitions import Entity, FeatureGroup
from shared_features.formats.entity_keys import escape
from shared_features.formats.offline_tables import CUT_APP, features_table, snapshots_table
from shared_features.formats.online_state import entity_prefix
from streaming.operations.erasure.subjects.held_keys import HeldKeys, carries
from streaming.operations.erasure.subjects.subject import Subject
from streaming.operations.retention.retain import delete_days
from tests.streaming.operations.buyers_domain import BUYER, PAYER, PAYMENTS, REGULAR, SHOP_USE
from tests.streaming.operations.erasure.test_command import GONE, STAYS, client_of, column, commit_shards
from tests.streaming.operations.stored_world import START_US, StoredWorld, payment, stored_settings

OF_PERSONS = (PAYER, BUYER, REGULAR)
SHOPS = ("a|b", f"{GONE}", "c\\d")
"""One is called like the payer that goes."""
ERASE = ("erase", "--entity", "payer", "--key", str(GONE))


@pytest.fixture(scope="module")
def kept_buyers(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[StoredWorld]:
    """Payers in shops, with the rows and snapshots that materialize made. Stored once; nobody changes it."""
    with KafkaSimulator({"payments": 2, "outcomes": 1}) as simulator:
        folder = tmp_path_factory.mktemp("buyers")
        quick = {"materialize_interval": timedelta(milliseconds=50), "snapshot_interval": timedelta(seconds=1)}
        own = {"definitions": "tests.streaming.operations.buyers_domain", **quick}
        settings = stored_settings(simulator.bootstrap_servers, redis_server.url, folder)
        world = StoredWorld(simulator, settings.model_copy(update=own))
        for number in range(40):
            at = START_US + number * 1_000_000
            for partition, payer in ((0, GONE), (1, STAYS)):
                record = payment(10 * number + partition, at, payer, shop=SHOPS[number % 3])
                world.send("payments", [(at, record)], partition)
            outcome = f'{{"id": {number}, "event_time": {at}, "shop": "a|b", "bad": true}}'
            world.send("outcomes", [(at, outcome.encode())])
        world.archive()
        running = world.started("run", "--only", "materialize")
        try:
            deadline = time.monotonic() + 240
            while any(cut_us(world, group) < START_US + 39_000_000 for group in (*OF_PERSONS, SHOP_USE)):
                assert running.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)
        finally:
            running.terminate()  # it writes a snapshot as it ends
            out, errors = running.communicate(timeout=120)
        assert running.returncode == 0, out + errors
        assert [len(kept(world, group)) for group in (*OF_PERSONS, SHOP_USE)] == [2, 2, 6, 3]
        yield world


@pytest.fixture
def buyers(kept_buyers: StoredWorld, tmp_path: Path) -> StoredWorld:
    """The same with a lake and a namespace of the test's own, and the states of the snapshots in Redis."""
    shutil.copytree(kept_buyers.lake, tmp_path / "lake")
    own = {"lake": tmp_path / "lake", "redis_namespace": tmp_path.name, "training_runs": tmp_path / "training"}
    world = replace(kept_buyers, settings=kept_buyers.settings.model_copy(update=own))
    commit_shards(world)
    for group in (*OF_PERSONS, SHOP_USE):
        for row in snapshot(world, group):
            client_of(world.settings.redis_url).set(state_key(world, group, row), b"state")
    return world


def cut_us(world: StoredWorld, group: FeatureGroup) -> int:
    """Up to when a group has feature rows."""
    path = world.lake / features_table(group, PAYMENTS)
    return DeltaTable(path).transaction_version(CUT_APP) or 0 if (path / "_delta_log").is_dir() else 0


def snapshot(world: StoredWorld, group: FeatureGroup) -> list[dict[str, Any]]:
    path = world.lake / snapshots_table(group, PAYMENTS)
    if not (path / "_delta_log").is_dir():
        return []
    rows: list[dict[str, Any]] = pa.table(DeltaTable(path).scan(columns=["entity_key", "shard"])).to_pylist()
    return rows


def state_key(world: StoredWorld, group: FeatureGroup, row: dict[str, Any]) -> bytes:
    key: str = row["entity_key"]
    return entity_prefix(world.settings.redis_namespace, group, row["shard"]) + key.encode()


def states(world: StoredWorld, group: FeatureGroup) -> set[str]:
    """The keys of a group that Redis holds."""
    heads = [entity_prefix(world.settings.redis_namespace, group, number) for number in range(group.shards)]
    keys = client_of(world.settings.redis_url).scan_iter(count=10_000)
    return {key.removeprefix(head).decode() for key in keys for head in heads if key.startswith(head)}


def kept(world: StoredWorld, group: FeatureGroup) -> set[str]:
    """The keys that the snapshots of a group hold."""
    return {row["entity_key"] for row in snapshot(world, group)}


def check_gone(world: StoredWorld) -> None:
    pairs = {f"{escape(shop)}|{STAYS}" for shop in SHOPS}
    for group, keys in ((PAYER, {str(STAYS)}), (BUYER, {str(STAYS)}), (REGULAR, pairs)):
        assert kept(world, group) == keys, group.name
        assert set(column(world, features_table(group, PAYMENTS), "entity_key")) == keys, group.name
        assert states(world, group) == keys, group.name
    shops = {escape(shop) for shop in SHOPS}
    assert kept(world, SHOP_USE) == shops, "a shop is nobody's other name"
    assert states(world, SHOP_USE) == shops


def test_a_person_goes_from_every_group_whose_key_carries_the_field(buyers: StoredWorld) -> None:
    shown = buyers.run(*ERASE)
    assert "5 states in Redis, of 3 groups" in shown
    said = buyers.run(*ERASE, "--execute")
    assert "40  events of payments" in said
    check_gone(buyers)


def test_the_name_that_is_given_makes_no_difference(buyers: StoredWorld) -> None:
    buyers.run("erase", "--entity", "buyer", "--key", str(GONE), "--execute")
    check_gone(buyers)


def test_rows_whose_events_retention_deleted_are_found_by_a_key_with_further_fields(buyers: StoredWorld) -> None:
    for group in (PAYER, BUYER):
        shutil.rmtree(buyers.lake / features_table(group, PAYMENTS))
    delete_days(buyers.settings, PAYMENTS, date(2026, 1, 2))
    said = buyers.run(*ERASE, "--execute")
    assert "0  events of payments" in said
    assert "cannot be found" not in said
    rows = column(buyers, features_table(REGULAR, PAYMENTS), "entity_key")
    assert set(rows) == {f"{escape(shop)}|{STAYS}" for shop in SHOPS}
    assert len(column(buyers, features_table(SHOP_USE, PAYMENTS), "entity_key")) == len(rows)


def test_a_person_in_one_shop_stays_in_the_others(buyers: StoredWorld) -> None:
    pair = f"{escape(SHOPS[0])}|{GONE}"
    buyers.run("erase", "--entity", "regular", "--key", pair, "--execute")
    for stored in (states(buyers, REGULAR), kept(buyers, REGULAR)):
        assert stored == {f"{escape(shop)}|{payer}" for shop in SHOPS for payer in (GONE, STAYS)} - {pair}
    assert str(GONE) in states(buyers, PAYER), "it has seen the other shops, too, and is rebuilt"


def test_keys_of_the_same_fields_are_known_in_their_order_and_keys_of_more_are_not() -> None:
    subjects = [Subject(Entity("regular", ("payer", "shop")), (payer, "a|b")) for payer in ("7", "8")]
    turned = HeldKeys(("shop", "payer"), subjects)
    assert turned.are_known
    assert turned.known() == ["a\\|b|7", "a\\|b|8"]
    wider = HeldKeys(("shop", "till", "payer"), subjects)
    assert not wider.are_known
    assert wider.among(["a\\|b|t1|7", "a\\|b|t1|9", "7|t1|a\\|b", "a\\|b|7", "a|b|7"]) == ["a\\|b|t1|7"]
    assert carries(wider.fields, turned.fields)
    assert not carries(turned.fields, wider.fields)
