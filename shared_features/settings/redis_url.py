"""The URL of Redis: what is wrong with one, so that it means the same to every program, or is refused by all.

redis-py passes over what it cannot read: a database that is not a number is database 0, and after a `#` in a password
the host is localhost. Options that only one program would follow are not taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qsl, urlsplit

from shared_features.arguments import did_you_mean

SCHEMES = ("redis", "rediss", "unix")
TLS_OPTIONS = (
    "ssl_ca_certs",
    "ssl_ca_data",
    "ssl_ca_path",
    "ssl_cert_reqs",
    "ssl_certfile",
    "ssl_check_hostname",
    "ssl_ciphers",
    "ssl_keyfile",
    "ssl_min_version",
    "ssl_password",
)
"""Of a rediss:// URL, as redis-py has them."""
OPTIONS = ("db", *TLS_OPTIONS)
_WORDS = {
    "ssl_cert_reqs": ("none", "optional", "required"),
    "ssl_check_hostname": ("true", "false", "yes", "no", "1", "0"),
}
_WAITS = "How long programs wait for Redis is set by MILLRACE_REDIS_TIMEOUT and MILLRACE_SERVING_DEADLINE_MS."
_INSTEAD = {
    **dict.fromkeys(("socket_timeout", "socket_connect_timeout", "timeout"), _WAITS),
    **dict.fromkeys(("username", "password"), "Write it before the host, as in redis://user:password@host:6379/0."),
}


def url_fault(url: str) -> str | None:
    """What is wrong with it and what to write; None where nothing is. The URL's password is not in the text."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        return f"The URL cannot be read: {error}. Write redis://host:6379/0"
    return next(_faults(parts), None)


def _faults(parts: SplitResult) -> Iterator[str]:
    if parts.scheme not in SCHEMES:
        found = f"begins with {parts.scheme}://" if parts.scheme else "has no scheme"
        yield f"The URL {found}. Write redis://host:6379/0, rediss://... for TLS, or unix://path of a socket"
        return
    rest = (parts.query, parts.fragment) if parts.scheme == "unix" else (parts.path, parts.query, parts.fragment)
    if parts.fragment or any("@" in each for each in rest):
        yield "A / or ? or # is in the user or the password. Write %2F for /, %3F for ? and %23 for # there"
        return
    yield from _place(parts)
    yield from _options(parts)


def _place(parts: SplitResult) -> Iterator[str]:
    if parts.scheme == "unix":
        if not parts.path:
            yield "The URL has no path of a socket. Write unix:///path/to/redis.sock"
        return
    try:
        _ = parts.port
    except ValueError:
        yield "The port is not a number from 0 to 65535. Write redis://host:6379/0"
    database = parts.path.removeprefix("/")
    if database and not (database.isascii() and database.isdecimal()):
        yield f"The database is {database!r}, and it must be a number. Write redis://host:6379/0"


def _options(parts: SplitResult) -> Iterator[str]:
    seen = set()
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in OPTIONS:
            instead = _INSTEAD.get(name, did_you_mean(name, OPTIONS).strip())
            yield f"The URL has no option {name!r}. {instead}{' ' * bool(instead)}There are {', '.join(OPTIONS)}"
        if name in TLS_OPTIONS and parts.scheme != "rediss":
            yield f"Option {name} is for TLS, and the URL begins with {parts.scheme}://. Write rediss://"
        if name in seen or (name == "db" and parts.scheme != "unix" and parts.path.strip("/")):
            yield f"Option {name} is given twice. Give it once"
        seen.add(name)
        yield from _value(name, value)


def _value(name: str, value: str) -> Iterator[str]:
    if not value:
        yield f"Option {name} has no value. Give it one, or remove it"
    elif name in _WORDS and (value.lower() if name == "ssl_check_hostname" else value) not in _WORDS[name]:
        yield f"Option {name} is {value!r}. Write one of {', '.join(_WORDS[name])}"
    elif name in ("db", "ssl_min_version") and not (value.isascii() and value.isdecimal()):
        yield f"Option {name} is {value!r}. Write a whole number"
