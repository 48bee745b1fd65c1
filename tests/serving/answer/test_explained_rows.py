"""An explained prediction: where each feature comes from, and that what is said of it is what the events say."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from serving.request.predict_path import EXPLAINED_AT_MOST
from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta_bytes import encode_meta
from shared_features.kernel.event_time import to_text, to_us
from tests.domains.machines import BREAKDOWN, HOT_PLANT, MACHINE_HEAT
from tests.serving.conftest import INSTANCE, NOW_US, readings
from tests.serving.stored_states import NAMESPACE, shard_meta

PATH = "/v1/views/breakdown:predict"
NEWEST_US = NOW_US - 600_000_001  # of the machine of INSTANCE


def ask(serving: Any, body: Any, **settings: Any) -> Any:
    async def once() -> Any:
        async with serving(**settings) as client:
            return await client.post(PATH, json=body)

    return asyncio.run(once())


def explained(serving: Any, instance: Any = INSTANCE, /, more: Any = (), **settings: Any) -> Any:
    answer = ask(
        serving, {"instances": [instance], "explain": True, "include_features": True, **dict(more)}, **settings
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"][0]


def times_of(group: Any) -> list[int]:
    """The events that a group counts of the entity of INSTANCE, by the plain rows."""
    rows = [row for row in readings() if all(row[name] == INSTANCE[name] for name in group.entity.keys)]
    return [row["at"] for row in rows if group is MACHINE_HEAT or row["celsius"] > 600]


@pytest.mark.parametrize("as_of_us", [NOW_US, NEWEST_US, NEWEST_US + 1])
def test_windows_have_the_edges_and_the_events_that_the_rows_say(serving, as_of_us):
    found = explained(serving, more={"as_of": as_of_us})
    stored = [column for column in BREAKDOWN.columns if column.function is None and column.inputs[0].feature]
    assert len(stored) == 6
    for column in stored:
        feature: Any = column.inputs[0].feature
        value = found["explanation"]["features"][column.name]
        length_us, hop_us = to_us(feature.window.length), to_us(feature.window.hop)
        from_us = (as_of_us - length_us) // hop_us * hop_us
        times = [time_us for time_us in times_of(feature.group) if from_us <= time_us < as_of_us]
        assert (value["origin"], value["group"]) == ("stored", feature.group.part_name)
        assert value["value"] == found["features"][column.name]
        window = value["window"]
        assert (window["from_us"], window["until_us"], window["events"]) == (from_us, as_of_us, len(times))
        assert window["newest_event_us"] <= max(times) <= window["newest_event_us"] + window["newest_event_within_us"]
        assert window["newest_event_age_seconds"] == (as_of_us - window["newest_event_us"]) / 1e6


def test_a_stored_feature_says_where_it_was_read(serving):
    state = explained(serving)["explanation"]["states"]["machine_heat"]
    assert (state["group"], state["read_from"]) == ("machine_heat:v3", "redis")
    assert "reason" not in state
    assert state["entity"] == {"plant": "north", "machine": "press|1"}
    assert state["redis_key"] == f"{{{NAMESPACE}:machine_heat:v3:{state['shard']['shard']}}}:e:north|press\\|1"
    assert (state["newest_event_us"], state["exact_from_us"]) == (NEWEST_US, NEWEST_US - MACHINE_HEAT.layout.head_us)
    assert (state["head_events"], state["head_events"] + state["tiles"] > 1) == (1, True)
    assert [each["offset"] for each in state["shard"]["vector"]] == [10, 11]


def test_the_shard_of_an_explanation_is_that_of_the_receipt(serving):
    answer = ask(serving, {"instances": [INSTANCE], "explain": True}).json()
    states = answer["predictions"][0]["explanation"]["states"]
    assert [states[name]["shard"] for name in ("machine_heat", "hot_plant")] == answer["receipt"]["shards"]


def test_an_on_demand_feature_has_its_inputs_as_its_function_saw_them(serving):
    found = explained(serving)
    above = found["explanation"]["features"]["above_mean_1h"]
    assert (above["origin"], above["value"]) == ("on_demand", found["features"]["above_mean_1h"])
    given = above["inputs"]
    assert list(given) == ["celsius", "machine_heat__celsius_mean_1h"]
    assert given["celsius"] == {"value": 71.2, "origin": "request"}
    mean = given["machine_heat__celsius_mean_1h"]
    assert above["value"] == pytest.approx(71.2 - mean["value"], abs=1e-5)
    assert mean["window"]["events"] > 0
    firmware = found["explanation"]["features"]["is_new_firmware"]["inputs"]
    assert firmware["firmware"] == {"value": "2.1", "origin": "request"}
    code = firmware["machine_heat__firmware_last_1d"]
    assert (type(code["value"]), code["is_code"]) == (float, True), "another text: only its code is known"
    same = explained(serving, INSTANCE | {"firmware": "2.0"})["explanation"]["features"]["is_new_firmware"]
    assert same["inputs"]["machine_heat__firmware_last_1d"]["value"] == "2.0"
    never = explained(serving, INSTANCE | {"machine": "never seen"})["explanation"]["features"]["is_new_firmware"]
    for known in (same, never, found["explanation"]["features"]["above_mean_1h"]):
        assert not [each for each in known["inputs"].values() if "is_code" in each]


def test_a_mean_says_how_many_events_of_its_window_had_a_value(serving):
    """A mean of three values was shown beside five events: two of them lacked the column."""
    found = explained(serving)["explanation"]["features"]
    window = found["machine_heat__humidity_mean_1h"]["window"]
    rows = [row for row in readings() if all(row[name] == INSTANCE[name] for name in MACHINE_HEAT.entity.keys)]
    inside = [row["humidity"] for row in rows if window["from_us"] <= row["at"] < window["until_us"]]
    valued = [each for each in inside if each is not None]
    assert (window["events"], window["events_with_value"]) == (len(inside), len(valued))
    assert 0 < len(valued) < len(inside)
    of_all = found["machine_heat__celsius_mean_1h"]["window"]
    assert of_all["events_with_value"] == of_all["events"], "a required field is never missing"
    assert "events_with_value" not in found["hot_plant__count_2h"]["window"], "it is of no column"


def test_a_missing_request_field_is_null(serving):
    assert explained(serving)["explanation"]["features"]["humidity"] == {"value": None, "origin": "request"}


def test_an_entity_without_a_key_has_default_values_and_windows_without_events(serving):
    found = explained(serving, INSTANCE | {"machine": "never seen"})
    state = found["explanation"]["states"]["machine_heat"]
    assert (state["read_from"], state["newest_event_us"], state["tiles"]) == ("default", None, 0)
    assert "Redis has no such key" in state["reason"]
    assert state["redis_key"].endswith(":e:north|never seen")
    mean = found["explanation"]["features"]["machine_heat__celsius_mean_1h"]
    assert (mean["value"], mean["window"]["events"], mean["window"]["newest_event_us"]) == (None, 0, None)


def test_a_degraded_answer_says_why_its_features_have_default_values(serving, store):
    store.values[meta_key(NAMESPACE, HOT_PLANT, 0)] = encode_meta(shard_meta(HOT_PLANT, 0, behind=True))
    found = explained(serving, allow_degraded=True)["explanation"]
    assert "is being rebuilt" in found["states"]["hot_plant"]["reason"]
    assert found["features"]["hot_plant__count_2h"]["window"]["events"] is None, "not known, so not 0"
    assert found["states"]["machine_heat"]["read_from"] == "redis"
    store.away = "gone"
    found = explained(serving, allow_degraded=True)["explanation"]
    assert found["states"]["machine_heat"]["reason"] == "Redis: gone"
    assert found["features"]["above_mean_1h"]["inputs"]["celsius"]["value"] == 71.2


def test_an_instance_that_names_its_event_is_explained_as_of_that_event(serving):
    window = explained(serving, INSTANCE | {"at": to_text(NEWEST_US)})["explanation"]["features"][
        "machine_heat__celsius_mean_1h"
    ]["window"]
    assert window["until_us"] == NEWEST_US


def test_only_the_request_that_asks_is_explained_and_the_store_is_read_once(serving, store):
    async def both() -> Any:
        async with serving() as client:
            store.asked.clear()
            bodies = ({"instances": [INSTANCE]}, {"instances": [INSTANCE], "explain": True})
            answers = await asyncio.gather(*(client.post(PATH, json=body) for body in bodies))
            return [each.json() for each in answers], len(store.asked)

    (plain, told), trips = asyncio.run(both())
    assert "explanation" not in plain["predictions"][0]
    explanation = told["predictions"][0].pop("explanation")
    assert list(explanation["features"]) == [column.name for column in BREAKDOWN.columns]
    assert told == plain, "but for the explanation it is the same answer"
    assert trips <= 2


def test_more_instances_than_a_person_reads_are_not_explained(serving):
    body: dict[str, Any] = {"instances": [INSTANCE] * EXPLAINED_AT_MOST, "explain": True}
    answer = ask(serving, body)
    assert len({str(each["explanation"]) for each in answer.json()["predictions"]}) == 1
    body["instances"].append(INSTANCE)
    refused = ask(serving, body)
    assert (refused.status_code, refused.json()["limit"]) == (413, EXPLAINED_AT_MOST)
    assert "leave out `explain`" in refused.json()["detail"]
