"""Health, metrics, and the pages that describe the service."""

import asyncio
import json
import re

from serving.api_schemas import example_request
from serving.errors import PROBLEMS
from shared_features.feature_views import CARD_FRAUD
from shared_features.formats.online_state import encode_meta, meta_key
from tests.domains.machines import BREAKDOWN, HOT_PLANT
from tests.serving.conftest import INSTANCE
from tests.serving.stored_states import NAMESPACE, shard_meta

PATH = "/v1/views/breakdown:predict"


def get(serving, path, **settings):
    async def once():
        async with serving(**settings) as client:
            return await client.get(path)

    return asyncio.run(once())


def test_live_says_that_the_process_answers(serving, store):
    store.away = "gone"
    assert get(serving, "/health/live").json() == {"status": "live"}


def test_ready_when_store_metas_and_model_are_there(serving):
    response = get(serving, "/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ready", "missing": [], "waiting": []})


def test_not_ready_names_everything_that_is_missing(serving, store, tmp_path):
    store.values[meta_key(NAMESPACE, HOT_PLANT, 0)] = encode_meta(shard_meta(HOT_PLANT, 0, behind=True))
    for key in [key for key in store.values if b"machine_heat" in key]:
        del store.values[key]
    response = get(serving, "/health/ready", registry=tmp_path)
    assert response.status_code == 503
    heat, plant, model = response.json()["missing"]
    assert "machine_heat:v3 was never streamed" in heat
    assert "hot_plant:v1 is being rebuilt" in plant
    assert "training run" in model


def test_not_ready_while_the_store_is_away(serving, store):
    store.away = "the connection was lost"
    response = get(serving, "/health/ready")
    assert response.status_code == 503
    assert response.json()["missing"] == ["Redis: the connection was lost"]


def test_metrics_count_answers_by_status_ages_and_missing_entities(serving):
    async def requests():
        async with serving() as client:
            for body in (INSTANCE, INSTANCE, INSTANCE | {"plant": "south"}, {}):
                await client.post(PATH, json={"instances": [body]})
            await client.post("/v1/views/none:predict", json={})
            return (await client.get("/metrics")).text

    text = asyncio.run(requests())
    for line in (
        'serving_requests_total{status="200",view="breakdown:v1"} 3.0',
        'serving_requests_total{status="422",view="breakdown:v1"} 1.0',
        'serving_requests_total{status="404",view=""} 1.0',
        'serving_feature_age_seconds_count{group="machine_heat"} 2.0',
        'serving_missing_entities_total{group="hot_plant"} 1.0',
        'serving_model_info{model="breakdown",version="1",view="breakdown:v1"} 1.0',
        "serving_batch_instances_sum 3.0",
    ):
        assert line in text, line


def test_the_examples_of_the_openapi_document_are_accepted_as_they_stand(serving, store):
    """They are made from the definitions, for any domain."""

    async def follow(definitions, **settings):
        async with serving(definitions=definitions, **settings) as client:
            document = (await client.get("/openapi.json")).json()
            answers = {}
            for path, methods in document["paths"].items():
                if "post" in methods:
                    body = methods["post"]["requestBody"]["content"]["application/json"]["example"]
                    answers[path] = await client.post(path, json=body)
            return document, answers

    document, answers = asyncio.run(follow("tests.domains.machines"))
    assert document["openapi"].startswith("3.1")
    assert list(answers) == [PATH]
    assert answers[PATH].status_code == 200
    described = document["components"]["schemas"]["breakdown_answer"]["properties"]
    assert list(answers[PATH].json()) == list(described)
    prediction = described["predictions"]["items"]["properties"]
    assert set(answers[PATH].json()["predictions"][0]) == set(prediction)
    assert document["components"]["schemas"]["breakdown_request"]["properties"]["instances"]["items"]["required"] == [
        "plant", "machine", "celsius",
    ]  # fmt: skip
    _, others = asyncio.run(follow("shared_features.feature_views", allow_degraded=True))
    assert [each.json()["type"] for each in others.values()] == ["/docs#no-model"]  # what the body says was accepted
    assert example_request(CARD_FRAUD)["instances"][0].keys() == {field.name for field in CARD_FRAUD.request_fields}


def test_the_docs_page_needs_no_network_and_has_an_anchor_for_each_problem(serving):
    page = get(serving, "/docs").text
    assert not re.search(r"(src|href)=.?(https?:)?//", page)
    assert "<script" not in page
    for problem in PROBLEMS.values():
        assert f'id="{problem.name}"' in page
    for column in BREAKDOWN.request_fields:
        assert f"<code>{column.name}</code>" in page
    assert json.dumps(example_request(BREAKDOWN)).replace('"', "&quot;") in page
