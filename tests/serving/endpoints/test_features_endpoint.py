"""Features without a model: those of a view are what a model would see, and those of a group what the kernel reads."""

import asyncio
import json
from typing import Any

import numpy as np
import pytest

from serving.app import create_app
from serving.settings import ServingSettings
from shared_features.formats.online_state import meta_key
from shared_features.formats.receipt import decode_receipt
from shared_features.formats.shard_meta_bytes import encode_meta
from shared_features.kernel.event_time import to_text
from shared_features.kernel.hashing import text_codes
from tests.domains.machines import HOT_PLANT
from tests.serving.asking import PATH, problem
from tests.serving.conftest import INSTANCE, NOW_US, asking
from tests.serving.stored_states import NAMESPACE, shard_meta

FEATURES, READ = "/v1/views/breakdown:features", "/v1/groups/machine_heat:read"
MACHINE = {"plant": "north", "machine": "press|1"}
UNKNOWN = {"plant": "north", "machine": "none"}
NEWEST_US = NOW_US - 600_000_001  # of the first machine: event 1


def sent(serving, *requests, **settings):
    """The answers to requests (method, path, options)."""

    async def once():
        async with serving(**settings) as client:
            return [await client.request(method, path, **options) for method, path, options in requests]

    return asyncio.run(once())


def test_the_features_of_a_view_are_those_of_a_prediction_and_need_no_model(serving, tmp_path):
    body = {"instances": [INSTANCE, INSTANCE | {"machine": "press|2"}, INSTANCE | {"plant": "south"}]}
    (predicted,) = sent(serving, ("POST", PATH, {"json": body | {"include_features": True}}))
    (answer,) = sent(serving, ("POST", FEATURES, {"json": body}), registry=tmp_path)
    assert answer.status_code == 200, answer.text
    said, wanted = answer.json(), predicted.json()
    assert said["view"] == "breakdown:v1"
    for member in ("as_of_us", "degraded", "freshness_seconds", "receipt"):
        assert said[member] == wanted[member]
    for instance, prediction in zip(said["instances"], wanted["predictions"], strict=True):
        for member in ("features", "feature_age_seconds", "missing_entities", "degraded"):
            assert instance[member] == prediction[member]
    assert said["instances"][2]["missing_entities"] == ["machine_heat", "hot_plant"]
    assert set(said["instances"][0]) == {
        "features", "feature_age_seconds", "event_time_us", "missing_entities", "degraded",
    }  # fmt: skip


def test_the_features_of_a_group_are_read_by_the_keys_of_its_entities(serving, tmp_path):
    body = {"instances": [MACHINE, UNKNOWN]}
    (answer,) = sent(serving, ("POST", READ, {"json": body}), registry=tmp_path)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    (predicted,) = sent(serving, ("POST", PATH, {"json": {"instances": [INSTANCE], "include_features": True}}))
    seen = predicted.json()["predictions"][0]["features"]
    known, unknown = said["instances"]
    for name in ("celsius_mean_1h", "celsius_std_1h", "humidity_mean_1h"):
        assert known["features"][f"machine_heat__{name}"] == seen[f"machine_heat__{name}"]
    assert known["features"]["machine_heat__firmware_last_1d"] == float(text_codes(["2.0"])[0])
    assert (said["group"], said["as_of_us"]) == ("machine_heat:v3", NOW_US)
    assert known["event_time_us"] == {"machine_heat": NEWEST_US}
    assert known["feature_age_seconds"] == {"machine_heat": (NOW_US - NEWEST_US) / 1e6}
    assert (known["missing_entities"], unknown["missing_entities"]) == ([], ["machine_heat"])
    assert unknown["event_time_us"] == unknown["feature_age_seconds"] == {"machine_heat": None}
    assert unknown["features"]["machine_heat__celsius_mean_1h"] is None
    assert unknown["features"]["machine_heat__humidity_count_1h"] == 0.0
    receipt = answer.text[answer.text.index('"receipt":') + len('"receipt":') : -1]
    assert {each.group for each in decode_receipt(receipt.encode()).shards} == {"machine_heat:v3"}


@pytest.mark.parametrize("path", [READ, "/v1/groups/machine_heat:v3:read"])
def test_one_entity_is_read_by_get(serving, path):
    post, get, then = sent(
        serving,
        ("POST", path, {"json": {"instances": [MACHINE], "as_of": NOW_US}}),
        ("GET", path, {"params": MACHINE | {"as_of": NOW_US}}),
        ("GET", path, {"params": MACHINE | {"as_of": to_text(NOW_US)}}),
    )
    assert post.status_code == 200, post.text
    assert post.content == get.content == then.content


def test_the_features_of_a_view_are_had_by_get(serving):
    post, get = sent(
        serving, ("POST", FEATURES, {"json": {"instances": [INSTANCE]}}), ("GET", FEATURES, {"params": INSTANCE})
    )
    assert post.status_code == 200, post.text
    assert post.content == get.content


def test_an_instance_may_name_its_event(serving):
    (answer,) = sent(serving, ("POST", READ, {"json": {"instances": [MACHINE | {"at": to_text(NEWEST_US)}, MACHINE]}}))
    about, now = answer.json()["instances"]
    assert about["as_of_us"] == NEWEST_US
    assert about["event_time_us"]["machine_heat"] < NEWEST_US
    assert "as_of_us" not in now
    named = {"instances": [MACHINE | {"at": to_text(NEWEST_US)}], "as_of": NEWEST_US}
    (answer,) = sent(serving, ("POST", READ, {"json": named}))
    assert answer.json()["instances"][0]["as_of_us"] == answer.json()["as_of_us"] == NEWEST_US


def test_many_entities_are_read_like_one(serving):
    one, many = sent(
        serving,
        ("POST", READ, {"json": {"instances": [MACHINE]}}),
        ("POST", READ, {"json": {"instances": [MACHINE] * 200}}),
    )
    assert many.json()["instances"] == one.json()["instances"] * 200
    assert many.json()["receipt"] == one.json()["receipt"]


def test_what_a_prediction_refuses_is_refused(serving, store):
    faults = [
        ("POST", "/v1/groups/none:read", {"json": {"instances": [MACHINE]}}),
        ("POST", "/v1/views/none:features", {"json": {"instances": [MACHINE]}}),
        ("POST", READ, {"json": {"instances": [{"plant": "north"}]}}),
        ("POST", READ, {"json": {"instances": [MACHINE | {"celsius": 3}]}}),
        ("POST", READ, {"json": {"instances": [MACHINE], "include_features": True}}),
        ("POST", READ, {"json": {"instances": [MACHINE] * 257}}),
        ("POST", READ, {"json": {"instances": [MACHINE], "as_of": NOW_US - 3_600_000_000}}),
        ("POST", READ, {"json": {"instances": [MACHINE]}, "headers": {"Content-Encoding": "gzip"}}),
        ("GET", READ, {"params": {"plant": "north"}}),
        ("GET", f"{READ}?plant=north&machine=a&machine=b", {}),
        ("GET", f"{READ}?plant=%ff", {}),
        ("GET", f"{READ}?plant", {}),
    ]  # fmt: skip
    group, view, missing, other, member, many, early, gzip, get, twice, bytes_, no_pair = sent(serving, *faults)
    assert problem(group, "unknown-group")["groups"] == ["hot_plant", "machine_heat"]
    assert problem(view, "unknown-view")["views"] == ["breakdown"]
    assert problem(missing, "invalid-request")["path"] == "$.instances[0].machine"
    assert problem(other, "invalid-request")["fields"] == ["plant", "machine", "at"]
    assert problem(member, "invalid-request")["fields"] == ["instances", "as_of"]
    assert problem(many, "too-many-instances")["limit"] == 256
    assert "./run dataset --spine" in problem(early, "early-instant")["detail"]
    problem(gzip, "content-encoding")
    assert problem(get, "invalid-request")["path"] == "$.instances[0].machine"
    assert "names machine twice" in problem(twice, "invalid-request")["detail"]
    for each in (bytes_, no_pair):
        assert problem(each, "invalid-request")["detail"].startswith("The query of the path cannot be read.")


def test_a_group_that_cannot_be_used_is_a_503_or_degraded_where_that_is_allowed(serving, store):
    store.values[meta_key(NAMESPACE, HOT_PLANT, 0)] = encode_meta(shard_meta(HOT_PLANT, 0, behind=True))
    asked = ("POST", "/v1/groups/hot_plant:read", {"json": {"instances": [{"plant": "north"}]}})
    (refused,) = sent(serving, asked)
    assert problem(refused, "catching-up")["group"] == "hot_plant"
    (marked,) = sent(serving, asked, allow_degraded=True)
    assert marked.json()["degraded"] is True
    assert set(marked.json()["instances"][0]["features"].values()) == {None}
    store.away = "gone"
    (away,) = sent(serving, asked)
    problem(away, "online-store-unavailable")


def test_requests_for_features_are_counted_apart_from_predictions(serving):
    *_, metrics = sent(
        serving,
        ("POST", READ, {"json": {"instances": [MACHINE]}}),
        ("POST", READ, {"json": {}}),
        ("POST", FEATURES, {"json": {"instances": [INSTANCE]}}),
        ("GET", "/metrics", {}),
    )
    for line in (
        'serving_features_requests_total{of="machine_heat:v3",problem="",status="200"} 1.0',
        'serving_features_requests_total{of="machine_heat:v3",problem="invalid-request",status="422"} 1.0',
        'serving_features_requests_total{of="breakdown:v1",problem="",status="200"} 1.0',
        'serving_requests_total{problem="",status="200",view="breakdown:v1"} 0.0',
    ):
        assert line in metrics.text, line


def test_every_domain_of_ours_has_its_groups_read(store, clock, tmp_path):
    """Whatever a group consists of, additions among it, a view of it can be made."""
    for definitions in ("shared_features.feature_views", "tests.domains.web_shop"):
        given: dict[str, Any] = {"definitions": definitions, "redis_namespace": NAMESPACE, "registry": tmp_path}
        app = create_app(ServingSettings(**given), store=store, clock=clock)

        async def read_all(app=app):
            async with asking(app) as client:
                document = (await client.get("/openapi.json")).json()
                for path, methods in document["paths"].items():
                    if path.endswith(":read"):
                        body = methods["post"]["requestBody"]["content"]["application/json"]["example"]
                        answer = await client.post(path, content=json.dumps(body))
                        problem(answer, "catching-up")  # nothing was streamed, and the request itself is accepted

        asyncio.run(read_all())


def test_values_are_floats_of_32_bits(serving):
    (answer,) = sent(serving, ("POST", READ, {"json": {"instances": [MACHINE]}}))
    value = answer.json()["instances"][0]["features"]["machine_heat__celsius_mean_1h"]
    assert value == float(np.float32(value))
