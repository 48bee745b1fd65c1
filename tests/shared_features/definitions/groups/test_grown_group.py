"""An aggregate that joins a group later is kept on its own; all that was there before stays as it is."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shared_features import (
    Aggregate,
    Count,
    DefinitionError,
    FeatureView,
    GrownGroup,
    Max,
    Mean,
    Sum,
    days,
    hours,
    load_definitions,
    minutes,
)
from shared_features.definitions import Window
from shared_features.feature_matrix import feature_matrix
from shared_features.formats.offline_tables import features_table, snapshots_table
from shared_features.formats.online_state import definition_key, entity_prefix, meta_key
from tests.domains import machines
from tests.shared_features.definitions.orders import SOURCE, group

PLAIN = group()
GROWN = GrownGroup(
    PLAIN,
    added=(
        Aggregate("price", Sum(), (days(1), days(7))),
        Aggregate(None, Count(), (Window(minutes(44), minutes(11)),)),
    ),
)


def test_the_parts_are_the_group_as_it_was_and_each_addition() -> None:
    assert [each.label for each in GROWN.parts] == ["spend:v1", "spend:v1+1", "spend:v1+2"]
    assert GROWN.parts[0] == PLAIN
    assert GROWN.parts[0].fingerprint == PLAIN.fingerprint
    assert len({each.fingerprint for each in GROWN.parts}) == 3
    assert PLAIN.parts == (PLAIN,)


def test_an_addition_leaves_those_before_it_as_they_are() -> None:
    longer = replace(GROWN, added=(*GROWN.added, Aggregate("price", Max(), (hours(1),))))
    assert longer.parts[:3] == GROWN.parts
    assert [each.fingerprint for each in longer.parts[:3]] == [each.fingerprint for each in GROWN.parts]


@pytest.mark.parametrize("changed", [GROWN.added[1:], GROWN.added[::-1]])
def test_taking_one_out_or_another_order_changes_the_fingerprint_under_the_label(changed: Any) -> None:
    other = replace(GROWN, added=changed)
    assert other.parts[1].label == GROWN.parts[1].label
    assert other.parts[1].fingerprint != GROWN.parts[1].fingerprint


def test_the_group_offers_the_features_of_all_parts_under_its_own_name() -> None:
    names = ["price_mean_1d", "price_sum_1d", "price_sum_7d", "count_44m"]
    assert [each.name for each in GROWN.features] == names
    assert [GROWN[name].group.part for name in names] == [0, 1, 1, 2]
    assert [GROWN[name].index for name in names] == [0, 0, 1, 0]
    assert GROWN["count_44m"].full_name == "spend__count_44m"


def test_each_part_has_keys_and_tables_of_its_own_with_names_that_files_may_have() -> None:
    tables = [table(part, SOURCE) for part in GROWN.parts for table in (features_table, snapshots_table)]
    assert tables == [
        "features_spend_v1_on_orders",
        "snapshots_spend_v1_on_orders",
        "features_spend_v1_added1_on_orders",
        "snapshots_spend_v1_added1_on_orders",
        "features_spend_v1_added2_on_orders",
        "snapshots_spend_v1_added2_on_orders",
    ]
    assert meta_key("m", GROWN.parts[1], 3) == b"{m:spend:v1+1:3}:meta"
    assert entity_prefix("m", GROWN.parts[2], 0) == b"{m:spend:v1+2:0}:e:"
    assert definition_key("m", GROWN.parts[2]) == b"m:definition:spend:v1+2"


def test_the_whole_has_nothing_that_only_a_part_has() -> None:
    """The type checker says so first: it would report these two comments as unused if it did not."""
    with pytest.raises(AttributeError):
        _ = GROWN.layout  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        _ = GROWN.fingerprint  # type: ignore[attr-defined]


CONTRADICTIONS: dict[str, tuple[Any, str]] = {
    "a name twice": (Aggregate("price", Mean(), (days(1),)), r"\['price_mean_1d'\] defined twice"),
    "no such field": (Aggregate("prize", Mean(), (days(1),)), "no field 'prize'"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_an_addition_is_checked_as_the_others_are(name: str) -> None:
    added, says = CONTRADICTIONS[name]
    with pytest.raises(DefinitionError, match=says):
        GrownGroup(PLAIN, (added,))


def test_a_view_reads_an_addition_only_where_it_uses_one() -> None:
    """So that adding one does not change the views that are there."""
    picked = FeatureView("v", 1, SOURCE, (PLAIN["price_mean_1d"],), also_reads=(PLAIN,))
    still = FeatureView("v", 1, SOURCE, (GROWN["price_mean_1d"],), also_reads=(GROWN,))
    assert still.fingerprint == picked.fingerprint
    assert still.groups == (PLAIN,)
    whole = FeatureView("v", 1, SOURCE, (GROWN,))
    assert whole.groups == GROWN.parts
    assert [column.name for column in whole.columns] == [f"spend__{each.name}" for each in GROWN.features]


def price_over_sum(price: Any, price_sum_7d: Any) -> Any:
    return price / price_sum_7d


def test_an_on_demand_function_may_take_an_addition() -> None:
    view = FeatureView("v", 1, SOURCE, (price_over_sum, GROWN["price_mean_1d"]), also_reads=(GROWN,))
    assert [each.part_name for each in view.groups] == ["spend+1", "spend"] or view.groups == GROWN.parts[:2]
    stored = {"spend": np.array([[5.0]]), "spend+1": np.array([[1.0, 4.0]])}
    assert feature_matrix(view, {"price": np.array([2.0])}, np.array([0]), stored).tolist() == [[0.5, 5.0]]


def test_an_addition_of_another_version_is_two_versions_too() -> None:
    second = replace(GROWN, group=replace(PLAIN, version=2))
    with pytest.raises(DefinitionError, match="two versions of 'spend'"):
        FeatureView("v", 1, SOURCE, (GROWN["price_mean_1d"], second["count_44m"]))


def test_the_catalogue_lists_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = load_definitions("tests.domains.machines")
    grown = GrownGroup(machines.HOT_PLANT, (Aggregate("celsius", Mean(), (hours(1),)),))
    monkeypatch.setattr(machines, "HOT_PLANT", grown)
    catalogue = load_definitions("tests.domains.machines")
    assert [each.label for each in catalogue.groups] == ["hot_plant:v1", "hot_plant:v1+1", "machine_heat:v3"]
    assert catalogue.group("hot_plant:v1+1") is not None
    assert catalogue.group("hot_plant:v1") == plain.group("hot_plant:v1")
