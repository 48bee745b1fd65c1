"""Access: whether a request may be answered at all, by its key, its origin and the host that it names."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from training.errors import TrainingError
from training.service.api_keys import READ, RUN, known_key, read_keys
from training.service.web_server import is_loopback

_BEARER = HTTPBearer(
    auto_error=False, description="An API key, made by `python -m training key NAME --scopes read,run`."
)


class UnknownKeyError(TrainingError):
    """No key was given, or one that does not exist."""


class ForbiddenError(TrainingError):
    """The key lacks the scope, or the request comes from a page of another site."""


class Access:
    """keys: the file of API keys, which is read at each request, so that a withdrawn key ends at once."""

    def __init__(self, keys: Path | None) -> None:
        self._keys = keys
        if keys is not None:
            read_keys(keys)

    def check(
        self,
        request: Request,
        key: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
        scopes: SecurityScopes,
    ) -> str:
        """Whose key it is; empty where no keys are asked for. Raises UnknownKeyError or ForbiddenError.

        scopes: those that the path asks for, beside that of the request's method.
        """
        self._check_origin(request)
        if self._keys is None:
            return ""
        given = key.credentials if key else _password(request.headers.get("authorization", ""))
        found = known_key(read_keys(self._keys), given) if given else None
        if found is None:
            raise UnknownKeyError(
                "The request has no valid API key. Send the header `Authorization: Bearer KEY`; a browser asks for the "
                "key as the password of any user."
            )
        looks = request.method in ("GET", "HEAD") and RUN not in scopes.scopes
        scope = READ if looks else RUN
        if not found.may(scope):
            raise ForbiddenError(f"Key {found.name} lacks the scope {scope!r}. Use a key that was made with it.")
        return found.name

    def _check_origin(self, request: Request) -> None:
        """A page of another site must neither ask in the name of a person, nor reach us by a name that it chose."""
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            raise ForbiddenError(f"The request comes from a page of {origin}, which is another site than {host}.")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if self._keys is None and not is_loopback(name.strip("[]")):
            raise ForbiddenError(f"The request names the host {host!r}. Without API keys only loopback is answered.")


def _password(header: str) -> str:
    kind, _, value = header.partition(" ")
    try:
        return base64.b64decode(value).decode().partition(":")[2] if kind.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""
