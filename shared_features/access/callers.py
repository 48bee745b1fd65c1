"""Who may ask a service: holders of its API keys, and subjects of an issuer's tokens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from shared_features.access.key_file import WatchedKeys, read_keys
from shared_features.access.key_ring import KnownKey
from shared_features.access.oidc.issued_tokens import IssuedTokens
from shared_features.access.oidc.issuer_keys import IssuerKeys
from shared_features.access.oidc.trusted_issuer import IssuerSettings, trusted_issuer


class Callers(Protocol):
    """What a service asks of them."""

    def find(self, given: bytes) -> KnownKey | None:
        """Who has what a request gives; None: nobody. Raises TokenError, IssuerUnavailableError."""

    def start(self) -> None:
        """Look for changes from now on."""

    def stop(self) -> None:
        """Look no longer."""


class AccessSettings(IssuerSettings, Protocol):
    """The settings that decide about it."""

    @property
    def api_keys_file(self) -> Path | None: ...


class _KeysAndTokens:
    """A key first: no token is one."""

    def __init__(self, keys: WatchedKeys, tokens: IssuedTokens) -> None:
        self._keys, self._tokens = keys, tokens

    def find(self, given: bytes) -> KnownKey | None:
        found = self._keys.find(given)
        return self._tokens.find(given) if found is None else found

    def start(self) -> None:
        self._keys.start()
        self._tokens.start()

    def stop(self) -> None:
        self._keys.stop()
        self._tokens.stop()


def callers_of(settings: AccessSettings, tell: Callable[[str], None]) -> Callers | None:
    """None where everybody may ask. tell: gets a sentence for the log. Raises KeyFileError, IssuerSettingError."""
    keys = None if settings.api_keys_file is None else WatchedKeys(settings.api_keys_file, tell)
    issuer = trusted_issuer(settings)
    if issuer is None:
        return keys
    tokens = IssuedTokens(issuer, IssuerKeys(issuer, tell))
    return tokens if keys is None else _KeysAndTokens(keys, tokens)


def check_callers(settings: AccessSettings) -> bool:
    """Whether anything is asked for. Raises KeyFileError, IssuerSettingError, before anything is started."""
    if settings.api_keys_file is not None:
        read_keys(settings.api_keys_file)
    return trusted_issuer(settings) is not None or settings.api_keys_file is not None
