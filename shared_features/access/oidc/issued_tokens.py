"""Tokens of an issuer: whose a token is. A token is verified once, and then known until it expires."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from shared_features.access.api_keys import ApiKey, digest_of
from shared_features.access.key_ring import KnownKey
from shared_features.access.oidc.claims import Subject, subject_of
from shared_features.access.oidc.issuer_keys import IssuerKeys
from shared_features.access.oidc.signatures import SigningKey, key_id_of
from shared_features.access.oidc.trusted_issuer import TrustedIssuer

_LONGEST = 16_384
"""Bytes: nothing longer is a token, and nothing longer is hashed."""
MOST_KEPT = 4_096
_Known = dict[bytes, tuple[KnownKey, float]]


class IssuedTokens:
    """`verified`: how many signatures were looked at. clock: seconds since the epoch.

    What is known of tokens is forgotten when the issuer's keys change: a key that was withdrawn has signed nothing.
    """

    def __init__(self, issuer: TrustedIssuer, keys: IssuerKeys, clock: Callable[[], float] = time.time) -> None:
        self._issuer, self._keys, self._clock = issuer, keys, clock
        self._known: tuple[Mapping[str, SigningKey], _Known] = (keys.current, {})
        self._limits: dict[str, KnownKey] = {}
        self._lock = threading.Lock()
        self.verified = 0

    def start(self) -> None:
        """Fetch the issuer's keys from now on."""
        self._keys.start()

    def stop(self) -> None:
        """Fetch them no longer."""
        self._keys.stop()

    def find(self, given: bytes) -> KnownKey | None:
        """Whose token that is; None where it is not a token at all. Raises TokenError, IssuerUnavailableError."""
        if given.count(b".") != 2 or len(given) > _LONGEST:
            return None
        signed_by, known = self._known
        if signed_by is not self._keys.current:
            signed_by, known = self._known = (self._keys.current, {})
        digest, now_s = digest_of(given), self._clock()
        found, until_s = known.get(digest, (None, 0.0))
        if found is not None and now_s < until_s:
            return found
        key = self._keys.find(key_id_of(given))
        self.verified += 1
        subject = subject_of(key.payload(given), self._issuer, now_s)
        with self._lock:
            found = self._of(subject)
            _keep(known, digest, (found, subject.until_s))
        return found

    def _of(self, subject: Subject) -> KnownKey:
        """All tokens of a subject share its limits. No name of an API key has a colon."""
        name, limits = f"oidc:{subject.name}", (self._issuer.requests_per_s, self._issuer.rows_per_s)
        found = KnownKey(ApiKey(name, subject.scopes, b"", *limits), "Subject")
        shared = self._limits.setdefault(name, found)
        found.requests, found.rows = shared.requests, shared.rows
        if len(self._limits) > MOST_KEPT:
            del self._limits[next(iter(self._limits))]
        return found


def _keep(known: _Known, digest: bytes, what: tuple[KnownKey, float]) -> None:
    known.pop(digest, None)
    if len(known) >= MOST_KEPT:
        del known[next(iter(known))]
    known[digest] = what
