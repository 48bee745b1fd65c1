"""How `erase` names what it looks for: keys as the stores spell them, and the tables read on a source's events."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shared_features.definitions import (
    Boolean,
    Catalogue,
    Decimal,
    Entity,
    Field,
    Text,
    Timestamp,
    load_definitions,
)
from shared_features.definitions.field_types import FieldType
from streaming.errors import RefusedError
from streaming.operations.erasure import command
from streaming.operations.erasure.subjects.named import subjects_of
from streaming.operations.erasure.tables import features_on
from tests.streaming.operations.erasure.test_command import client_of, column, commit_shards, state_key
from tests.streaming.operations.stored_world import START_US, StoredWorld, payment
from tests.streaming.small_domain import OUTCOMES, PAYER, PAYMENTS, SHOP_RISK, VIEW


def test_keys_are_spelled_as_the_stores_spell_them() -> None:
    machines = load_definitions("tests.domains.machines")
    subject = subjects_of(machines, "machine", "plant\\|3|m\\\\1")[0]
    assert subject.parts == ("plant|3", "m\\1")
    assert subject.key == "plant\\|3|m\\\\1"
    assert subject.literals(machines.source("readings")) == ("'plant|3'", "'m\\1'")
    assert subject.parts_in({"plant": "plant|3", "machine": "m\\1", "celsius": None}) == subject.parts
    assert subject.parts_in({"plant": "plant|3"}) == ()
    with pytest.raises(RefusedError, match=r"no entity 'driver'\. They have machine, plant"):
        subjects_of(machines, "driver", "1")
    with pytest.raises(RefusedError, match=r"no entity 'machin'\. Did you mean 'machine'\? They have machine, plant"):
        subjects_of(machines, "machin", "1")
    with pytest.raises(RefusedError, match="has 1 fields"):
        subjects_of(machines, "machine", "m1")
    small = load_definitions("tests.streaming.small_domain")
    with pytest.raises(RefusedError, match="not a value of field payer"):
        subjects_of(small, "payer", "x OR 1=1")
    assert subjects_of(small, "shop", "it's")[0].literals(small.source("outcomes")) == ("'it''s'",)


@pytest.mark.parametrize(("given", "key"), [("007", "7"), ("-0", "0"), ("\u0663", "3"), ("-012", "-12")])
def test_a_whole_number_is_spelled_in_one_way(given: str, key: str) -> None:
    small = load_definitions("tests.streaming.small_domain")
    subject = subjects_of(small, "payer", given)[0]
    assert subject.key == key
    assert subject == subjects_of(small, "payer", key)[0]
    assert subject.literals(PAYMENTS) == (key,)
    assert subject.shard(PAYER) == subjects_of(small, "payer", key)[0].shard(PAYER)
    for value in (int(key), float(key), key, given):
        assert subject.parts_in(json.loads(json.dumps({"payer": value}))) == subject.parts
    for other in (True, 71, f"{key}.0", 7.5, float("nan"), None, [7]):
        assert subject.parts_in({"payer": other}) != subject.parts


@pytest.mark.parametrize("given", ["", "-", "--1", "1.0", "\u00b2", "1_0", str(2**63), "9" * 5000])
def test_what_is_no_whole_number_is_refused_by_name(given: str) -> None:
    with pytest.raises(RefusedError, match="not a value of field payer in source 'payments'"):
        subjects_of(load_definitions("tests.streaming.small_domain"), "payer", given)


def test_versions_that_key_an_entity_otherwise_are_told_apart_by_the_number_of_fields() -> None:
    small = load_definitions("tests.streaming.small_domain")
    by_two = replace(PAYER, version=2, entity=Entity("payer", ("payer", "shop")))
    by_shop = replace(PAYER, version=3, entity=Entity("payer", ("shop",)))
    two = Catalogue(small.views, (*small.groups, by_two), small.sources)
    assert [each.entity for each in subjects_of(two, "payer", "77")] == [PAYER.entity]
    assert [each.entity for each in subjects_of(two, "payer", "77|s1")] == [by_two.entity]
    with pytest.raises(RefusedError, match="has 3 fields, entity 'payer' has payer or payer, shop"):
        subjects_of(two, "payer", "1|2|3")
    three = Catalogue(small.views, (*small.groups, by_two, by_shop), small.sources)
    both = subjects_of(three, "payer", "77")
    assert [each.entity for each in both] == [PAYER.entity, by_shop.entity], "it may be meant as either"
    assert both[0].digest(b"salt") == subjects_of(two, "payer", "77")[0].digest(b"salt") != both[1].digest(b"salt")
    assert [each.entity for each in subjects_of(three, "payer", "s1")] == [by_shop.entity], "no number"


def test_every_kind_that_a_key_fits_is_erased_and_the_others_are_named(
    world: StoredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.send("payments", [(START_US, payment(1, START_US, 7, shop=shop)) for shop in ("9", "7")])
    world.send("payments", [(START_US, payment(2, START_US, 8, shop=shop)) for shop in ("7", "6")])
    world.archive()
    groups = (replace(PAYER, version=number, entity=Entity("payer", keys)) for number, keys in (
        (2, ("shop",)), (3, ("payer", "shop"))))  # fmt: skip
    small = world.catalogue
    wide = Catalogue(small.views, (*small.groups, *groups), small.sources)
    monkeypatch.setattr(command, "load_definitions", lambda name: wide)
    commit_shards(world)
    said = world.run("erase", "--entity", "payer", "--key", "7", "--execute")
    assert "not erased" not in said, "what is keyed by payer and shop carries either"
    assert column(world, "events_payments", "shop") == ["6"]
    assert len(set(column(world, "erasures", "key_digest"))) == 2


def test_a_kind_that_a_key_does_not_fit_is_named_unless_its_keys_carry_the_fields(
    world: StoredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.send("payments", [(START_US, payment(1, START_US, 7))])
    world.archive()
    small = world.catalogue
    groups = [replace(PAYER, version=number, entity=Entity("payer", keys)) for number, keys in (
        (2, ("id", "shop")), (3, ("shop", "payer")))]  # fmt: skip
    wide = Catalogue(small.views, (*small.groups, *groups), small.sources)
    monkeypatch.setattr(command, "load_definitions", lambda name: wide)
    said = world.run("erase", "--entity", "payer", "--key", "7")
    assert said.count("not erased") == 1
    assert "not erased: other versions key payer by id, shop; give their keys too" in said


@pytest.mark.parametrize("kind", [Boolean(), Decimal(2, 0, 9), Timestamp()])
def test_a_key_of_a_kind_that_cannot_be_given_is_named(kind: FieldType) -> None:
    """No group is keyed by such a field; another source may have one of the name of a key."""
    tills = replace(OUTCOMES, name="tills", topic="tills", fields=(*OUTCOMES.fields, Field("payer", kind)))
    small = load_definitions("tests.streaming.small_domain")
    catalogue = Catalogue(small.views, small.groups, (*small.sources, tills))
    with pytest.raises(RefusedError, match=f"key field payer, which is a {type(kind).__name__} in source 'tills'"):
        subjects_of(catalogue, "payer", "1")


def test_a_text_keeps_its_zeros_and_a_key_of_two_meanings_is_refused() -> None:
    machines = load_definitions("tests.domains.machines")
    assert subjects_of(machines, "machine", "007|008")[0].parts == ("007", "008")
    letters = replace(OUTCOMES, name="letters", topic="letters", fields=(*OUTCOMES.fields, Field("payer", Text())))
    small = load_definitions("tests.streaming.small_domain")
    both = Catalogue(small.views, small.groups, (*small.sources, letters))
    assert subjects_of(both, "payer", "7")[0].literals(letters) == ("'7'",)
    with pytest.raises(
        RefusedError, match=r"'007' is ambiguous: in one source it is the number 7, .* a text in source 'letters'"
    ):
        subjects_of(both, "payer", "007")


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
