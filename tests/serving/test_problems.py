"""Every clear answer other than a prediction."""

import asyncio
import gzip
import json
import re
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from serving.problems import PROBLEMS
from tests.fakes import InMemoryOnlineStore
from tests.serving.asking import PATH, ask, problem
from tests.serving.conftest import INSTANCE


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


def test_too_many_instances_are_413(serving):
    members = problem(ask(serving, {"instances": [INSTANCE] * 4}, serving_max_instances=3), "too-many-instances")
    assert members["limit"] == 3
    problem(ask(serving, content=b" " * 100_000, serving_max_instances=1), "too-many-instances")


def test_redis_gone_is_503(serving, store):
    store.away = "the connection was lost"
    members = problem(ask(serving, {"instances": [INSTANCE]}), "online-store-unavailable")
    assert "the connection was lost" in members["detail"]


def test_no_model_is_503_and_says_which_command_makes_one(serving, tmp_path):
    members = problem(ask(serving, {"instances": [INSTANCE]}, registry=tmp_path), "no-model")
    assert "python -m training run --view breakdown" in members["detail"]
    assert "a schedule or `millrace up`" in members["detail"]


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


def test_a_command_that_an_advice_names_has_a_verb():
    """It said to roll back "with `python -m training`", which needs a verb, and has none of that name."""
    commands = [each for problem in PROBLEMS.values() for each in re.findall(r"`(python -m \w+.*?)`", problem.advice)]
    assert "python -m training registry roll-back" in commands
    assert [each for each in commands if len(each.split()) < 4] == []
