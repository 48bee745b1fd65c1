"""Attacks by many connections on the running service, which may open few files: new clients are still answered."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis

from deploy.embedded.redis_server import RedisServer
from tests.serving.accepted_connections import until_all_is_read
from tests.serving.conftest import machine_states
from tests.serving.running_service import BODY, ROOT, predict, running

FILES, MOST = 160, 32  # the service keeps 128 files for what is not a connection
RAW = json.dumps(BODY).encode()
POST = b"POST /v1/views/breakdown:predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(RAW)
Service = tuple[httpx.Client, RedisServer, Path]


@pytest.fixture(scope="module")
def service(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("keeper") / "log"
    with RedisServer() as server:
        with redis.Redis.from_url(server.url) as client:
            client.mset(machine_states())
        with running(server, published, log, open_files=FILES) as (http, _):
            assert predict(http)[0].status_code == 200
            yield http, server, log


def opened(http: httpx.Client, count: int, sends: bytes) -> list[socket.socket]:
    found = [socket.create_connection((http.base_url.host, http.base_url.port), timeout=120) for _ in range(count)]
    for each in found:
        each.sendall(sends)
    return found


def answered(http: httpx.Client) -> httpx.Response:
    with httpx.Client(base_url=http.base_url, timeout=120) as other:  # over a connection of its own
        return other.post("/v1/views/breakdown:predict", json=BODY)


@pytest.mark.parametrize("sends", [b"", POST[:9], POST, POST + RAW], ids=["nothing", "a line", "a head", "a request"])
def test_connections_that_wait_for_their_client_make_room_for_others(service: Service, sends: bytes):
    """1,004 idle connections shut everybody else out, since the service could open no more files."""
    http, _, log = service
    attackers = opened(http, MOST, sends)
    until_all_is_read(http.base_url.port)
    more = opened(http, 3 * MOST, sends)
    try:
        until_all_is_read(http.base_url.port)
        deadline_s = time.monotonic() + 60
        while (status := answered(http).status_code) != 200:  # a head that was just read is at work for a moment
            assert (status, time.monotonic() < deadline_s) == (503, True)
        for said in ("lowering the bound on connections", "closed to make room for new connections"):
            while said not in log.read_text():
                assert time.monotonic() < deadline_s, said
                time.sleep(0.05)
    finally:
        for each in (*attackers, *more):
            each.close()


def test_a_crowd_that_comes_at_once_takes_no_file_that_something_else_needs(
    published: Path, tmp_path: Path, redis_server: RedisServer
):
    """All were accepted before one could be refused: clients were reset, and the registry could not be read."""
    log = tmp_path / "log"
    with running(redis_server, published, log, "--model-poll-s=0.05", open_files=FILES) as (http, child):
        os.kill(child.pid, signal.SIGSTOP)
        crowd = [socket.socket() for _ in range(1000)]
        try:
            for each in crowd:
                each.setblocking(False)
                each.connect_ex((http.base_url.host, http.base_url.port))
        finally:
            os.kill(child.pid, signal.SIGCONT)
        deadline_s = time.monotonic() + 60
        while (status := answered(http).status_code) != 200:
            assert (status, time.monotonic() < deadline_s) == (503, True)
        for each in crowd:
            each.close()
        while "Too many connections are open" not in log.read_text():
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        assert "Too many open files" not in log.read_text()


def test_a_connection_beyond_those_at_work_is_told_to_come_again(service: Service):
    http, server, _ = service
    until_all_is_read(http.base_url.port)  # those of other tests are gone
    server.pause()
    try:
        at_work = opened(http, MOST, POST + RAW)
        until_all_is_read(http.base_url.port)
        (beyond,) = opened(http, 1, b"")
        answer = beyond.recv(65536)
    finally:
        server.resume()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nretry-after: 1\r\n" in answer
    assert b'"type":"/docs#too-many-connections"' in answer
    answers: list[bytes] = []
    readers = [threading.Thread(target=lambda each=each: answers.append(each.recv(65536))) for each in at_work]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert [each[:12] for each in answers] == [b"HTTP/1.1 200"] * MOST
    for each in (*at_work, beyond):
        each.close()


_TOLD_BOUNDS = """
import resource, sys
from serving.connections.connection_keeper import accepted_at_once, most_connections
from serving.settings import load_settings

for hard in 8192, 4096, 2500, 1024:  # in this order: no process may raise its own
    for options in [], ["--serving-grpc-port=9000"]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        settings = load_settings(["--serving-max-connections=1000", *options])
        accepted = accepted_at_once(settings)
        most, again = most_connections(settings), accepted_at_once(settings)
        print(accepted, again, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - (1 + len(options)) * most)
"""


def test_a_crowd_leaves_files_whatever_was_asked_for_first_and_where_grpc_has_connections_too():
    """Those of gRPC were forgotten, and the limit of files was read before it was raised."""
    told = subprocess.run(
        [sys.executable, "-c", _TOLD_BOUNDS],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    bounds = [tuple(map(int, each.split())) for each in told.stdout.splitlines()]
    assert len(bounds) == 8
    for accepted, again, beside in bounds:
        assert accepted == again
        assert accepted == max(64, min(beside - 128, 2048))
    assert len({accepted for accepted, _, _ in bounds}) > 2
