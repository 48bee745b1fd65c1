"""How `erase` names what it looks for: keys as the stores spell them, and the tables read on a source's events."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shared_features.definitions import Catalogue, Field, Text, load_definitions
from streaming.erasure.subject import subject_of
from streaming.erasure.tables import features_on
from streaming.errors import RefusedError
from tests.streaming.operations.stored_world import START_US, StoredWorld, payment
from tests.streaming.operations.test_erasure import client_of, column, commit_shards, state_key
from tests.streaming.small_domain import OUTCOMES, PAYER, PAYMENTS, SHOP_RISK, VIEW


def test_keys_are_spelled_as_the_stores_spell_them() -> None:
    machines = load_definitions("tests.domains.machines")
    subject = subject_of(machines, "machine", "plant\\|3|m\\\\1")
    assert subject.parts == ("plant|3", "m\\1")
    assert subject.key == "plant\\|3|m\\\\1"
    assert subject.condition(machines.source("readings")) == "plant = 'plant|3' AND machine = 'm\\1'"
    assert subject.is_in_json({"plant": "plant|3", "machine": "m\\1", "celsius": None})
    assert not subject.is_in_json({"plant": "plant|3"})
    with pytest.raises(RefusedError, match="no entity 'driver'"):
        subject_of(machines, "driver", "1")
    with pytest.raises(RefusedError, match="has 1 fields"):
        subject_of(machines, "machine", "m1")
    small = load_definitions("tests.streaming.small_domain")
    with pytest.raises(RefusedError, match="no value of field payer"):
        subject_of(small, "payer", "x OR 1=1")
    assert subject_of(small, "shop", "it's").condition(small.source("outcomes")) == "shop = 'it''s'"


@pytest.mark.parametrize(("given", "key"), [("007", "7"), ("-0", "0"), ("\u0663", "3"), ("-012", "-12")])
def test_a_whole_number_is_spelled_in_one_way(given: str, key: str) -> None:
    small = load_definitions("tests.streaming.small_domain")
    subject = subject_of(small, "payer", given)
    assert subject.key == key
    assert subject == subject_of(small, "payer", key)
    assert subject.condition(PAYMENTS) == f"payer = {key}"
    assert subject.shard(PAYER) == subject_of(small, "payer", key).shard(PAYER)
    for value in (int(key), key, given):
        assert subject.is_in_json(json.loads(json.dumps({"payer": value})))
    for other in (True, 71, f"{key}.0", None):
        assert not subject.is_in_json({"payer": other})


@pytest.mark.parametrize("given", ["", "-", "--1", "1.0", "\u00b2", "1_0", str(2**63), "9" * 5000])
def test_what_is_no_whole_number_is_refused_by_name(given: str) -> None:
    with pytest.raises(RefusedError, match="no value of field payer in source 'payments'"):
        subject_of(load_definitions("tests.streaming.small_domain"), "payer", given)


def test_a_text_keeps_its_zeros_and_a_key_of_two_meanings_is_refused() -> None:
    machines = load_definitions("tests.domains.machines")
    assert subject_of(machines, "machine", "007|008").parts == ("007", "008")
    letters = replace(OUTCOMES, name="letters", topic="letters", fields=(*OUTCOMES.fields, Field("payer", Text())))
    small = load_definitions("tests.streaming.small_domain")
    both = Catalogue(small.views, small.groups, (*small.sources, letters))
    assert subject_of(both, "payer", "7").condition(letters) == "payer = '7'"
    with pytest.raises(RefusedError, match=r"'007' is the number 7 .* a text in source 'letters'"):
        subject_of(both, "payer", "007")


def test_a_number_with_zeros_before_it_goes_from_every_store(world: StoredWorld) -> None:
    world.send("payments", [(START_US, payment(1, START_US, 7)), (START_US, payment(2, START_US, 70))])
    world.archive()
    commit_shards(world)
    client_of(world.settings.redis_url).set(state_key(world, 7), b"state")
    said = world.run("erase", "--entity", "payer", "--key", "007", "--execute")
    assert "1  states in Redis" in said
    assert column(world, "events_payments", "payer") == [70]
    assert not client_of(world.settings.redis_url).exists(state_key(world, 7))


def test_the_tables_on_a_source_are_no_others(tmp_path: Path) -> None:
    """A source may be called as another one with something in front, and a table be of a version that is gone."""
    other = replace(PAYMENTS, name="cash_on_payments", topic="cash")
    view = replace(VIEW, name="second", source=other)
    small = load_definitions("tests.streaming.small_domain")
    odd = replace(PAYER, name="odd_v1_on_cash")
    catalogue = Catalogue((*small.views, view), (*small.groups, odd), (*small.sources, other))
    of_payments = [
        "features_payer_v1_on_payments",
        "features_payer_v9_added2_on_payments",
        "features_gone_v3_on_payments",
        "features_odd_v1_on_cash_v1_on_payments",  # `odd_v1_on_cash` is a group
    ]
    of_other = ["features_payer_v1_on_cash_on_payments", "features_gone_v3_added1_on_cash_on_payments"]
    elsewhere = ["features_payer_v1_on_fees_on_payments", "features_payer_v1_on_outcomes"]
    for name in (*of_payments, *of_other, *elsewhere):
        (tmp_path / name / "_delta_log").mkdir(parents=True)
    assert {path.name for path in features_on(tmp_path, PAYMENTS, catalogue)} == set(of_payments)
    assert {path.name for path in features_on(tmp_path, other, catalogue)} == set(of_other)


def test_a_table_that_may_be_of_two_sources_is_refused(tmp_path: Path) -> None:
    other = replace(PAYMENTS, name="cash_v2_on_payments", topic="cash")
    small = load_definitions("tests.streaming.small_domain")
    catalogue = Catalogue(small.views, small.groups, (*small.sources, other))
    (tmp_path / "features_gone_v1_on_cash_v2_on_payments" / "_delta_log").mkdir(parents=True)
    for source in (PAYMENTS, other):
        with pytest.raises(RefusedError, match="features_gone_v1_on_cash_v2_on_payments"):
            features_on(tmp_path, source, catalogue)
    known = replace(SHOP_RISK, name="gone", version=1, sources=(OUTCOMES,))
    catalogue = Catalogue(small.views, (*small.groups, known), (*small.sources, other))
    assert not features_on(tmp_path, PAYMENTS, catalogue)
    assert [path.name for path in features_on(tmp_path, other, catalogue)] == [
        "features_gone_v1_on_cash_v2_on_payments"
    ]
