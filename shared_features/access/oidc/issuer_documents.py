"""What an issuer publishes of itself: where its signing keys are, and the keys (OpenID Connect Discovery 1.0)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

import msgspec

from shared_features.access.oidc.trusted_issuer import is_protected
from shared_features.errors import IssuerUnavailableError

_DISCOVERY = "/.well-known/openid-configuration"
_WITHIN_S = 5.0
_LARGEST = 1 << 20


class _NoRedirects(HTTPRedirectHandler):
    """An address that somebody else may choose is not asked."""

    def redirect_request(self, *_: Any) -> None:
        return None


def fetch_keys(issuer: str) -> Sequence[Any]:
    """The keys that an issuer publishes, as JSON has them. It takes seconds. Raises IssuerUnavailableError."""
    found = _document(issuer.rstrip("/") + _DISCOVERY)
    if found.get("issuer") != issuer:
        raise IssuerUnavailableError(
            "What the issuer publishes names another issuer. Set MILLRACE_OIDC_ISSUER to the text that stands there as "
            "`issuer`, to the letter."
        )
    address = found.get("jwks_uri")
    if not isinstance(address, str) or not is_protected(address):
        raise IssuerUnavailableError("The issuer names no https address of its keys as `jwks_uri`. Correct the issuer.")
    keys = _document(address).get("keys")
    if not isinstance(keys, list):
        raise IssuerUnavailableError("The issuer's `jwks_uri` gives no list of keys. Correct the issuer.")
    return keys


def _document(address: str) -> Mapping[str, Any]:
    until_s = time.monotonic() + 2 * _WITHIN_S
    content = bytearray()
    try:
        handlers = [_NoRedirects(), *([ProxyHandler({})] if address.startswith("http:") else [])]  # of this machine
        asked = Request(address, headers={"accept": "application/json"})
        with build_opener(*handlers).open(asked, timeout=_WITHIN_S) as answer:
            while part := answer.read1(65_536):
                content += part
                if len(content) > _LARGEST or time.monotonic() > until_s:
                    raise IssuerUnavailableError(f"{address} is too long, or too slow. Correct the issuer.")
        found = msgspec.json.decode(content)
    except (OSError, HTTPException, ValueError, RecursionError) as error:  # of URLs, HTTP, JSON and UTF-8
        raise IssuerUnavailableError(
            f"{address} cannot be read: {type(error).__name__}: {error}. See that the issuer answers."
        ) from None
    if not isinstance(found, dict):
        raise IssuerUnavailableError(f"{address} is not a JSON object. Correct the issuer.")
    return found
