"""Connections to one endpoint, by the standard library alone: each is kept and used again. Safe for threads."""

from __future__ import annotations

import time
from collections import deque
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from serving.errors import EndpointAwayError, WrongSettingError

_HEADERS = {"content-type": "application/json"}


class KeptConnections:
    """url: such as http://localhost:8000, reached without a proxy. Raises WrongSettingError for any other address.

    key: an API key.
    """

    def __init__(self, url: str, key: str = "") -> None:
        self._url = url
        self._headers = _HEADERS | ({"authorization": f"Bearer {key}"} if key else {})
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if host is None or parts.scheme not in ("http", "https"):
            raise WrongSettingError(
                f"The address {url!r} cannot be used. Write an HTTP address such as http://localhost:8000."
            )
        self._host, self._port, self._prefix = host, port, parts.path.rstrip("/")
        self._kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._idle: deque[HTTPConnection] = deque()

    def post(self, path: str, body: bytes, until_s: float) -> tuple[int, str | None, bytes]:
        """Status, Retry-After and body of the answer. until_s: of `time.monotonic`. Raises EndpointAwayError."""
        try:
            return self._by_an_idle_one(path, body, until_s) or self._post(
                self._kind(self._host, self._port), path, body, until_s
            )
        except (HTTPException, OSError) as error:
            raise self._away(error) from error

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _by_an_idle_one(self, path: str, body: bytes, until_s: float) -> tuple[int, str | None, bytes] | None:
        """None where no idle connection is left: the endpoint may have closed each of them meanwhile."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            try:
                return self._post(connection, path, body, until_s)
            except (ConnectionError, HTTPException):
                continue

    def _post(
        self, connection: HTTPConnection, path: str, body: bytes, until_s: float
    ) -> tuple[int, str | None, bytes]:
        left_s = until_s - time.monotonic()
        try:
            if left_s <= 0:
                raise self._away(TimeoutError("the deadline has passed"))
            connection.timeout = left_s
            if connection.sock is not None:
                connection.sock.settimeout(left_s)
            connection.request("POST", self._prefix + path, body, self._headers)
            answer = connection.getresponse()
            read = answer.status, answer.headers.get("retry-after"), answer.read()
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return read

    def _away(self, error: Exception) -> EndpointAwayError:
        return EndpointAwayError(
            f"No endpoint answers at {self._url}: {str(error) or type(error).__name__}. Start it with "
            "`python -m serving`, correct the address, or give more time by within_s."
        )
