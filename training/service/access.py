"""Access: whether a request may be answered at all, by its key, its origin and the host that it names."""

from __future__ import annotations

import base64
import binascii
import math
import time
from collections.abc import Iterable
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from shared_features.access.api_keys import ADMIN, READ
from shared_features.access.callers import Callers
from shared_features.access.key_ring import KnownKey, given_key
from shared_features.errors import TokenError
from training.errors import TrainingError
from training.service.web_server import is_loopback

_BEARER = HTTPBearer(
    auto_error=False,
    description="An API key, made by `keys new NAME --scope read`, or `--scope admin`. Or a token of the issuer that "
    "this service trusts.",
)


class UnknownKeyError(TrainingError):
    """No key and no token was given, or one that is not valid."""


class ForbiddenError(TrainingError):
    """The key lacks the scope, or the request comes from a page of another site."""


class RateLimitedError(TrainingError):
    """The key has asked for more than its limit. retry_after_s: when it may ask again."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = math.ceil(retry_after_s)


class Access:
    """Asked for each request. callers: None lets everybody on this machine ask."""

    def __init__(self, callers: Callers | None = None) -> None:
        self._callers = callers

    def check(
        self,
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],  # for the OpenAPI document
        scopes: SecurityScopes,
    ) -> str:
        """Whose key or token it is; empty where none is asked for.

        Raises UnknownKeyError, ForbiddenError, RateLimitedError, IssuerUnavailableError.

        scopes: those that the path asks for, beside that of the request's method.
        """
        self._check_origin(request)
        if self._callers is None:
            return ""
        headers = request.scope["headers"]
        try:
            found = self._callers.find(given_key(headers) or _password(headers))
        except TokenError as error:
            raise UnknownKeyError(f"The request has no valid token. {error}") from None
        if found is None:
            raise UnknownKeyError(
                "The request has no valid API key. Send the header `Authorization: Bearer KEY`; a browser asks for the "
                "key as the password of any user."
            )
        looks = request.method in ("GET", "HEAD") and ADMIN not in scopes.scopes
        scope = READ if looks else ADMIN
        if not found.key.may(scope):
            raise ForbiddenError(
                f"{found.kind} {found.name} lacks the scope {scope!r}. Use a key or a token that has it."
            )
        _count(request, found)
        return found.name

    def _check_origin(self, request: Request) -> None:
        """A page of another site must neither ask in the name of a person, nor reach us by a name that it chose."""
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            raise ForbiddenError(f"The request comes from a page of {origin}, which is another site than {host}.")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if self._callers is None and not is_loopback(name.strip("[]")):
            raise ForbiddenError(f"The request names the host {host!r}. Without API keys only loopback is answered.")


def _count(request: Request, key: KnownKey) -> None:
    """Towards its limit: a request once, though a path with a scope of its own is checked twice."""
    if key.requests is None or getattr(request.state, "counted", False):
        return
    request.state.counted = True
    if wait_s := key.requests.take(1, time.monotonic()):
        raise RateLimitedError(
            f"{key.kind} {key.name} has asked for too many requests. Ask again in {wait_s:.3g} seconds.", wait_s
        )


def _password(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The key as a browser sends it: the password of any user, in the only header of its kind."""
    values = [value for name, value in headers if name == b"authorization"]
    kind, _, value = (values[0] if len(values) == 1 else b"").partition(b" ")
    try:
        return base64.b64decode(value).partition(b":")[2] if kind.lower() == b"basic" else b""
    except binascii.Error:
        return b""
