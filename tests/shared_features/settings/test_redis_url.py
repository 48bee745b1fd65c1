"""A URL of Redis means the same to all programs, or is refused; what redis-py makes of a wrong one stands beside it."""

import inspect

import pytest
from redis.asyncio.connection import SSLConnection as AsyncTls
from redis.connection import SSLConnection, parse_url

from shared_features.settings.redis_url import OPTIONS, TLS_OPTIONS, url_fault


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost:6379/0",
        "redis://h",
        "redis://h/",
        "redis://user:p%40ss%2Fw@h:1/15",
        "redis://[::1]:6379/0",
        "redis://h:6379?db=3",
        "rediss://h:6380/0?ssl_ca_certs=/etc/ca.pem&ssl_cert_reqs=required&ssl_check_hostname=true",
        "rediss://h?ssl_cert_reqs=none",
        "unix:///run/redis.sock",
        "unix://:secret@/run/a@b.sock?db=2",
    ],
)
def test_a_usual_url_is_taken(url: str) -> None:
    assert url_fault(url) is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("h:6379", "Write redis://host:6379/0"),
        ("", "The URL has no scheme"),
        ("http://h:6379", "The URL begins with http://"),
        ("redis://h:port/0", "The port is not a number"),
        ("redis://h:70000/0", "The port is not a number"),
        ("redis://h:1/zero", "The database is 'zero', and it must be a number"),
        ("redis://h:1/0/1", "The database is '0/1'"),
        ("redis://:a#b@h:1/0", "A / or ? or # is in the user or the password. Write %2F"),
        ("redis://:a/b@h:1/0", "A / or ? or # is in the user or the password. Write %2F"),
        ("redis://:a?b@h:1/0", "A / or ? or # is in the user or the password. Write %2F"),
        ("redis://h/0?socket_timeot=3", "The URL has no option 'socket_timeot'. There are db, ssl_ca_certs"),
        ("redis://h/0?socket_timeout=3", "is set by MILLRACE_REDIS_TIMEOUT and MILLRACE_SERVING_DEADLINE_MS."),
        ("redis://h/0?password=x", "Write it before the host"),
        ("rediss://h/0?ssl_ca_cert=/x", "no option 'ssl_ca_cert'. Did you mean 'ssl_ca_certs'?"),
        ("redis://h/0?ssl_ca_certs=/x", "Option ssl_ca_certs is for TLS, and the URL begins with redis://"),
        ("rediss://h/0?ssl_cert_reqs=None", "Option ssl_cert_reqs is 'None'. Write one of none, optional, required"),
        ("rediss://h/0?ssl_check_hostname=off", "Option ssl_check_hostname is 'off'. Write one of true, false"),
        ("rediss://h/0?ssl_ca_certs=", "Option ssl_ca_certs has no value"),
        ("redis://h?db=one", "Option db is 'one'. Write a whole number"),
        ("redis://h?db=1&db=2", "Option db is given twice"),
        ("redis://h/1?db=2", "Option db is given twice"),
        ("unix://", "The URL has no path of a socket"),
    ],
)
def test_a_wrong_url_is_refused_with_what_to_write(url: str, words: str) -> None:
    assert words in (url_fault(url) or "")


def test_what_redis_py_passes_over_is_refused() -> None:
    """Each of these connects to another place than the one that is meant."""
    assert parse_url("redis://h:1/zero").get("db") is None
    assert parse_url("redis://h:1/0/1")["db"] == 1
    assert parse_url("redis://:12/b@h:1/0").items() >= {"port": 12}.items()
    assert "host" not in parse_url("redis://:12/b@h:1/0")
    assert parse_url("rediss://h?ssl_check_hostname=off")["ssl_check_hostname"] is True
    assert "ssl_ca_certs" not in parse_url("rediss://h?ssl_ca_certs=")


@pytest.mark.parametrize("connection", [SSLConnection, AsyncTls])
def test_both_kinds_of_client_know_every_option(connection: type) -> None:
    known = inspect.signature(connection).parameters
    assert set(TLS_OPTIONS) <= set(known)
    assert set(OPTIONS) - set(TLS_OPTIONS) == {"db"}


@pytest.mark.parametrize("url", ["redis://:geheim#x@h", "redis://:geheim@h/x", "redis://:geheim@h:x", "x://:geheim@h"])
def test_no_refusal_shows_the_password(url: str) -> None:
    assert "geheim" not in (url_fault(url) or "geheim")
