"""The key ring: which key a request gives. It is asked on the path of each request, and takes about a microsecond."""

from __future__ import annotations

from collections.abc import Iterable
from hmac import compare_digest

from shared_features.access.api_keys import ApiKey, digest_of
from shared_features.access.rate_limit import RateLimit

_LONGEST = 256
"""Bytes: nothing longer is a key, and nothing longer is hashed."""


class KnownKey:
    """A key of the ring, or who has a token. `requests`, `rows`: what is left of its limits; None: no limit.

    kind: how answers call it, before its name.
    """

    __slots__ = ("key", "kind", "name", "requests", "rows")

    def __init__(self, key: ApiKey, kind: str = "Key") -> None:
        self.key, self.name, self.kind = key, key.name, kind
        self.requests = None if key.requests_per_s is None else RateLimit(key.requests_per_s)
        self.rows = None if key.rows_per_s is None else RateLimit(key.rows_per_s)


class KeyRing:
    """Keys by digest. before: the ring that this one replaces; a key that both have keeps what is left of its limits.

    The time of a look-up tells nothing of a key: what is looked up is a digest, which nobody can choose, and the
    comparison that decides takes the same time for all.
    """

    __slots__ = ("_by_digest",)
    _by_digest: dict[bytes, KnownKey]

    def __init__(self, keys: Iterable[ApiKey], before: KeyRing | None = None) -> None:
        known: dict[ApiKey, KnownKey] = (
            {} if before is None else {each.key: each for each in before._by_digest.values()}
        )
        self._by_digest = {key.digest: known.get(key) or KnownKey(key) for key in keys}

    def find(self, given: bytes) -> KnownKey | None:
        """The key that was given; None where there is no such key."""
        if not given or len(given) > _LONGEST:
            return None
        digest = digest_of(given)
        found = self._by_digest.get(digest)
        return found if found is not None and compare_digest(found.key.digest, digest) else None

    def __len__(self) -> int:
        return len(self._by_digest)


def given_key(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The key in the header `Authorization: Bearer KEY`; empty where there is none, or more than one such header.

    headers: names in lower case, as ASGI has them. Nothing is read from an address: addresses stand in logs.
    """
    values = [value for name, value in headers if name == b"authorization"]
    if len(values) != 1:  # of two, two who read the request may take one each
        return b""
    kind, _, key = values[0].partition(b" ")
    return key.strip() if kind.lower() == b"bearer" else b""
