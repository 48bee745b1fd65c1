"""The OpenAPI document says what the running service takes and answers."""

import asyncio
import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from serving.endpoints.openapi import openapi_document
from serving.features.group_view import group_views
from serving.request.accepted_values import example_request
from shared_features.definitions import describe_column
from shared_features.feature_views import CARD_FRAUD
from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta_bytes import encode_meta
from tests.domains.machines import BREAKDOWN, HOT_PLANT
from tests.serving.conftest import INSTANCE
from tests.serving.json_schemas import faults, resolved
from tests.serving.stored_states import NAMESPACE, shard_meta

PATH = "/v1/views/breakdown:predict"
BODY = {"instances": [INSTANCE], "include_features": True}


def asked(serving, *requests, **settings):
    """The document, and the answers to requests (method, path, options) that are sent at the same time."""

    async def once():
        async with serving(**settings) as client:
            document = (await client.get("/openapi.json")).json()
            return document, await asyncio.gather(*(client.request(m, p, **options) for m, p, options in requests))

    return asyncio.run(once())


def check(document: Mapping[str, Any], method: str, path: str, response: Any) -> str:
    """The answer is declared for its route and status, and is what is declared; returns the two."""
    path = re.sub(r"(?<=/versions/)\w+", "{version}", path)
    declared = document["paths"][path][method.lower()]["responses"][str(response.status_code)]
    media_type, _, _ = response.headers["content-type"].partition(";")
    schema = declared["content"][media_type]["schema"]
    value = response.text if media_type == "text/plain" else response.json()
    found = list(faults(value, schema, document))
    assert not found, found
    for name in declared.get("headers", {}):
        assert name in response.headers
    return f"{method} {path} {response.status_code}"


MACHINE = {"plant": "north", "machine": "press|1"}
OF_FEATURES: dict[str, dict[str, Any]] = {
    "/v1/views/breakdown:features": INSTANCE,
    "/v1/groups/machine_heat:read": MACHINE,
    "/v1/groups/hot_plant:read": {"plant": "north"},
}


def features(*wanted: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Requests for features, by each method and path: those that are answered with one of these."""
    for path, instance in OF_FEATURES.items():
        for kind in wanted:
            given = instance | {"more": 1} if kind == "422" else instance
            get: dict[str, Any] = {"params": given}
            post: dict[str, Any] = {"json": {"instances": [given]}}
            if kind == "413":
                get["content"] = post["content"] = b" " * 4_200_000
            if kind == "415":
                get["headers"] = post["headers"] = {"Content-Encoding": "gzip"}
            if kind == "408":
                get["content"], post = never_ending(), {"content": never_ending()}
            yield "GET", path, get
            yield "POST", path, {"content": post["content"]} if kind == "413" else post


MODEL = "/v2/models/breakdown"
TENSORS = [
    {"name": name, "datatype": datatype, "shape": [1], "data": [INSTANCE[name]]}
    for name, datatype in (("plant", "BYTES"), ("machine", "BYTES"), ("celsius", "FP64"))
]
OF_SERVER: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", path, {}) for path in ("/v2", "/v2/health/live", "/v2/health/ready")
]


def models(version: str = "1") -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What the protocol asks of a model, with and without a version."""
    for model in (MODEL, f"{MODEL}/versions/{version}"):
        yield from (("GET", path, {}) for path in (model, f"{model}/ready"))


def inference(*wanted: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Requests for inference: those that are answered with one of these."""
    options: dict[str, Any] = {
        "200": {"json": {"inputs": TENSORS}},
        "404": {"json": {"inputs": TENSORS}, "headers": {"Millrace-Model": "9"}},
        "413": {"content": b" " * 4_200_000},
        "415": {"json": {"inputs": TENSORS}, "headers": {"Content-Encoding": "gzip"}},
        "422": {"json": {"inputs": TENSORS[:1]}},
    }
    for kind in wanted:
        version = "9" if kind == "404" else "1"
        for path in (f"{MODEL}/infer", f"{MODEL}/versions/{version}/infer"):
            yield "POST", path, options[kind] if kind != "408" else {"content": never_ending()}


async def never_ending():
    yield b"{"
    await asyncio.sleep(0.05)
    yield b"}"


@pytest.mark.deep
def test_real_answers_of_every_route_and_status_are_what_the_document_declares(serving, store, tmp_path, monkeypatch):
    """A declared status that no request here can reach fails this test, and so does an undeclared one."""
    seen: set[str] = set()
    declared: set[str] = set()

    def see(*requests: Any, **settings: Any) -> None:
        document, responses = asked(serving, *requests, **settings)
        seen.update(check(document, m, p, each) for (m, p, _), each in zip(requests, responses, strict=True))
        declared.update(
            f"{method.upper()} {path} {status}"
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
            for status in operation["responses"]
        )

    see(
        ("POST", PATH, {"json": BODY}),
        ("POST", PATH, {"json": BODY | {"explain": True}}),
        ("POST", PATH, {"json": {"instances": [INSTANCE | {"plant": "south"}], "as_of": 0}}),
        ("POST", PATH, {"json": {"instances": [INSTANCE | {"celsius": "hot"}]}}),
        ("POST", PATH, {"json": {"instances": [{}]}}),
        ("POST", PATH, {"json": {"instances": [INSTANCE] * 300}}),
        ("POST", PATH, {"json": BODY, "headers": {"Content-Encoding": "gzip"}}),
        ("GET", "/health/live", {}),
        ("GET", "/health/ready", {}),
        ("GET", "/metrics", {}),
        *features("200", "413", "415", "422"),
        *OF_SERVER,
        *models(),
        *models("9"),
        *inference("200", "404", "413", "415", "422"),
    )
    see(("POST", PATH, {"content": never_ending()}), *features("408"), *inference("408"), serving_receive_s=0.001)
    see(
        ("POST", PATH, {"json": BODY}),
        ("GET", "/health/ready", {}),
        *OF_SERVER,
        *models(),
        *inference("200"),
        registry=tmp_path,
    )
    meta = meta_key(NAMESPACE, HOT_PLANT, 0)
    live, store.values[meta] = store.values[meta], encode_meta(shard_meta(HOT_PLANT, 0, behind=True))
    see(("POST", PATH, {"json": BODY}), allow_degraded=True)
    see(("POST", PATH, {"json": BODY}))
    store.values[meta] = live
    store.away = "the connection was lost"
    see(("POST", PATH, {"json": BODY | {"explain": True}}), allow_degraded=True)
    see(("POST", PATH, {"json": BODY}), ("GET", "/health/ready", {}), *features("200"))
    store.away = None
    with monkeypatch.context() as patch:
        patch.setattr(store, "read", lambda reads: 1 / 0)
        see(("POST", PATH, {"json": BODY}), *features("200"), *inference("200"), allow_degraded=True)
    # The paths of other views and groups.
    not_for_these = {f"POST {PATH} 404"} | {
        f"{method} {path} 404" for path in OF_FEATURES for method in ("GET", "POST")
    }
    assert seen | not_for_these == declared


def test_the_answer_for_an_unknown_view_is_what_the_document_declares(serving):
    document, (response,) = asked(serving, ("POST", "/v1/views/none:predict", {"json": BODY}))
    assert check(document, "POST", PATH, response) == f"POST {PATH} 404"


def test_the_examples_of_the_openapi_document_are_accepted_as_they_stand(serving):
    """They are made from the definitions, for any domain: a path of predictions, and paths of features."""

    async def follow(definitions, **settings):
        async with serving(definitions=definitions, **settings) as client:
            document = (await client.get("/openapi.json")).json()
            answers = {}
            for path, methods in document["paths"].items():
                if "post" in methods:
                    body = methods["post"]["requestBody"]["content"]["application/json"]["example"]
                    answers[path] = await client.post(path.replace("{version}", "champion"), json=body)
            return document, answers

    document, answers = asyncio.run(follow("tests.domains.machines"))
    assert document["openapi"].startswith("3.1")
    by_tensors = [f"{MODEL}/infer", f"{MODEL}/versions/{{version}}/infer"]
    assert set(answers) == {PATH, *OF_FEATURES, *by_tensors}
    assert {each.status_code for each in answers.values()} == {200}
    schemas = document["components"]["schemas"]
    described = schemas["breakdown_answer"]["properties"]
    assert [*answers[PATH].json(), "prediction_id"] == list(described)  # nothing is logged
    prediction = resolved(described["predictions"]["items"], document)["properties"]
    # The example names no event of its own, whose instant would be said, and wants no explanation. Its model does not
    # decide.
    assert set(answers[PATH].json()["predictions"][0]) == set(prediction) - {"as_of_us", "explanation", "decision"}
    instance = resolved(schemas["breakdown_request"]["properties"]["instances"]["items"], document)
    assert instance["required"] == ["plant", "machine", "celsius"]
    assert list(instance["properties"]) == [*(field.name for field in BREAKDOWN.request_fields), "at"]
    _, others = asyncio.run(follow("shared_features.feature_views", allow_degraded=True))
    types = {path: each.json().get("type") for path, each in others.items()}
    models = "/v2/models/card_fraud"
    for path in ("/v1/views/card_fraud:predict", f"{models}/infer", f"{models}/versions/{{version}}/infer"):
        assert types.pop(path) == "/docs#no-model"  # what the body says was accepted
    assert set(types.values()) == {None}
    assert example_request(CARD_FRAUD)["instances"][0].keys() == {field.name for field in CARD_FRAUD.request_fields}


@pytest.mark.parametrize("view", [BREAKDOWN, CARD_FRAUD], ids=lambda view: view.name)
def test_a_request_example_is_what_its_schema_says(view):
    document = openapi_document([view], 256)
    for only_features, name in ((False, "request"), (True, "features_request")):
        schema = document["components"]["schemas"][f"{view.name}_{name}"]
        assert not list(faults(example_request(view, only_features=only_features), schema, document))


@pytest.mark.parametrize("view", [BREAKDOWN, CARD_FRAUD], ids=lambda view: view.name)
def test_everything_in_the_document_has_a_description(view):
    assert not list(without_description(openapi_document([view], 256, group_views(view.groups)), "$"))


def test_what_definitions_say_of_fields_and_features_stands_in_the_document():
    schemas = openapi_document([CARD_FRAUD], 256)["components"]["schemas"]
    for field in CARD_FRAUD.request_fields:
        said = schemas["card_fraud_instance"]["properties"][field.name]["description"]
        assert field.description.rstrip(".") in said
        assert "Write " in said
    for column in CARD_FRAUD.columns:
        said = schemas["card_fraud_features"]["properties"][column.name]["description"]
        assert str(describe_column(CARD_FRAUD, column)) in said
    label = CARD_FRAUD.predicted
    assert label is not None
    assert label.value in schemas["card_fraud_prediction"]["properties"]["score"]["description"]


def test_the_examples_of_problems_are_what_their_schema_says():
    document = openapi_document([BREAKDOWN], 256)
    posts = [document["paths"][path]["post"]["responses"] for path in (PATH, f"{MODEL}/infer")]
    for status, response in [each for responses in posts for each in responses.items()]:
        for content in response["content"].values():
            for example in content.get("examples", {}).values():
                assert not list(faults(example["value"], content["schema"], document))
                assert str(example["value"]["status"]) == status


def without_description(node: Any, at: str) -> Iterator[str]:
    """Operations, parameters, request bodies, responses, headers, schemas and their properties, to any depth."""
    if isinstance(node, list):
        for index, each in enumerate(node):
            yield from without_description(each, f"{at}[{index}]")
    if not isinstance(node, dict):
        return
    described = [node] if at == "$.info" or at.endswith(".requestBody") else []
    for name in ("get", "put", "post", "delete", "patch"):
        described += [node[name]] if name in node and at.startswith("$.paths.") and at.count(".") == 2 else []
    for name in ("properties", "responses", "headers", "schemas"):
        described += node[name].values() if isinstance(node.get(name), dict) else []
    for name in ("parameters", "servers", "tags"):
        described += [each for each in node.get(name, []) if isinstance(each, dict)]
    yield from (f"{at}: {each}" for each in described if not each.get("description", "").strip())
    for name, each in node.items():
        if name not in ("example", "examples", "default"):
            yield from without_description(each, f"{at}.{name}")


def test_a_description_that_is_left_out_is_found():
    document = copy.deepcopy(openapi_document([BREAKDOWN], 256))  # parts of it are those of every document
    del document["components"]["schemas"]["breakdown_prediction"]["properties"]["score"]["description"]
    document["paths"][PATH]["post"]["responses"]["422"]["description"] = " "
    del document["paths"]["/metrics"]["get"]["description"]
    assert len(list(without_description(document, "$"))) == 3


def test_a_fault_of_an_answer_is_found():
    """The check itself: a member too many, one too few, a wrong type, a value out of bounds."""
    document = openapi_document([BREAKDOWN], 2)
    schema = document["components"]["schemas"]["breakdown_request"]
    good = {"instances": [INSTANCE]}
    assert not list(faults(good, schema, document))
    for bad in (
        {},
        good | {"more": 1},
        {"instances": [INSTANCE | {"celsius": "71"}]},
        {"instances": [INSTANCE | {"celsius": 501}]},
        {"instances": [INSTANCE | {"plant": "x" * 21}]},
        {"instances": [INSTANCE] * 3},
        good | {"include_features": 1},
        good | {"as_of": 1.5},
    ):
        assert list(faults(bad, schema, document)), bad
