"""How a connection to Redis is opened: the database, the password and the TLS options of its URL."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from deploy.embedded.ports import free_port
from deploy.embedded.redis_server import RedisServer
from serving.errors import OnlineStoreError
from streaming.online_store.link import RedisLink
from streaming.settings import load_settings
from tests.serving.redis_stores import redis_store


@pytest.fixture(scope="module")
def server():
    with RedisServer() as running:
        yield running


def test_the_database_of_the_url_is_read(server):
    url = server.url.removesuffix("/0") + "/3"
    with redis.Redis.from_url(url) as client:
        client.set("where", "three")

    async def read():
        async with redis_store(url) as store:
            return await store.read([[b"where"]])

    assert asyncio.run(read()) == [[b"three"]]


def test_a_password_is_given_and_a_wrong_one_is_said():
    with RedisServer() as guarded:
        with redis.Redis.from_url(guarded.url) as client:
            client.set("key", "value")
            client.config_set("requirepass", "secret")
        address = guarded.url.removeprefix("redis://")

        async def read(url):
            async with redis_store(url) as store:
                return await store.read([[b"key"]])

        assert asyncio.run(read(f"redis://:secret@{address}")) == [[b"value"]]
        with pytest.raises(OnlineStoreError, match=r"WRONGPASS|invalid|AUTH"):
            asyncio.run(read(f"redis://:wrong@{address}"))
        with pytest.raises(OnlineStoreError, match="NOAUTH"):
            asyncio.run(read(guarded.url))
        with redis.Redis.from_url(guarded.url, password="secret") as client:
            client.config_set("requirepass", "")


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """The address of a redis-server with TLS, and the certificate that it shows."""
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    server, port = RedisServer(proper=True), free_port()
    if missing := RedisServer.missing(proper=True):
        pytest.skip(f"NOT TESTED: Redis with TLS. {missing[0]}")
    subprocess.run([*command.split(), *files, *names], check=True, capture_output=True)
    server.options |= {
        "tls-port": str(port),
        "tls-cert-file": str(folder / "cert.pem"),
        "tls-key-file": str(folder / "key.pem"),
        "tls-ca-cert-file": str(folder / "cert.pem"),
        "tls-auth-clients": "no",
    }
    with server:
        with redis.Redis.from_url(server.url) as client:
            client.set("key", "value")
        yield f"127.0.0.1:{port}", folder / "cert.pem"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("?ssl_ca_certs={cert}", None),
        ("/0?ssl_ca_certs={cert}&ssl_cert_reqs=required&ssl_check_hostname=true", None),
        ("?ssl_cert_reqs=none", None),
        ("", "CERTIFICATE_VERIFY_FAILED"),
    ],
)
def test_the_tls_options_of_the_url_mean_what_they_mean_to_the_stream_job(encrypted, options, said):
    """Both programs verify the server by the URL's certificate, or by none, or refuse an unknown one."""
    address, cert = encrypted
    url, within_s = f"rediss://{address}{options.format(cert=cert)}", 60.0 if said is None else 2.0

    async def read():
        async with redis_store(url, within_s) as store:
            return await store.read([[b"key"]])

    link = RedisLink(load_settings(redis_url=url), within_s=within_s)
    if said is None:
        assert asyncio.run(read()) == [[b"value"]]
        assert link.call("GET", "key") == b"value"
    else:
        with pytest.raises(OnlineStoreError, match=said):
            asyncio.run(read())
        with pytest.raises(redis.ConnectionError, match=said):
            link.call("GET", "key")
    link.close()
