"""A slow model: its own request is refused at its deadline, and nobody else waits for it."""

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest
from structlog.testing import capture_logs

from serving.connections.asking_client import AskingClient
from serving.errors import ClientLeftError, SlowModelError
from serving.models.model import Model
from serving.prediction.slow_lane import SlowLane
from tests.domains.machines import BREAKDOWN
from tests.serving.asking import PATH, problem
from tests.serving.conftest import INSTANCE
from tests.serving.published_models import patient, publish

FOR_EVER = 10**12
QUICK, SLOW = {"instances": [INSTANCE]}, {"instances": [INSTANCE | {"celsius": 200.0}]}


DEADLINES_S = 1.5, 10.0, 60.0  # the next one where a busy machine did not come to ask within the one before


def test_a_model_that_takes_minutes_for_one_request_is_a_503_at_its_deadline_and_health_answers_meanwhile(
    serving, tmp_path
):
    """It ran on the event loop: health took 30 s, and so did every other request."""
    publish(tmp_path, BREAKDOWN, graph=patient(FOR_EVER, above=100.0))

    async def requests(deadline_s):
        async with serving(registry=tmp_path, serving_model_deadline_ms=1000 * deadline_s) as client:
            began_s = time.monotonic()
            slow, meanwhile = asyncio.ensure_future(client.post(PATH, json=SLOW)), []
            await asyncio.sleep(0.5)
            for _ in range(20):
                assert (await client.get("/health/live")).status_code == 200
            meanwhile.append(await client.post(PATH, json=QUICK))
            if slow.done() and deadline_s < DEADLINES_S[-1]:
                return None
            assert not slow.done(), "health and the other request waited for it"
            async with asyncio.timeout(deadline_s + 60):
                refused = await slow
            assert time.monotonic() - began_s >= deadline_s
            return deadline_s, refused, meanwhile[0], (await client.get("/metrics")).text

    for deadline_s in DEADLINES_S:
        with capture_logs() as lines:
            found = asyncio.run(requests(deadline_s))
        if found is not None:
            break
    deadline_s, refused, meanwhile, metrics = found
    assert problem(refused, "slow-model")["detail"] == (
        f"The model was not done within {deadline_s:g} seconds. The request has 1 instances. Send fewer, or send the "
        "request again later."
    )
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


def test_instances_that_wait_for_a_slow_model_count_among_those_that_wait(serving, tmp_path, monkeypatch):
    publish(tmp_path, BREAKDOWN, graph=patient(FOR_EVER, above=100.0))

    score, begun = Model.score, threading.Event()

    def begins(model, matrix, options):
        begun.set()
        return score(model, matrix, options)

    async def requests(deadline_s):
        begun.clear()
        settings = {"serving_max_waiting": 1, "serving_model_deadline_ms": 1000 * deadline_s}
        async with serving(registry=tmp_path, **settings) as client:
            monkeypatch.setattr(Model, "score", begins)
            slow = asyncio.ensure_future(client.post(PATH, json=SLOW))
            async with asyncio.timeout(60):
                while not begun.is_set():
                    await asyncio.sleep(0.01)
            shed = await client.post(PATH, json=QUICK)
            was_done, refused = slow.done(), await slow
            async with asyncio.timeout(60):  # its run is being ended, and counts until then
                while (after := await client.post(PATH, json=QUICK)).status_code != 200:
                    await asyncio.sleep(0.01)
            monkeypatch.undo()
            return shed, was_done, refused, after

    for deadline_s in DEADLINES_S:
        shed, was_done, refused, after = asyncio.run(requests(deadline_s))
        if not was_done:
            break
    assert not was_done
    problem(shed, "overloaded")
    problem(refused, "slow-model")
    assert after.status_code == 200


def test_a_run_that_cannot_be_ended_is_refused_at_the_deadline_all_the_same():
    """A single node of a graph runs to its end."""

    async def ask():
        lane, answer = SlowLane(0.2), asyncio.get_running_loop().create_future()
        ended = threading.Event()
        lane.take(lambda options: b"late" if ended.wait(600) else b"", 3, answer, AskingClient())
        with pytest.raises(SlowModelError, match=r"not done within 0\.2 seconds\. The request has 3 instances"):
            await answer
        rows = lane.rows
        ended.set()
        async with asyncio.timeout(60):
            while lane.rows:
                await asyncio.sleep(0.01)
        return rows

    assert asyncio.run(ask()) == 3  # its thread is still busy with them


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
        with pytest.raises(ClientLeftError, match="The client closed the connection"):
            await answer
        return scored, lane.rows

    assert asyncio.run(ask()) == ([], 0)
