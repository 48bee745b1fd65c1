"""Which settings name an issuer that can be trusted."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from shared_features.access.oidc.trusted_issuer import DEFAULT_SCOPES, trusted_issuer
from shared_features.errors import IssuerSettingError


@dataclass(frozen=True)
class Given:
    oidc_issuer: str | None = "https://login.example.org/realms/shop"
    oidc_audience: str | None = "millrace"
    oidc_claim: str = "scope"
    oidc_scopes: Mapping[str, str] = field(default_factory=lambda: DEFAULT_SCOPES)
    oidc_requests_per_s: float | None = None
    oidc_rows_per_s: float | None = None


def test_an_issuer_is_taken_to_the_letter():
    found = trusted_issuer(Given("https://login.example.org/"))
    assert found is not None
    assert (found.url, found.audience) == ("https://login.example.org/", "millrace")
    assert trusted_issuer(Given(None, None)) is None
    assert trusted_issuer(Given("", "")) is None
    assert trusted_issuer(Given("http://127.0.0.1:8080/realms/shop")) is not None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Given(oidc_audience=None), "MILLRACE_OIDC_AUDIENCE is not set"),
        (Given(oidc_issuer=None), "MILLRACE_OIDC_ISSUER is not set"),
        (Given("http://login.example.org"), "Plain http:// is for this machine alone"),
        (Given("http://127.0.0.1.example.org"), "Plain http:// is for this machine alone"),
        (Given("login.example.org"), "Write the address"),
        (Given("https://"), "Write the address"),
        (Given("https://a:b@login.example.org"), "Write the address"),
        (Given("https://login.example.org?x=1"), "without a query"),
        (Given("https://login.example.org:port"), "Write the address"),
        (Given("file:///etc/passwd"), "Write the address"),
        (Given(oidc_scopes={"write": "w"}), "The scopes are predict, read, admin"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_by_name(given, said):
    with pytest.raises(IssuerSettingError, match=said):
        trusted_issuer(given)


def test_without_the_extra_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(IssuerSettingError, match=r"Install the extra `millrace\[oidc\]`"):
        trusted_issuer(Given())
