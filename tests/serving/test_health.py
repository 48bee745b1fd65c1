"""Health: whether the process answers, and whether predictions can be made."""

import asyncio
from dataclasses import replace

import pytest

from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta import encode_meta
from tests.domains import machines, one_broken_view
from tests.domains.machines import HOT_PLANT
from tests.serving.stored_states import NAMESPACE, shard_meta


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
    assert (response.status_code, response.json()) == (
        200,
        {
            "status": "ready",
            "missing": [],
            "waiting": [],
            "broken": [],
            "views": {"breakdown:v1": {"status": "ready", "missing": []}},
        },
    )


def test_a_broken_view_is_named_and_holds_nobody_back(serving, published):
    response = get(serving, "/health/ready", definitions="tests.domains.one_broken_view")
    assert response.json()["missing"] == [
        "No model of view fire:v1 has the alias 'champion' yet. `python -m training run` trains a model, publishes it "
        "and gives it this alias."
    ]
    (broken,) = response.json()["broken"]
    assert broken.startswith("The view is not served: feature view overheating:v1: on-demand function 'is_hot' raises")


def test_a_view_without_a_model_holds_no_other_back(serving, published):
    response = get(serving, "/health/ready", definitions="tests.domains.one_broken_view")
    readiness = response.json()
    assert (response.status_code, readiness["status"]) == (200, "ready")
    assert readiness["views"]["breakdown:v1"] == {"status": "ready", "missing": []}
    assert readiness["views"]["fire:v1"] == {"status": "not ready", "missing": readiness["missing"]}


def test_a_view_without_labels_is_told_what_it_lacks(serving, tmp_path, monkeypatch):
    monkeypatch.setattr(machines, "BREAKDOWN", replace(machines.BREAKDOWN, labels=None))
    (reason,) = get(serving, "/health/ready", registry=tmp_path).json()["missing"]
    assert reason.endswith("The view has no labels to train on. Give view 'breakdown' its labels, and train it then.")


def test_not_ready_when_every_view_is_broken(serving, monkeypatch):
    monkeypatch.setattr(one_broken_view, "SOUND", None)
    monkeypatch.setattr(one_broken_view, "BREAKDOWN", None)
    monkeypatch.setattr(one_broken_view, "DELICATE", None)
    response = get(serving, "/health/ready", definitions="tests.domains.one_broken_view")
    assert response.status_code == 503
    assert response.json()["missing"] == response.json()["broken"] != []


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


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json"])
def test_a_head_request_is_answered_like_a_get(serving, path):
    """Load balancers and uptime checks ask by HEAD."""

    async def both():
        async with serving() as client:
            return await client.head(path), await client.get(path)

    head, get = asyncio.run(both())
    assert (head.status_code, head.headers["content-type"]) == (200, get.headers["content-type"])
