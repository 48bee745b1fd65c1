"""The service as it runs: `python -m serving` in a process of its own, on a real Redis that comes and goes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import httpx
import pytest

from deploy.embedded.redis_server import RedisServer
from tests.serving.conftest import redis_with_states
from tests.serving.running_service import ROOT, predict, running


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """One for each test, since some kill it."""
    with redis_with_states() as server:
        yield server


def test_a_connection_outlives_the_pause_that_a_proxy_allows(redis_server, published, tmp_path):
    """uvicorn closes after 5 s, proxies keep a connection for 60 s: a request then met a closed connection."""
    with running(redis_server, published, tmp_path / "log") as (client, _):
        connection, sockets = HTTPConnection(client.base_url.host, client.base_url.port), set()
        for pause_s in (0, 6):
            time.sleep(pause_s)
            connection.request("GET", "/health/live")
            assert connection.getresponse().read() == b'{"status":"live"}'
            sockets.add(connection.sock)
        assert len(sockets) == 1
        connection.close()


def recovered(client: httpx.Client) -> httpx.Response:
    until = time.monotonic() + 120
    while True:
        response, _ = predict(client)
        if response.status_code == 200:
            return response
        assert time.monotonic() < until, f"no prediction any more: {response.text}"
        time.sleep(0.1)


@pytest.mark.slow
def test_redis_killed_and_frozen_is_503_while_it_is_away_and_comes_back(redis_server, published, tmp_path):
    with running(redis_server, published, tmp_path / "log", "--serving-deadline-ms", "1000") as (client, child):
        before = recovered(client)
        time.sleep(1.5)  # its log is synced every second
        redis_server.kill()
        for _ in range(3):
            response, _ = predict(client)
            assert (response.status_code, response.headers["retry-after"]) == (503, "1")
            assert response.json()["type"] == "/docs#online-store-unavailable"
        assert client.get("/health/ready").status_code == 503
        assert client.get("/health/live").status_code == 200
        redis_server.restart()
        assert recovered(client).text == before.text

        redis_server.pause()
        response, _ = predict(client)
        redis_server.resume()
        assert response.status_code == 503
        assert recovered(client).text == before.text

        child.stop(60)
        assert child.exit_code == 0
        lines = (tmp_path / "log").read_text()
    assert 1 <= lines.count("reconnecting to the online store") < 4  # once for each outage, not once for each request
    assert lines.count("reconnected to the online store") == lines.count("reconnecting to the online store")
    assert ":predict" not in lines


def answers_counted(client: httpx.Client) -> float:
    """Each worker counts what it has answered a moment later."""
    lines = client.get("/metrics").text.splitlines()
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith("serving_requests_total{") and '"200"' in line
    )


@pytest.mark.slow
def test_several_workers_answer_alike_and_one_of_them_speaks_for_all(redis_server, published, tmp_path):
    with running(redis_server, published, tmp_path / "log", "--serving-workers", "2") as (client, child):
        answers = set()
        for _ in range(20):
            with httpx.Client(base_url=client.base_url, timeout=120.0) as one:  # a connection of its own: any worker
                answers.add(recovered(one).text)
        assert len(answers) == 1
        child.wait_until(lambda: answers_counted(client) == 20, what="count of both workers", within_s=60)
        child.stop(60)
        assert child.exit_code == 0


def test_a_wrong_setting_ends_it_with_a_sentence_and_code_2():
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MILLRACE_SERVING_PORT": "http"}
    ended = subprocess.run(
        [sys.executable, "-m", "serving"], env=environment, capture_output=True, text=True, timeout=240
    )
    assert ended.returncode == 2
    assert "MILLRACE_SERVING_PORT" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_help_lists_every_setting():
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    shown = subprocess.run(
        [sys.executable, "-m", "serving", "--help"], env=environment, capture_output=True, text=True, timeout=240
    )
    assert shown.returncode == 0
    for option in ("--serving-port", "--redis-url", "--allow-degraded", "--serving-deadline-ms", "--model-alias"):
        assert option in shown.stdout
