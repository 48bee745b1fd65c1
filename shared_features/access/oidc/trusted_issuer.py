"""The issuer whose tokens are accepted, as the settings describe it."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from shared_features.access.api_keys import SCOPES
from shared_features.errors import IssuerSettingError

DEFAULT_SCOPES = {scope: f"millrace.{scope}" for scope in SCOPES}
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class IssuerSettings(Protocol):
    """The settings of a service that name an issuer."""

    @property
    def oidc_issuer(self) -> str | None: ...
    @property
    def oidc_audience(self) -> str | None: ...
    @property
    def oidc_claim(self) -> str: ...
    @property
    def oidc_scopes(self) -> Mapping[str, str]: ...
    @property
    def oidc_requests_per_s(self) -> float | None: ...
    @property
    def oidc_rows_per_s(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """url, audience: what a token claims as `iss` and `aud`, to the letter. scopes: our scope -> value of the claim.

    requests_per_s, rows_per_s: the most that one subject may ask for; None: no limit.
    """

    url: str
    audience: str
    claim: str
    scopes: Mapping[str, str]
    requests_per_s: float | None = None
    rows_per_s: float | None = None


def trusted_issuer(settings: IssuerSettings) -> TrustedIssuer | None:
    """The issuer; None where no setting names one. Raises IssuerSettingError."""
    url, audience = settings.oidc_issuer, settings.oidc_audience
    if not url and not audience:
        return None
    if not url or not audience:
        lacks = "MILLRACE_OIDC_AUDIENCE" if url else "MILLRACE_OIDC_ISSUER"
        raise IssuerSettingError(f"{lacks} is not set, and the other one is. Tokens need both. Set it, or unset both.")
    parts = urlsplit(url)
    if not is_protected(url) or parts.query or parts.fragment or parts.username:
        raise IssuerSettingError(
            f"MILLRACE_OIDC_ISSUER is {url!r}. Write the address that the issuer's tokens have as `iss`: https:// and "
            "a host, without a query. Plain http:// is for this machine alone."
        )
    if unknown := sorted(settings.oidc_scopes.keys() - SCOPES.keys()):
        raise IssuerSettingError(f"MILLRACE_OIDC_SCOPES names {unknown[0]!r}. The scopes are {', '.join(SCOPES)}.")
    if importlib.util.find_spec("jwt") is None:
        raise IssuerSettingError(
            "MILLRACE_OIDC_ISSUER is set, and PyJWT is not installed. Install the extra `millrace[oidc]`."
        )
    limits = settings.oidc_requests_per_s, settings.oidc_rows_per_s
    return TrustedIssuer(url, audience, settings.oidc_claim, settings.oidc_scopes, *limits)


def is_protected(address: str) -> bool:
    """Whether nobody between here and there can change what the address answers: https, or this machine."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:  # a port that is not a number, a bracket that is not closed
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))
