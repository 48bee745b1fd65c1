"""The answers of a batch: a request that fails fails alone, and one that may be degraded says what is missing."""

import asyncio
import math

import pytest
from structlog.testing import capture_logs

from serving.models.model import Model
from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta_bytes import encode_meta
from tests.domains.machines import BREAKDOWN, HOT_PLANT
from tests.domains.one_broken_view import DELICATE
from tests.serving.asking import PATH, ask, problem, without
from tests.serving.conftest import INSTANCE
from tests.serving.published_models import logarithm, publish
from tests.serving.stored_states import NAMESPACE, shard_meta


def test_where_it_is_allowed_a_damaged_entity_is_degraded_and_not_missing(serving, store):
    key = next(key for key in store.values if b":e:" in key and key.endswith(b"press\\|1"))
    store.values[key] = store.values[key][:-1]
    answer = ask(serving, {"instances": [INSTANCE], "include_features": True}, allow_degraded=True).json()
    prediction = answer["predictions"][0]
    assert answer["degraded"] is prediction["degraded"] is True
    assert prediction["missing_entities"] == []
    assert prediction["features"]["machine_heat__celsius_mean_1h"] is None
    assert prediction["features"]["hot_plant__count_2h"] is not None


def test_where_it_is_allowed_an_answer_without_the_store_is_degraded_and_marked(serving, store):
    whole = ask(serving, {"instances": [INSTANCE], "include_features": True}).json()["predictions"][0]["features"]
    store.away = "gone"
    answer = ask(serving, {"instances": [INSTANCE], "include_features": True}, allow_degraded=True).json()
    prediction = answer["predictions"][0]
    assert answer["degraded"] is prediction["degraded"] is True
    assert prediction["missing_entities"] == []
    features = prediction["features"]
    assert features["celsius"] == whole["celsius"]
    assert all(value is None for name, value in features.items() if "__" in name or name == "above_mean_1h")
    assert answer["receipt"]["shards"] == []
    assert answer["freshness_seconds"] == {"machine_heat": None, "hot_plant": None}


def test_where_it_is_allowed_only_the_group_that_is_behind_is_missing(serving, store):
    store.values[meta_key(NAMESPACE, HOT_PLANT, 0)] = encode_meta(shard_meta(HOT_PLANT, 0, behind=True))
    answer = ask(serving, {"instances": [INSTANCE], "include_features": True}, allow_degraded=True).json()
    prediction = answer["predictions"][0]
    assert prediction["degraded"] is True
    assert prediction["features"]["hot_plant__count_2h"] is None
    assert prediction["features"]["machine_heat__celsius_mean_1h"] is not None
    assert [shard["group"] for shard in answer["receipt"]["shards"]] == ["machine_heat:v3"]


BROKEN_DOMAIN = "tests.domains.one_broken_view"


def test_a_view_whose_function_cannot_work_is_refused_and_the_others_are_answered(serving):
    with capture_logs() as lines:
        refused = ask(serving, {"instances": [INSTANCE]}, "/v1/views/overheating:predict", definitions=BROKEN_DOMAIN)
    detail = problem(refused, "broken-view")["detail"]
    assert "feature view overheating:v1: on-demand function 'is_hot' raises ValueError" in detail
    assert "np.where" in detail
    (line,) = [each for each in lines if each["log_level"] == "error"]
    assert line["view"] == "overheating:v1"
    assert ask(serving, {"instances": [INSTANCE]}, definitions=BROKEN_DOMAIN).status_code == 200


def test_a_function_that_raises_for_one_row_refuses_only_the_request_of_this_row(serving, tmp_path):
    """Requests share a round trip. One request must not make the others fail."""
    publish(tmp_path, DELICATE)
    asked = without("machine")
    bodies = [{"instances": [asked | {"celsius": each}], "include_features": True} for each in (20.0, 451.0, 30.0)]

    async def at_once():
        async with serving(definitions=BROKEN_DOMAIN, registry=tmp_path) as client:
            return await asyncio.gather(*(client.post("/v1/views/fire:predict", json=body) for body in bodies))

    first, refused, last = asyncio.run(at_once())
    detail = problem(refused, "broken-view")["detail"]
    assert detail == (
        "View fire:v1: on-demand function 'celsius_of_new_firmware' raises ValueError: paper burns. Correct the "
        "function."
    )
    features = [each.json()["predictions"][0]["features"]["celsius_of_new_firmware"] for each in (first, last)]
    assert features == [20.0, 30.0]


def test_a_model_that_raises_for_one_row_refuses_only_the_request_of_this_row(serving, monkeypatch):
    """Every request that shared its round trip was a 500, each with a traceback in the log."""
    score = Model.score

    def picky(model, matrix, options):
        if (matrix == 451.0).any():
            raise RuntimeError("input out of range")
        return score(model, matrix, options)

    monkeypatch.setattr(Model, "score", picky)
    bodies = [{"instances": [INSTANCE | {"celsius": each}]} for each in (20.0, 451.0, 30.0, 451.0)]

    async def at_once():
        async with serving() as client:
            return await asyncio.gather(*(client.post(PATH, json=body) for body in bodies))

    with capture_logs() as lines:
        first, refused, last, again = asyncio.run(at_once())
    assert (first.status_code, last.status_code) == (200, 200)
    for each in (refused, again):
        assert problem(each, "failed-model")["detail"] == "Model breakdown 1 raised RuntimeError for this request."
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["refusing a request: a model raised"]


def test_a_model_that_gives_no_number_is_a_problem_by_name_and_not_a_score_of_null(serving, tmp_path):
    """It was 200 with `score: null`, which a caller may read as 0."""
    publish(tmp_path, BREAKDOWN, graph=logarithm())
    instances = [[INSTANCE], [INSTANCE, INSTANCE | {"celsius": -20.0}], [INSTANCE | {"celsius": 0.0}]]

    async def at_once():
        async with serving(registry=tmp_path) as client:
            return await asyncio.gather(*(client.post(PATH, json={"instances": each}) for each in instances))

    with capture_logs() as lines:
        answered, nan, infinite = asyncio.run(at_once())
    assert answered.json()["predictions"][0]["score"] == pytest.approx(math.log(71.2), abs=1e-2)
    said = "Model breakdown 1 gave {} instead of a number for the instance $.instances[{}]."
    assert problem(nan, "failed-model")["detail"] == said.format("nan", 1)
    assert problem(infinite, "failed-model")["detail"] == said.format("-inf", 0)
    (line,) = [each for each in lines if each["log_level"] == "error"]
    assert (line["event"], line["version"]) == ("refusing a request: a model gave no number", 1)
