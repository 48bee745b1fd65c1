"""A slow model: its own request is refused at its deadline, and nobody else waits for it."""

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest
from structlog.testing import capture_logs

from serving.connections.asking_client import AskingClient
from serving.errors import InvalidRequestError, SlowModelError
from serving.models.model import Model
from serving.prediction.slow_lane import SlowLane
from tests.domains.machines import BREAKDOWN
from tests.serving.asking import PATH, problem
from tests.serving.conftest import INSTANCE
from tests.serving.published_models import patient, publish

FOR_EVER = 10**12
QUICK, SLOW = {"instances": [INSTANCE]}, {"instances": [INSTANCE | {"celsius": 200.0}]}


async def seconds_of_health(client, until):
    """Of each request to health until something is done."""
    took_s = []
    while not until.done():
        began_s = time.perf_counter()
        assert (await client.get("/health/live")).status_code == 200
        took_s.append(time.perf_counter() - began_s)
        await asyncio.sleep(0.005)
    return sorted(took_s)


def test_a_model_that_takes_minutes_for_one_request_is_a_503_at_its_deadline_and_health_stays_quick(serving, tmp_path):
    """It ran on the event loop: health took 30 s, and so did every other request."""
    publish(tmp_path, BREAKDOWN, graph=patient(FOR_EVER, above=100.0))

    async def requests():
        async with serving(registry=tmp_path, serving_model_deadline_ms=1500) as client:
            began_s = time.monotonic()
            slow = asyncio.ensure_future(client.post(PATH, json=SLOW))
            health_s = asyncio.ensure_future(seconds_of_health(client, slow))
            await asyncio.sleep(0.5)
            meanwhile = await client.post(PATH, json=QUICK)
            assert not slow.done()
            refused = await slow
            took_s = time.monotonic() - began_s
            return refused, took_s, await health_s, meanwhile, (await client.get("/metrics")).text

    with capture_logs() as lines:
        refused, took_s, health_s, meanwhile, metrics = asyncio.run(requests())
    assert problem(refused, "slow-model")["detail"] == (
        "The model was not done within 1.5 seconds. The request has 1 instances. Send fewer, or send the request again "
        "later."
    )
    assert 1.5 <= took_s < 10
    assert health_s[len(health_s) * 9 // 10] < 0.1
    assert meanwhile.json()["predictions"][0]["score"] == pytest.approx(71.2)
    assert 'serving_requests_total{problem="slow-model",status="503",view="breakdown:v1"} 1.0' in metrics
    (line,) = [each for each in lines if each["log_level"] == "error"]
    assert (line["event"], line["version"]) == ("scoring in a thread: a model took much longer than measured", 1)


def test_a_model_that_was_measured_to_be_slow_never_runs_on_the_event_loop(serving, tmp_path, monkeypatch):
    publish(tmp_path, BREAKDOWN, graph=patient(60_000))
    score, ran_in = Model.score, []

    def remembering(model, matrix, options):
        ran_in.append(threading.current_thread().name)
        return score(model, matrix, options)

    async def requests():
        async with serving(registry=tmp_path, serving_model_deadline_ms=60_000) as client:
            monkeypatch.setattr(Model, "score", remembering)
            both = [client.post(PATH, json=each) for each in (QUICK, SLOW)]
            return [each.json()["predictions"][0]["score"] for each in await asyncio.gather(*both)]

    assert asyncio.run(requests()) == pytest.approx([71.2, 200.0])
    assert set(ran_in) == {"slow model"}


def test_instances_that_wait_for_a_slow_model_count_among_those_that_wait(serving, tmp_path):
    publish(tmp_path, BREAKDOWN, graph=patient(FOR_EVER, above=100.0))

    async def requests():
        async with serving(registry=tmp_path, serving_max_waiting=1, serving_model_deadline_ms=1000) as client:
            slow = asyncio.ensure_future(client.post(PATH, json=SLOW))
            await asyncio.sleep(0.3)
            shed = await client.post(PATH, json=QUICK)
            was_done, refused = slow.done(), await slow
            async with asyncio.timeout(60):  # its run is being ended, and counts until then
                while (after := await client.post(PATH, json=QUICK)).status_code != 200:
                    await asyncio.sleep(0.01)
            return shed, was_done, refused, after

    shed, was_done, refused, after = asyncio.run(requests())
    assert not was_done
    problem(shed, "overloaded")
    problem(refused, "slow-model")
    assert after.status_code == 200


def test_a_run_that_cannot_be_ended_is_refused_at_the_deadline_all_the_same():
    """A single node of a graph runs to its end."""

    async def ask():
        lane, answer = SlowLane(0.2), asyncio.get_running_loop().create_future()
        ended = threading.Event()
        lane.take(lambda options: b"late" if ended.wait(30) else b"", 3, answer, AskingClient())
        began_s = time.monotonic()
        with pytest.raises(SlowModelError, match=r"not done within 0\.2 seconds\. The request has 3 instances"):
            await answer
        waited_s, rows = time.monotonic() - began_s, lane.rows
        ended.set()
        async with asyncio.timeout(30):
            while lane.rows:
                await asyncio.sleep(0.01)
        return waited_s, rows

    waited_s, rows = asyncio.run(ask())
    assert waited_s < 10
    assert rows == 3  # its thread is still busy with them


@dataclass
class Gone:
    has_left: bool = True
    body_is_here: bool = True


def test_nothing_is_scored_for_a_client_that_has_left():
    async def ask():
        lane, answer = SlowLane(30.0), asyncio.get_running_loop().create_future()
        scored: list[Any] = []

        def score(options: Any) -> bytes:
            scored.append(options)
            return b""

        lane.take(score, 1, answer, AskingClient(Gone()))
        with pytest.raises(InvalidRequestError, match="The client closed the connection"):
            await answer
        return scored, lane.rows

    assert asyncio.run(ask()) == ([], 0)
