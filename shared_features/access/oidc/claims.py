"""What a token claims, once its signature is verified: whether it is meant for us, now, and what its subject may do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from shared_features.access.oidc.trusted_issuer import TrustedIssuer
from shared_features.errors import TokenError

LEEWAY_S = 10.0
"""How far the issuer's clock and ours may be apart."""
_LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0, section 2


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose token it is. until_s: when it expires, leeway included, seconds since the epoch."""

    name: str
    scopes: frozenset[str]
    until_s: float


def subject_of(payload: bytes, issuer: TrustedIssuer, now_s: float) -> Subject:
    """Raises TokenError. No sentence repeats a claim: an answer may stand in a log."""
    try:
        claims = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise TokenError("What the token says is not a JSON object.")
    if claims.get("iss") != issuer.url:
        raise TokenError("The token is of another issuer.")
    audience = claims.get("aud")
    if issuer.audience not in (audience if isinstance(audience, list) else [audience]):
        raise TokenError("The token is for another audience.")
    until_s = _time(claims, "exp", math.nan) + LEEWAY_S
    if not now_s < until_s:
        raise TokenError("The token has expired, or never does. Fetch a new one from the issuer.")
    if not now_s >= _time(claims, "nbf", now_s) - LEEWAY_S:
        raise TokenError("The token is not valid yet. Compare the clocks of the issuer and of this service.")
    name = claims.get("sub")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_SUBJECT or not name.isprintable():
        raise TokenError("The token names no subject.")
    return Subject(name, _scopes(claims, issuer), until_s)


def _time(claims: Mapping[str, Any], name: str, otherwise: float) -> float:
    """Seconds; NaN, which no comparison holds for, where it is not a number."""
    value = claims.get(name, otherwise)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _scopes(claims: Mapping[str, Any], issuer: TrustedIssuer) -> frozenset[str]:
    given: Any = claims.get(issuer.claim)
    if issuer.claim not in claims:  # the names of a path, such as realm_access.roles
        given = claims
        for name in issuer.claim.split("."):
            given = given.get(name) if isinstance(given, dict) else None
    values = given.split(" ") if isinstance(given, str) else given if isinstance(given, list) else []
    return frozenset(scope for scope, wanted in issuer.scopes.items() if wanted in values)
