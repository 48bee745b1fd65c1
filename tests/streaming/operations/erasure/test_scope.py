"""What an erasure reaches: every source with the entity's fields. Tables of unknown owners are refused."""

from pathlib import Path

import pytest

from shared_features.definitions import Entity, load_definitions
from streaming.errors import RefusedError
from streaming.lake.events_table import events_schema
from streaming.lake.handle import DeltaHandle
from streaming.operations.erasure.scope import scope_of
from tests.streaming.small_domain import OUTCOMES, PAYER, PAYMENTS, SHOP_RISK, SHOP_USE

KNOWN = load_definitions("tests.streaming.small_domain")


def test_the_sources_with_all_fields_of_the_key_are_erased_from_and_the_others_are_named(tmp_path: Path) -> None:
    payer, shop = (scope_of(tmp_path, KNOWN, entity) for entity in (PAYER.entity, SHOP_RISK.entity))
    assert (payer.sources, payer.groups, payer.others) == ([PAYMENTS], [PAYER], ["outcomes"])
    assert {source.name for source in shop.sources} == {PAYMENTS.name, OUTCOMES.name}
    assert {group.name for group in shop.groups} == {SHOP_RISK.name, SHOP_USE.name}
    assert shop.others == []
    assert payer.tables(tmp_path) == []
    pair = scope_of(tmp_path, KNOWN, Entity("regular", keys=("payer", "shop")))
    assert (pair.sources, pair.groups, pair.others) == ([PAYMENTS], [], ["outcomes"])


def test_the_groups_are_those_whose_key_carries_the_fields_under_any_name() -> None:
    """Whose events a state was made of is said by the fields of the key, and by no name."""
    buyers = load_definitions("tests.streaming.operations.buyers_domain")
    named = {
        keys: [group.name for group in scope_of(Path("no lake"), buyers, Entity("anyone", keys)).groups]
        for keys in (("payer",), ("payer", "shop"), ("shop",))
    }
    assert named == {
        ("payer",): ["buyer", "payer", "regular"],
        ("payer", "shop"): ["regular"],
        ("shop",): ["regular", "shop_use"],
    }


def test_a_source_that_only_the_lake_knows_is_erased_from_and_has_no_log(tmp_path: Path) -> None:
    """It was renamed: nobody appends to the table, and the entity is in it all the same."""
    for name in ("payments", "payments_before"):
        DeltaHandle(tmp_path / f"events_{name}", events_schema(PAYMENTS)).commit(
            events_schema(PAYMENTS).empty_table(), {"offset": -1}, {"offset": 1}
        )
    scope = scope_of(tmp_path, KNOWN, PAYER.entity)
    assert [source.name for source in scope.sources] == ["payments", "payments_before"]
    assert ([source.name for source in scope.logged], scope.ended) == (["payments"], {"payments_before"})
    assert [path.name for path in scope.tables(tmp_path)] == ["events_payments", "events_payments_before"]
    assert "events_payments_before" not in scope.others


def test_a_table_whose_owner_is_unknown_is_refused(tmp_path: Path) -> None:
    """Whose rows it holds cannot be known, so an erasure that passed it over would not be one."""
    (tmp_path / "snapshots_payer_v9_on_payments" / "_delta_log").mkdir(parents=True)
    with pytest.raises(RefusedError, match=r"Nothing is erased: snapshots_payer_v9_on_payments .*`retire payer:v9"):
        scope_of(tmp_path, KNOWN, PAYER.entity)
    (tmp_path / "snapshots_payer_v9_on_payments").rename(tmp_path / "features_payer_v1_on_strangers")
    with pytest.raises(RefusedError, match=r"neither the definitions nor an events table has the source"):
        scope_of(tmp_path, KNOWN, PAYER.entity)
