"""Overload at the endpoint: who has waited too long is refused, and who has left costs nothing."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from deploy.embedded.redis_server import RedisServer
from tests.serving.accepted_connections import until_all_is_read
from tests.serving.running_service import BODY, predict, running


def asking(client: httpx.Client) -> socket.socket:
    """A connection on which a prediction was asked for."""
    body = json.dumps(BODY).encode()
    head = b"POST /v1/views/breakdown:predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
    opened = socket.create_connection((client.base_url.host, client.base_url.port), timeout=120.0)
    opened.sendall(head + body)
    return opened


def status_of(opened: socket.socket) -> int:
    answer = opened.recv(65_536)
    opened.close()
    return int(answer.split()[1])


def instances_read(client: httpx.Client) -> float:
    (line,) = (
        each for each in client.get("/metrics").text.splitlines() if each.startswith("serving_batch_instances_sum ")
    )
    return float(line.rpartition(" ")[2])


def test_requests_whose_client_has_left_are_not_computed_and_shut_nobody_out(
    redis_server: RedisServer, published: Path, tmp_path: Path
) -> None:
    """60 abandoned requests filled the queue, so the next client got a 503."""
    options = "--serving-deadline-ms", "60000", "--serving-max-waiting", "50"
    with (
        running(redis_server, published, tmp_path / "log", *options) as (client, _),
        httpx.Client(base_url=client.base_url, timeout=120.0) as another,
        ThreadPoolExecutor(1) as pool,
    ):
        assert predict(client)[0].status_code == 200
        before = instances_read(client)
        redis_server.pause()
        try:
            leaving = [asking(client) for _ in range(60)]
            until_all_is_read(client.base_url.port)
            for each in leaving:
                each.close()
            until_all_is_read(client.base_url.port)
            staying = pool.submit(predict, another)
            time.sleep(0.5)
        finally:
            redis_server.resume()
        assert staying.result()[0].status_code == 200
        assert instances_read(client) - before <= 2  # of the first that left, which was on its way, and of who stayed
        metrics = client.get("/metrics").text  # who left has asked for nothing wrong
        assert 'serving_requests_total{problem="client-left",status="499",view="breakdown:v1"}' in metrics
        assert 'problem="invalid-request"' not in metrics


def test_who_waits_too_long_is_refused_and_so_is_who_comes_meanwhile_at_once(
    redis_server: RedisServer, published: Path, tmp_path: Path
) -> None:
    options = "--serving-deadline-ms", "60000", "--serving-max-wait-ms", "3000"
    with running(redis_server, published, tmp_path / "log", *options) as (client, _):
        assert predict(client)[0].status_code == 200
        redis_server.pause()
        try:
            first = asking(client)
            until_all_is_read(client.base_url.port)
            second = asking(client)
            until_all_is_read(client.base_url.port)
            time.sleep(5.0)
            third = asking(client)
            assert status_of(third) == 503  # while Redis still answers nothing
        finally:
            redis_server.resume()
        assert (status_of(first), status_of(second)) == (200, 503)
        answer, _ = predict(client)
        assert answer.status_code == 200
