"""The typed client says what the endpoint says, within its deadline, and needs the base install alone."""

import asyncio
import json
import time
from types import SimpleNamespace
from urllib.request import Request, urlopen

import pytest

from serving import AsyncEndpoint, Endpoint, EndpointAwayError, RefusedByEndpointError
from serving.client import endpoint as endpoint_module
from serving.errors import WrongSettingError
from tests.architecture.test_lean_starts import CLIENTS, loaded
from tests.serving.asking import PATH
from tests.serving.client.served_endpoint import served
from tests.serving.closed_ports import closed_port
from tests.serving.conftest import INSTANCE, NOW_US

VIEW = "breakdown"
BODY = {"instances": [INSTANCE, INSTANCE | {"machine": "press|2"}], "as_of": NOW_US, "include_features": True}


@pytest.fixture(scope="module")
def running(published):
    with served(published) as found:
        yield found


@pytest.fixture
def app(running):
    running[1].first.clear()
    running[1].asked.clear()
    running[1].clients.clear()
    return running[1]


@pytest.fixture
def endpoint(running, app):
    with Endpoint(running[0], within_s=60) as client:
        yield client


def asked(endpoint, **options):
    return endpoint.predict(VIEW, BODY["instances"], as_of=NOW_US, include_features=True, **options)


def test_an_answer_is_what_the_endpoint_says(running, endpoint):
    request = Request(running[0] + PATH, json.dumps(BODY).encode(), {"content-type": "application/json"})
    with urlopen(request) as answer:
        said = json.load(answer)
    found = asked(endpoint)
    assert (found.view, found.as_of_us, found.degraded) == (said["view"], said["as_of_us"], said["degraded"])
    assert (found.model.name, found.model.version) == (said["model"]["name"], said["model"]["version"])
    assert (found.freshness_seconds, found.receipt) == (said["freshness_seconds"], said["receipt"])
    for prediction, wanted in zip(found.predictions, said["predictions"], strict=True):
        for name, value in wanted.items():
            assert getattr(prediction, name) == (tuple(value) if isinstance(value, list) else value)


def test_an_event_loop_gets_the_same_answers(running, endpoint):
    async def both():
        async with AsyncEndpoint(running[0], within_s=60) as client:
            return await asyncio.gather(*(asked(client) for _ in range(4)))

    assert asyncio.run(both()) == [asked(endpoint)] * 4


def test_a_connection_is_kept(app, endpoint):
    for _ in range(3):
        asked(endpoint)
    assert len(app.clients) == 1


def test_a_refusal_is_raised_at_once_with_its_problem(app, endpoint):
    with pytest.raises(RefusedByEndpointError, match="answers 422") as refused:
        endpoint.predict(VIEW, [{"plant": "north"}])
    assert (refused.value.status, refused.value.problem["type"]) == (422, "/docs#invalid-request")
    assert str(refused.value.problem["detail"]) in str(refused.value)
    assert len(app.asked) == 1


@pytest.fixture
def slept(monkeypatch):
    """How long the client sleeps, which it does not do."""
    slept_s: list[float] = []
    monkeypatch.setattr(endpoint_module, "time", SimpleNamespace(monotonic=time.monotonic, sleep=slept_s.append))
    return slept_s


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_endpoint_is_asked_again_after_what_it_says(app, endpoint, slept, status):
    app.first.extend([(status, "1"), (status, None)])
    assert asked(endpoint).predictions
    assert len(app.asked) == 3
    first_s, second_s = slept
    assert 1.0 <= first_s <= 1.05
    assert second_s <= 0.1


def test_no_request_is_sent_after_a_pause_that_the_deadline_does_not_hold(app, endpoint, slept):
    app.first.append((503, "30"))
    with pytest.raises(RefusedByEndpointError, match=r"answers 503. Later\."):
        asked(endpoint, within_s=30)
    assert slept == []
    assert len(app.asked) == 1


def test_an_error_of_the_endpoint_is_not_asked_for_again(app, endpoint):
    app.first.append((500, None))
    with pytest.raises(RefusedByEndpointError, match="answers 500"):
        asked(endpoint)
    assert len(app.asked) == 1


def test_an_endpoint_that_does_not_answer_is_given_up_at_the_deadline():
    with (
        closed_port() as port,
        Endpoint(f"http://127.0.0.1:{port}") as away,
        pytest.raises(EndpointAwayError, match="No endpoint"),
    ):
        away.predict(VIEW, [INSTANCE], within_s=0.3)


@pytest.mark.parametrize("url", ["ftp://host", "http://", "localhost:8000", "http://host:none"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(WrongSettingError, match="HTTP address"):
        Endpoint(url)


def test_the_client_loads_neither_numba_nor_a_library_of_the_server():
    libraries = {"numba", "llvmlite", "numpy", "uvicorn", "starlette", "structlog", "pydantic", *CLIENTS}
    assert not loaded("from serving import AsyncEndpoint, Endpoint, Answer") & libraries
