"""Health: whether the process answers, and whether predictions can be made."""

import asyncio
import time
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta_bytes import encode_meta
from tests.domains import machines, one_broken_view
from tests.domains.machines import HOT_PLANT
from tests.serving.conftest import INSTANCE
from tests.serving.published_models import publish
from tests.serving.stored_states import NAMESPACE, shard_meta
from training.registry.aliases import Aliases
from training.registry.versions import Registry


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
            "degraded": [],
            "refused": [],
            "broken": [],
            "views": {"breakdown:v1": {"status": "ready", "missing": []}},
        },
    )


def test_a_refused_model_is_named_with_its_version_and_reason_and_a_gauge_shows_it(serving, tmp_path):
    """Readiness said that nothing was missing, and the metric did not say which version."""
    publish(tmp_path, machines.BREAKDOWN)
    second = publish(tmp_path, machines.BREAKDOWN, 1, model_digest="0" * 64)

    async def story():
        async with serving(registry=tmp_path) as client:
            refused = await client.get("/health/ready"), (await client.get("/metrics")).text
            Aliases(Registry(tmp_path)).promote("breakdown", 1)
            until = time.monotonic() + 60
            while (await client.get("/health/ready")).json()["refused"] and time.monotonic() < until:
                await asyncio.sleep(0.05)
            return refused, (await client.get("/metrics")).text

    with capture_logs() as lines:
        (response, metrics), after = asyncio.run(story())
    assert response.status_code == 503  # version 1 was never loaded
    (said,) = response.json()["refused"]
    assert said.startswith(
        "Model breakdown 2 of view breakdown:v1 was refused, no model answers: ManifestMismatchError: model.onnx of "
        "model breakdown 2 is not the file that was published"
    )
    labels = '{model="breakdown",reason="ManifestMismatchError",version="2",view="breakdown:v1"}'
    assert f"serving_refused_model_info{labels} 1.0" in metrics
    assert f"serving_refused_model_info{labels} 0.0" in after
    assert 'serving_refused_models_total{view="breakdown:v1"} 1.0' in after
    (line,) = [each for each in lines if each["log_level"] == "error"]
    assert (line["model"], line["version"], line["view"]) == ("breakdown", str(second), "breakdown:v1")
    assert "digest" in line["reason"]


def test_a_broken_view_is_named_and_holds_nobody_back(serving, published):
    response = get(serving, "/health/ready", definitions="tests.domains.one_broken_view")
    assert response.json()["missing"] == [
        "No model of view fire:v1 has the alias 'champion' yet. Train one with `python -m training run --view fire`, "
        "or wait where a schedule or `millrace up` trains it."
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


@pytest.mark.parametrize("away", [True, False])
def test_where_degraded_answers_are_allowed_it_is_ready_for_them_and_says_what_they_lack(serving, store, away):
    """Every process was taken out of the balancer, while each would have answered."""

    async def both():
        async with serving(allow_degraded=True) as client:
            if away:
                store.away = "gone"
            else:
                del store.values[meta_key(NAMESPACE, HOT_PLANT, 0)]
            answer = await client.post("/v1/views/breakdown:predict", json={"instances": [INSTANCE]})
            return answer, await client.get("/health/ready")

    answer, ready = asyncio.run(both())
    assert (answer.status_code, answer.json()["degraded"]) == (200, True)
    assert (ready.status_code, ready.json()["missing"]) == (200, [])
    (reason,) = ready.json()["degraded"]
    assert reason == "Redis: gone" if away else "hot_plant:v1 was never streamed" in reason


def test_where_degraded_answers_are_allowed_it_is_not_ready_without_a_model(serving, store, tmp_path):
    store.away = "gone"
    response = get(serving, "/health/ready", registry=tmp_path, allow_degraded=True)
    assert response.status_code == 503
    assert "training run" in response.json()["missing"][0]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json"])
def test_a_head_request_is_answered_like_a_get(serving, path):
    """Load balancers and uptime checks ask by HEAD."""

    async def both():
        async with serving() as client:
            return await client.head(path), await client.get(path)

    head, get = asyncio.run(both())
    assert (head.status_code, head.headers["content-type"]) == (200, get.headers["content-type"])
