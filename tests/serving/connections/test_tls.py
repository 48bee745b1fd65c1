"""The service over HTTPS, with keys: what a client sees while keys and certificate change under it."""

from __future__ import annotations

import json
import ssl
import time
from http.client import HTTPSConnection

import pytest

from serving.__main__ import main
from shared_features.access.api_keys import PREDICT, ApiKey, digest_of
from shared_features.access.key_file import add_key, remove_key
from tests.self_made_certificates import FIRST, SECOND, SECOND_KEY, written
from tests.serving.running_service import BODY, running

PATH, PATIENCE_S = "/v1/views/breakdown:predict", 60.0


def shown(port: int) -> str:
    return ssl.get_server_certificate(("127.0.0.1", port))


@pytest.mark.slow
def test_over_https_a_kept_connection_ends_with_its_key_and_a_new_one_sees_the_new_certificate(
    redis_server, published, tmp_path
):
    files, keys = written(tmp_path), tmp_path / "keys"
    add_key(keys, ApiKey("shop", frozenset({PREDICT}), digest_of(b"geheim")))
    tls = ssl.create_default_context(cadata=FIRST)
    options = ["--tls-certificate", str(files[0]), "--tls-key", str(files[1]), "--api-keys-file", str(keys)]
    with running(redis_server, published, tmp_path / "log", *options, tls=tls) as (client, _):
        port = client.base_url.port or 0
        kept = HTTPSConnection("127.0.0.1", port, context=tls, timeout=20)
        body, headers = json.dumps(BODY), {"authorization": "Bearer geheim"}

        def ask():
            kept.request("POST", PATH, body, headers)
            answer = kept.getresponse()
            answer.read()
            return answer

        assert client.post(PATH, json=BODY).status_code == 401
        answer = ask()
        assert answer.status == 200
        socket = kept.sock
        assert answer.getheader("x-content-type-options") == "nosniff"
        assert answer.getheader("cache-control") == "no-store"
        assert answer.getheader("server") is None
        written(tmp_path, SECOND, SECOND_KEY)
        until = time.monotonic() + PATIENCE_S
        while shown(port) != SECOND:
            assert time.monotonic() < until
            time.sleep(0.2)
        answer = ask()
        assert (answer.status, kept.sock) == (200, socket), "a connection that began earlier stays"
        remove_key(keys, "shop")
        while answer.status == 200:
            assert time.monotonic() < until
            assert kept.sock is socket
            time.sleep(0.1)
            answer = ask()
        assert answer.status == 401
        assert answer.getheader("connection") == "close"
        kept.close()
    log = (tmp_path / "log").read_text()
    assert "the certificate was read again" in log
    assert "API keys were read again: 0" in log
    assert "geheim" not in log


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
