"""Every clear answer other than a prediction."""

import asyncio
import gzip
import json
import math
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from serving.models import Model
from serving.problems import PROBLEMS
from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta_bytes import encode_meta
from tests.domains.machines import BREAKDOWN, HOT_PLANT
from tests.domains.one_broken_view import DELICATE
from tests.fakes import InMemoryOnlineStore
from tests.serving.conftest import INSTANCE
from tests.serving.published_models import logarithm, publish
from tests.serving.stored_states import NAMESPACE, shard_meta

PATH = "/v1/views/breakdown:predict"


def ask(serving, body=None, path=PATH, content=None, **settings):
    async def once():
        async with serving(**settings) as client:
            return await client.post(path, json=body) if content is None else await client.post(path, content=content)

    return asyncio.run(once())


def problem(response, name):
    """The answer's members, checked against the one table."""
    row = next(each for each in PROBLEMS.values() if each.name == name)
    assert response.status_code == row.status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers.get("retry-after") == (None if row.retry_after_s is None else str(row.retry_after_s))
    members = response.json()
    assert (members["type"], members["title"], members["status"]) == (f"/docs#{name}", row.title, row.status)
    return members


def test_an_unknown_view_is_404_and_the_known_ones_are_named(serving):
    members = problem(ask(serving, {"instances": [INSTANCE]}, "/v1/views/breakdowns:predict"), "unknown-view")
    assert "breakdowns" in members["detail"]
    assert members["views"] == ["breakdown"]


def test_a_clock_that_is_behind_the_events_is_not_the_senders_fault(serving, clock):
    """Events that the brokers stamped just now are beyond the head for a service whose clock is slow."""
    clock.push(timedelta(minutes=-30))
    members = problem(ask(serving, {"instances": [INSTANCE]}), "clock-behind")
    assert (members["group"], "path" in members) == ("machine_heat:v3", False)
    assert "The clock of this service shows 2025-12-31T23:30:00Z" in members["detail"]
    assert ask(serving, {"instances": [INSTANCE], "as_of": members["exact_from_us"]}).status_code == 200
    early = {"instances": [INSTANCE], "as_of": members["exact_from_us"] - 1}
    assert problem(ask(serving, early), "early-instant")["path"] == "$.as_of"


def test_a_view_is_found_by_its_version_too(serving):
    assert ask(serving, {"instances": [INSTANCE]}, "/v1/views/breakdown:v1:predict").status_code == 200
    problem(ask(serving, {"instances": [INSTANCE]}, "/v1/views/breakdown:v2:predict"), "unknown-view")


def without(name):
    return {key: value for key, value in INSTANCE.items() if key != name}


@pytest.mark.parametrize(
    ("instance", "path", "says"),
    [
        (
            without("celsius"),
            "$.instances[0].celsius",
            "Missing field celsius at $.instances[0].celsius. Write a number from -80 to 500",
        ),
        (INSTANCE | {"celsius": "71"}, "$.instances[0].celsius", 'Found "71", expected a number from -80 to 500'),
        (INSTANCE | {"celsius": None}, "$.instances[0].celsius", "Found null, expected a number"),
        (INSTANCE | {"celsius": 500.1}, "$.instances[0].celsius", "Found 500.1, expected a number from -80 to 500"),
        (INSTANCE | {"celsius": -80.1}, "$.instances[0].celsius", "Found -80.1, expected a number from -80 to 500"),
        (INSTANCE | {"plant": 7}, "$.instances[0].plant", "Found 7, expected a text of at most 20 characters"),
        (INSTANCE | {"plant": "x" * 21}, "$.instances[0].plant", "expected a text of at most 20 characters"),
        (
            INSTANCE | {"humidity": 1.5},
            "$.instances[0].humidity",
            "Found 1.5, expected a number from 0 to 1, rounded to 3 decimals (half to even), or null",
        ),
        (
            INSTANCE | {"celcius": 1.0},
            "$.instances[0].celcius",
            "Unknown field celcius at $.instances[0].celcius. Did you mean celsius?",
        ),
        (
            7,
            "$.instances[0]",
            "Found 7, expected an object with the fields plant, machine, celsius, humidity, firmware",
        ),
    ],
)
def test_a_wrong_field_is_422_with_its_path(serving, instance, path, says):
    members = problem(ask(serving, {"instances": [instance]}), "invalid-request")
    assert members["path"] == path
    assert says in members["detail"]


def test_the_fault_of_a_later_instance_is_found_there(serving):
    members = problem(ask(serving, {"instances": [INSTANCE, without("plant")]}), "invalid-request")
    assert members["path"] == "$.instances[1].plant"
    assert members["fields"] == ["plant", "machine", "celsius", "humidity", "firmware", "at"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "$.instances"),
        ({"instances": []}, "$.instances"),
        ({"instances": [INSTANCE], "as_of": "yesterday"}, "$.as_of"),
        ({"instances": [INSTANCE], "as_of": "2026-01-01T00:00:00"}, "$.as_of"),
        ({"instances": [INSTANCE], "as_of": 1.5}, "$.as_of"),
        ({"instances": [INSTANCE], "as_of": 2**60}, "$.as_of"),
        ({"instances": [INSTANCE], "include_features": 1}, "$.include_features"),
        ({"instances": [INSTANCE], "explain": "yes"}, "$.explain"),
        ({"instances": [INSTANCE], "asof": 1}, "$.asof"),
        ([], "$"),
    ],
)
def test_a_wrong_request_is_422_with_its_path(serving, body, path):
    assert problem(ask(serving, body), "invalid-request")["path"] == path


@pytest.mark.parametrize(
    ("as_of", "says"),
    [
        (1_750_000_000, "In seconds it is 2025-06-15T15:06:40Z."),
        (1_750_000_000_000, "In milliseconds it is 2025-06-15T15:06:40Z."),
        (1_750_000_000_000_000_000, "In nanoseconds it is 2025-06-15T15:06:40Z."),
    ],
)
def test_an_as_of_in_another_unit_is_422_and_the_answer_says_which(serving, as_of, says):
    """Taken as microseconds it was January 1970: 200, with the score of an entity without history."""
    members = problem(ask(serving, {"instances": [INSTANCE], "as_of": as_of}), "invalid-request")
    assert members["path"] == "$.as_of"
    assert f"Found {as_of}, expected a whole number of microseconds since 1970-01-01 UTC" in members["detail"]
    assert says in members["detail"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"instances":[{"celsius":NaN}]}', b"[" * 100_000])
def test_a_body_that_is_no_json_is_422(serving, content):
    assert problem(ask(serving, content=content), "invalid-request")["path"].startswith("$")


def test_too_many_instances_are_413(serving):
    members = problem(ask(serving, {"instances": [INSTANCE] * 4}, serving_max_instances=3), "too-many-instances")
    assert members["limit"] == 3
    problem(ask(serving, content=b" " * 100_000, serving_max_instances=1), "too-many-instances")


def test_redis_gone_is_503(serving, store):
    store.away = "the connection was lost"
    members = problem(ask(serving, {"instances": [INSTANCE]}), "online-store-unavailable")
    assert "the connection was lost" in members["detail"]


def test_a_group_that_was_never_streamed_is_503_catching_up(serving, store):
    del store.values[meta_key(NAMESPACE, HOT_PLANT, 0)]
    members = problem(ask(serving, {"instances": [INSTANCE]}), "catching-up")
    assert members["group"] == "hot_plant"
    assert "python -m streaming run" in members["detail"]


def test_a_shard_that_is_behind_is_503_catching_up(serving, store):
    store.values[meta_key(NAMESPACE, HOT_PLANT, 0)] = encode_meta(shard_meta(HOT_PLANT, 0, behind=True))
    assert "caught up" in problem(ask(serving, {"instances": [INSTANCE]}), "catching-up")["detail"]


def test_a_shard_of_another_definition_is_not_served_from(serving, store):
    store.values[meta_key(NAMESPACE, HOT_PLANT, 0)] = encode_meta(shard_meta(HOT_PLANT, 0, fingerprint="other"))
    assert "another definition" in problem(ask(serving, {"instances": [INSTANCE]}), "catching-up")["detail"]


DAMAGES = {
    "schema": lambda value: b"\xfe" + value[1:],
    "build": lambda value: value[:1] + bytes([value[1] ^ 1]) + value[2:],
    "cut": lambda value: value[:-1],
    "a bit": lambda value: value[:-9] + bytes([value[-9] ^ 4]) + value[-8:],
    "x": lambda value: b"x",
    "empty": lambda value: b"",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_entity_spoils_only_the_requests_that_name_it(serving, store, damage):
    key = next(key for key in store.values if b":e:" in key and key.endswith(b"press\\|1"))
    store.values[key] = damage(store.values[key])
    with capture_logs() as lines:
        members = problem(ask(serving, {"instances": [INSTANCE]}), "unreadable-state")
    assert "cannot be read" in members["detail"]
    assert members["group"] == "machine_heat"
    assert [(line["log_level"], line["key"]) for line in lines if line["log_level"] == "error"] == [
        ("error", key.decode())
    ]

    async def together():
        async with serving() as client:
            good = INSTANCE | {"machine": "press|2"}
            return await asyncio.gather(*(client.post(PATH, json={"instances": [each]}) for each in (INSTANCE, good)))

    bad, good = asyncio.run(together())
    assert (bad.status_code, good.status_code) == (503, 200)


def test_where_it_is_allowed_a_damaged_entity_is_degraded_and_not_missing(serving, store):
    key = next(key for key in store.values if b":e:" in key and key.endswith(b"press\\|1"))
    store.values[key] = store.values[key][:-1]
    answer = ask(serving, {"instances": [INSTANCE], "include_features": True}, allow_degraded=True).json()
    prediction = answer["predictions"][0]
    assert answer["degraded"] is prediction["degraded"] is True
    assert prediction["missing_entities"] == []
    assert prediction["features"]["machine_heat__celsius_mean_1h"] is None
    assert prediction["features"]["hot_plant__count_2h"] is not None


def test_the_meta_of_another_shard_is_not_served_from(serving, store):
    store.values[meta_key(NAMESPACE, HOT_PLANT, 0)] = encode_meta(shard_meta(HOT_PLANT, 1))
    with capture_logs() as lines:
        members = problem(ask(serving, {"instances": [INSTANCE]}), "unreadable-state")
    assert ":1}:meta" in members["detail"]
    assert [line["event"] for line in lines if line["log_level"] == "error"] == [
        "refusing a shard whose meta cannot be read"
    ]


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


def test_no_model_is_503_and_says_which_command_makes_one(serving, tmp_path):
    members = problem(ask(serving, {"instances": [INSTANCE]}, registry=tmp_path), "no-model")
    assert "python -m training run" in members["detail"]


def test_who_waits_while_the_store_goes_away_is_told_at_once(serving, store: InMemoryOnlineStore):
    """Not after a deadline of its own: the waits would add up."""

    async def meanwhile():
        async with serving() as client:
            store.gate = asyncio.Event()
            body = {"instances": [INSTANCE]}
            waiting = [asyncio.create_task(client.post(PATH, json=body)) for _ in range(6)]
            await asyncio.sleep(0.05)
            store.asked.clear()
            store.away = "gone"
            store.gate.set()
            return [each.status_code for each in await asyncio.gather(*waiting)], len(store.asked)

    statuses, asked_again = asyncio.run(meanwhile())
    assert statuses == [503] * 6
    assert asked_again == 0


def test_more_waiting_instances_than_allowed_are_503(serving, store: InMemoryOnlineStore):
    async def crowd():
        async with serving(serving_max_waiting=2) as client:
            store.gate = asyncio.Event()
            body = {"instances": [INSTANCE]}
            waiting = [asyncio.create_task(client.post(PATH, json=body)) for _ in range(6)]
            await asyncio.sleep(0.05)
            store.gate.set()
            return await asyncio.gather(*waiting)

    answers = asyncio.run(crowd())
    refused = [each for each in answers if each.status_code == 503]
    assert refused
    assert len(refused) < 6
    problem(refused[0], "overloaded")


def test_an_error_of_our_own_is_500_and_the_next_request_is_answered(serving, store, monkeypatch):
    def broken(reads):
        raise RuntimeError("a bug")

    async def once():
        async with serving() as client:
            with monkeypatch.context() as patch, capture_logs() as lines:
                patch.setattr(store, "read", broken)
                first = await client.post(PATH, json={"instances": [INSTANCE]})
            return first, await client.post(PATH, json={"instances": [INSTANCE]}), lines

    first, second, lines = asyncio.run(once())
    assert (first.status_code, second.status_code) == (500, 200)
    assert first.headers["content-type"] == "application/problem+json"
    assert "a bug" not in first.text
    assert [line["log_level"] for line in lines] == ["error"]


def test_unknown_paths_and_methods_are_problems_too(serving):
    async def both():
        async with serving() as client:
            return await client.get(PATH), await client.get("/nothing")

    for response, status in zip(asyncio.run(both()), (405, 404), strict=True):
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == status


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

    def picky(model, matrix):
        if (matrix == 451.0).any():
            raise RuntimeError("input out of range")
        return score(model, matrix)

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


def test_an_encoded_body_is_415_and_not_a_fault_of_its_json(serving):
    async def once():
        async with serving() as client:
            packed = gzip.compress(json.dumps({"instances": [INSTANCE]}).encode())
            return await client.post(PATH, content=packed, headers={"Content-Encoding": "gzip"})

    assert "Content-Encoding gzip" in problem(asyncio.run(once()), "content-encoding")["detail"]


@pytest.mark.parametrize("path", ["/docs/", "/health/live/", "/metrics/"])
def test_a_path_with_another_slash_is_unknown_and_redirects_nowhere(serving, path):
    """The redirect named the host that the client had sent."""

    async def once():
        async with serving() as client:
            return await client.get(path, headers={"Host": "evil.example"})

    response = asyncio.run(once())
    assert response.status_code == 404
    assert "location" not in response.headers
