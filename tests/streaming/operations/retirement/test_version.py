"""What nothing reads any more of a group that is still defined can go: an addition, or its tables of a spine."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from shared_features.definitions import Aggregate, GrownGroup
from shared_features.formats.offline_tables import features_table, snapshots_table
from shared_features.kernel.aggregations import Max
from streaming.operations.retirement.version import Version, forgotten
from tests.streaming.operations.retirement.test_command import (
    ADDED,
    ENTITIES,
    OLD,
    keys_of,
    publish,
    settings,
    store_keys,
    store_tables,
)
from tests.streaming.operations.stored_world import StoredWorld
from tests.streaming.small_domain import OUTCOMES, OVER, PAYER, PAYMENTS, SHOP_RISK

__all__ = ["settings"]
FIRST = replace(PAYER, part=1)
TENTH = replace(PAYER, part=10)


@pytest.fixture
def shrunk(world: StoredWorld) -> StoredWorld:
    """A group that is defined; of additions to it that are not, states and tables are stored."""
    for group in (PAYER, FIRST, TENTH):
        store_keys(world.settings, group, 1.0)
        store_tables(world.settings, group)
    return world


def test_an_addition_alone_goes(shrunk: StoredWorld) -> None:
    assert "payer:v1+1" in shrunk.run("retire", "payer:v1", "--execute", code=1)
    text = shrunk.run("retire", "payer:v1+1", "--execute")
    assert "payer:v1+1: 700 entities and 4 shards in Redis" in text
    assert [keys_of(shrunk.settings, group) for group in (PAYER, FIRST, TENTH)] == [ENTITIES + 4, 0, ENTITIES + 4]
    there = [(shrunk.lake / snapshots_table(group, PAYMENTS)).exists() for group in (PAYER, FIRST, TENTH)]
    assert there == [True, False, True]
    assert (shrunk.lake / features_table(FIRST, PAYMENTS)).exists()
    shrunk.run("retire", "payer:v1+1", "--with-rows", "--execute")
    assert not (shrunk.lake / features_table(FIRST, PAYMENTS)).exists()


def test_an_addition_that_is_defined_or_served_is_refused(world: StoredWorld, settings: object) -> None:
    publish(Path(world.settings.registry), 4, "payer+2", "champion")
    assert "alias champion, reads it" in world.run("retire", "payer:v7+2", "--execute", code=1)
    world.run("retire", "payer:v7+1", "--execute")
    assert keys_of(world.settings, OLD) == keys_of(world.settings, ADDED) == ENTITIES + 4
    grown = GrownGroup(PAYER, added=(Aggregate("amount", Max(), OVER[:1]),))
    assert Version.parse("payer:v1+1").is_of(grown.parts[1].label)
    assert not Version.parse("payer:v1+1").is_of("payer:v1")


def test_tables_of_a_spine_that_no_view_reads_go_alone(shrunk: StoredWorld) -> None:
    table = shrunk.lake / snapshots_table(PAYER, PAYMENTS)
    left = table.rename(shrunk.lake / "snapshots_payer_v1_on_payments_before")
    assert forgotten(shrunk.lake, shrunk.catalogue)[left.name] == "payer:v1 --spine payments_before"
    arguments = ("retire", "payer:v1", "--spine", "payments_before", "--execute")
    assert "stop its writer" in shrunk.run(*arguments, code=1)
    for commit in (left / "_delta_log").iterdir():
        os.utime(commit, (1.0, 1.0))
    shrunk.run(*arguments)
    assert not left.exists()
    assert keys_of(shrunk.settings, PAYER) == ENTITIES + 4
    assert (shrunk.lake / features_table(PAYER, PAYMENTS)).exists()


def test_tables_of_a_spine_that_a_view_reads_are_refused(shrunk: StoredWorld) -> None:
    text = shrunk.run("retire", "payer:v1", "--spine", "payments", "--execute", code=1)
    assert "a view of the definitions (tests.streaming.small_domain) reads it on payments" in text
    assert (shrunk.lake / snapshots_table(PAYER, PAYMENTS)).exists()


def test_what_is_forgotten_is_named_with_what_removes_it(shrunk: StoredWorld) -> None:
    for group, spine in ((OLD, PAYMENTS), (ADDED, PAYMENTS), (SHOP_RISK, PAYMENTS), (PAYER, OUTCOMES)):
        (shrunk.lake / snapshots_table(group, spine) / "_delta_log").mkdir(parents=True, exist_ok=True)
    assert forgotten(shrunk.lake, shrunk.catalogue) == {
        "snapshots_payer_v1_added1_on_payments": "payer:v1+1",
        "snapshots_payer_v1_added10_on_payments": "payer:v1+10",
        "snapshots_payer_v1_on_outcomes": "payer:v1 --spine outcomes",
        "snapshots_payer_v7_on_payments": "payer:v7",
        "snapshots_payer_v7_added2_on_payments": "payer:v7",
    }
