"""Access: whether a request may be answered, by its API key and the limits of the key."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

from serving.errors import ForbiddenError, RateLimitedError, UnknownKeyError
from shared_features.access.key_file import WatchedKeys
from shared_features.access.key_ring import KnownKey, given_key
from shared_features.access.rate_limit import RateLimit

_CHALLENGE = 'Bearer realm="millrace"'
Headers = Iterable[tuple[bytes, bytes]]


class Access:
    """Asked for each request. keys: None lets everybody ask."""

    def __init__(self, keys: WatchedKeys | None = None) -> None:
        self._keys = keys

    @property
    def asks_for_keys(self) -> bool:
        """Whether a request needs a key."""
        return self._keys is not None

    def key(self, headers: Headers, scope: str) -> KnownKey | None:
        """The key of a request that may do what the scope permits; None where nobody needs one.

        Raises UnknownKeyError, ForbiddenError.
        """
        if self._keys is None:
            return None
        given = given_key(headers)
        found = self._keys.ring.find(given)
        if found is None:
            raise _unknown(given)
        if not found.key.may(scope):
            error = ForbiddenError(f"Key {found.name} lacks the scope {scope!r}. Use a key that was made with it.")
            error.challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{scope}"'
            raise error
        return found


def count_request(key: KnownKey | None) -> None:
    """Count a request towards the limit of its key. Raises RateLimitedError."""
    if key is not None and key.requests is not None:
        _take(key, key.requests, 1, "requests")


def count_rows(key: KnownKey | None, rows: int) -> None:
    """The same with the instances of a request."""
    if key is not None and key.rows is not None:
        _take(key, key.rows, rows, "instances")


def _take(key: KnownKey, limit: RateLimit, number: int, what: str) -> None:
    wait_s = limit.take(number, time.monotonic())
    if wait_s:
        error = RateLimitedError(f"Key {key.name} has asked for too many {what}. Ask again in {wait_s:.3g} seconds.")
        error.retry_after_s = math.ceil(wait_s)
        raise error


def _unknown(given: bytes) -> UnknownKeyError:
    """Nothing that was sent is repeated: a key that is wrong by a letter is nearly a key."""
    error = UnknownKeyError(
        "The request has no valid API key. Send one header `Authorization: Bearer KEY`, with a key that is valid."
    )
    error.challenge = f'{_CHALLENGE}, error="invalid_token"' if given else _CHALLENGE
    return error
