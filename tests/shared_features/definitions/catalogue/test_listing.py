"""The definitions as plain data: what there is, what it is, and what reads it."""

import json
from dataclasses import replace
from typing import Any

from shared_features import Count, LabelSource, LaterEvents, days, load_definitions
from shared_features.definitions import Catalogue, list_definitions
from tests.domains import machines, probes_grown

FOUND = list_definitions(load_definitions(machines.__name__))


def named(found: Any, name: str, by: str = "name") -> Any:
    return next(each for each in found if each[by] == name)


def test_it_is_data_for_json() -> None:
    assert json.loads(json.dumps(FOUND)) == FOUND
    assert list(FOUND) == ["sources", "groups", "views"]


def test_a_source_says_its_fields_and_who_reads_it() -> None:
    readings = named(FOUND["sources"], "readings")
    assert readings["read_by"] == ["hot_plant:v1", "machine_heat:v3", "breakdown:v1"]
    assert named(FOUND["sources"], "breakdowns")["read_by"] == ["breakdown:v1"]
    assert named(readings["fields"], "humidity") == {
        "name": "humidity",
        "type": "Number with 3 decimals, 0 to 1",
        "optional": True,
        "description": "",
        "unit": "",
    }


def test_a_feature_says_its_window_and_who_reads_it() -> None:
    heat = named(FOUND["groups"], "machine_heat:v3", "label")
    assert heat["keys"] == ["plant", "machine"]
    assert heat["fingerprint"] == machines.MACHINE_HEAT.fingerprint
    assert named(heat["features"], "machine_heat__humidity_mean_1h") == {
        "name": "machine_heat__humidity_mean_1h",
        "type": "float64",
        "column": "humidity",
        "aggregation": "mean",
        "window": "1h",
        "hop": "1m",
        "description": "Mean of humidity over 1 hour",
        "unit": "",
        "read_by": ["breakdown:v1"],
    }
    assert named(heat["features"], "machine_heat__celsius_first_1h")["read_by"] == []
    assert named(heat["features"], "machine_heat__firmware_last_1d")["read_by"] == ["breakdown:v1"]  # as an input


def test_a_view_says_where_each_of_its_features_comes_from() -> None:
    (view,) = FOUND["views"]
    kinds = {each["name"]: (each["kind"], each["inputs"]) for each in view["features"]}
    assert kinds["celsius"] == ("request", ["celsius"])
    assert kinds["hot_plant__count_2h"] == ("stored", ["hot_plant__count_2h"])
    assert kinds["above_mean_1h"] == ("on-demand", ["celsius", "machine_heat__celsius_mean_1h"])
    assert view["labels"] == "breakdowns.broke"


def test_versions_and_additions_stand_side_by_side() -> None:
    grown = list_definitions(load_definitions(probes_grown.__name__))
    assert {each["label"]: each["read_by"] for each in grown["groups"]} == {
        "probe_level:v1": ["probe_alarm:v1", "probe_peak:v1"],
        "probe_level:v1+1": ["probe_peak:v1"],
        "probe_level:v2": ["probe_alarm:v2"],
    }


def test_a_label_of_later_events_is_said_in_words() -> None:
    labels = LabelSource(machines.READINGS, LaterEvents(None, Count(), days(1), "==", 0), "machine", days(1))
    silent = replace(machines.BREAKDOWN, labels=labels)
    found = list_definitions(Catalogue((silent,), silent.groups, (machines.READINGS,)))
    assert found["views"][0]["labels"] == "readings: count of events in the next 1 d == 0"
    assert found["sources"][0]["read_by"].count("breakdown:v1") == 1
