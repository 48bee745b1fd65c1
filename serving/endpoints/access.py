"""Access: whether a request may be answered, by its API key or its token, and the limits of who has it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

from serving.errors import ForbiddenError, IssuerAwayError, RateLimitedError, UnknownKeyError
from shared_features.access.callers import Callers
from shared_features.access.key_ring import KnownKey, given_key
from shared_features.access.rate_limit import RateLimit
from shared_features.errors import IssuerUnavailableError, TokenError

_CHALLENGE = 'Bearer realm="millrace"'
_NO_KEY = "The request has no valid API key. Send one header `Authorization: Bearer KEY`, with a key that is valid."
Headers = Iterable[tuple[bytes, bytes]]


class Access:
    """Asked for each request. callers: None lets everybody ask."""

    def __init__(self, callers: Callers | None = None) -> None:
        self._callers = callers

    @property
    def asks_for_keys(self) -> bool:
        """Whether a request needs a key."""
        return self._callers is not None

    def key(self, headers: Headers, scope: str) -> KnownKey | None:
        """The key of a request, or the subject of its token, that may do what the scope permits.

        None where nobody needs one. Raises UnknownKeyError, ForbiddenError, IssuerAwayError.
        """
        if self._callers is None:
            return None
        given = given_key(headers)
        try:
            found = self._callers.find(given)
        except TokenError as error:
            raise _unknown(given, f"The request has no valid token. {error}") from None
        except IssuerUnavailableError as error:
            raise IssuerAwayError(str(error)) from None
        if found is None:
            raise _unknown(given)
        if not found.key.may(scope):
            forbidden = ForbiddenError(
                f"{found.kind} {found.name} lacks the scope {scope!r}. Use a key or a token that has it."
            )
            forbidden.challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{scope}"'
            raise forbidden
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
        error = RateLimitedError(
            f"{key.kind} {key.name} has asked for too many {what}. Ask again in {wait_s:.3g} seconds."
        )
        error.retry_after_s = math.ceil(wait_s)
        raise error


def _unknown(given: bytes, why: str = _NO_KEY) -> UnknownKeyError:
    """Nothing that was sent is repeated: a key that is wrong by a letter is nearly a key."""
    error = UnknownKeyError(why)
    error.challenge = f'{_CHALLENGE}, error="invalid_token"' if given else _CHALLENGE
    return error
