"""The service over HTTPS, with keys: what a client sees while keys and certificate change under it."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

import httpx
import pytest

from serving.__main__ import main
from shared_features.access.api_keys import PREDICT, ApiKey, digest_of
from shared_features.access.key_file import add_key, remove_key
from tests.self_made_certificates import FIRST, SECOND, SECOND_KEY, written
from tests.serving.running_service import BODY, running

PATH, PATIENCE_S = "/v1/views/breakdown:predict", 60.0
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
"""How a handshake begins: the head of a record of 512 bytes, of which eleven come."""


def shown(port: int) -> str:
    return ssl.get_server_certificate(("127.0.0.1", port))


@dataclass(frozen=True)
class Service:
    """The running service, its folder (with the files of certificate and keys, and the log), and a client's TLS."""

    client: httpx.Client
    folder: Path
    tls: ssl.SSLContext

    @property
    def port(self) -> int:
        return self.client.base_url.port or 0

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


@pytest.fixture(scope="module")
def service(redis_server, published, tmp_path_factory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("tls")
    files, keys = written(folder), folder / "keys"
    add_key(keys, ApiKey("shop", frozenset({PREDICT}), digest_of(b"geheim")))
    tls = ssl.create_default_context(cadata=FIRST)
    options = ["--tls-certificate", str(files[0]), "--tls-key", str(files[1]), "--api-keys-file", str(keys)]
    with running(redis_server, published, folder / "log", *options, "--serving-receive-s", "2", tls=tls) as (client, _):
        yield Service(client, folder, tls)


@pytest.mark.slow
def test_a_handshake_that_never_ends_is_ended_as_a_head_would_be(service):
    """It held a descriptor for 60 s, whatever the limits said. Others are answered meanwhile."""
    attackers = [socket.create_connection(("127.0.0.1", service.port), timeout=50) for _ in range(64)]
    try:
        for each in attackers[32:]:
            each.sendall(HELLO)
        assert service.client.post(PATH, json=BODY).status_code == 401, "without a key"
        for each in attackers:
            with suppress(ConnectionResetError):
                assert each.recv(1) == b"", "ended by the service, within 50 s rather than 60"
    finally:
        for each in attackers:
            each.close()
    assert "Traceback" not in service.log


@pytest.mark.slow
def test_over_https_a_kept_connection_ends_with_its_key_and_a_new_one_sees_the_new_certificate(service):
    client, keys, port = service.client, service.folder / "keys", service.port
    with closing(HTTPSConnection("127.0.0.1", port, context=service.tls, timeout=20)) as kept:
        body, headers = json.dumps(BODY), {"authorization": "Bearer geheim"}

        def ask():
            kept.request("POST", PATH, body, headers)
            answer = kept.getresponse()
            answer.read()
            return answer

        assert client.post(PATH, json=BODY).status_code == 401
        answer = ask()
        assert answer.status == 200
        carried_by = kept.sock
        assert answer.getheader("x-content-type-options") == "nosniff"
        assert answer.getheader("cache-control") == "no-store"
        assert answer.getheader("server") is None
        written(service.folder, SECOND, SECOND_KEY)
        until = time.monotonic() + PATIENCE_S
        while shown(port) != SECOND:
            assert time.monotonic() < until
            time.sleep(0.2)
        answer = ask()
        assert (answer.status, kept.sock) == (200, carried_by), "a connection that began earlier stays"
        remove_key(keys, "shop")
        while answer.status == 200:
            assert time.monotonic() < until
            assert kept.sock is carried_by
            time.sleep(0.1)
            answer = ask()
        assert answer.status == 401
        assert answer.getheader("connection") == "close"
    assert "the certificate was read again" in service.log
    assert "API keys were read again: 0" in service.log
    assert "geheim" not in service.log


@pytest.mark.parametrize("wrong", ["certificate", "keys"])
def test_a_file_that_cannot_be_used_ends_it_with_a_sentence_and_code_2(tmp_path, wrong, capsys):
    certificate, key = written(tmp_path, FIRST, SECOND_KEY)
    given = {
        "certificate": ["--tls-certificate", str(certificate), "--tls-key", str(key)],
        "keys": ["--api-keys-file", str(tmp_path / "none")],
    }
    said = {"certificate": "MILLRACE_TLS_CERTIFICATE", "keys": "Make one by `keys new NAME`"}
    assert main(given[wrong]) == 2
    assert said[wrong] in capsys.readouterr().err
