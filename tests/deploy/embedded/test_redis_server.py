"""The embedded redis-server: what the online store needs of it, and that it ends."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from deploy.embedded import ports
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.ports import answers
from deploy.embedded.redis_server import RedisServer
from tests.deploy.embedded.probes import alive


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as server:
        yield server


def _client(server: RedisServer) -> redis.Redis:
    return redis.Redis.from_url(server.url, socket_timeout=60)


def test_it_is_set_as_the_online_store_needs_it(server: RedisServer) -> None:
    with _client(server) as client:
        wanted = {
            "maxmemory-policy": "noeviction",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
        }
        assert {name: client.config_get(name)[name] for name in wanted} == wanted
        assert client.config_get("bind")["bind"] == "127.0.0.1"


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_it_ends_and_leaves_no_process_and_no_port(server: RedisServer, end: str) -> None:
    pid, port = server.pid, server.port
    getattr(server, end)()
    assert not alive(pid)
    assert not answers(port)


def test_a_restart_keeps_port_and_data(server: RedisServer) -> None:
    url = server.url
    with _client(server) as client:
        client.set("state", b"\x00\xff")
        server.restart()
        assert server.url == url
        assert client.get("state") == b"\x00\xff"


def test_a_kill_keeps_what_was_synced(server: RedisServer) -> None:
    with _client(server) as client:
        client.set("state", "1")
        client.execute_command("BGREWRITEAOF")
        server.kill()
        server.start()
        assert client.get("state") == b"1"


def test_a_paused_server_keeps_connections_and_answers_nothing(server: RedisServer) -> None:
    with redis.Redis.from_url(server.url, socket_timeout=0.2, retry=None) as client:
        client.ping()
        server.pause()
        with pytest.raises(redis.TimeoutError):
            client.ping()
        server.resume()
        assert client.ping()


def test_a_port_that_was_taken_meanwhile_is_chosen_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken, choose = int(other.getsockname()[1]), ports.free_port
        choices = iter([taken])
        monkeypatch.setattr("deploy.embedded.redis_server.free_port", lambda: next(choices, None) or choose())
        with RedisServer(tmp_path) as server:
            assert server.port != taken
            with _client(server) as client:
                assert client.ping()


def test_a_given_port_that_is_taken_is_an_error(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))  # who connects to it is refused at once
        with pytest.raises(EmbeddedError, match="in use"):
            RedisServer(tmp_path, port=int(other.getsockname()[1])).start()


def test_the_machine_s_own_is_taken_when_asked_for_or_missed_in_a_sentence(tmp_path: Path) -> None:
    if missing := RedisServer.missing(proper=True):
        assert missing == ["There is no `redis-server` on the path: install the package of that name."]
        with pytest.raises(EmbeddedError, match="no `redis-server` on the path"):
            RedisServer(tmp_path, proper=True).start()
        return
    with RedisServer(tmp_path, proper=True) as server, _client(server) as client:
        assert client.ping()
